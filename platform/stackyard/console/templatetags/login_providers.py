"""The buttons of login providers on the page where people of the console sign in."""

from __future__ import annotations

from typing import Any

from django import template

from auth.models import Provider

register = template.Library()


@register.simple_tag
def login_providers() -> Any:
    """The console's own providers."""
    return Provider.objects.filter(workspace=None)
