"""The facts of a group's OpenAPI document, gathered from what is published."""

from __future__ import annotations
