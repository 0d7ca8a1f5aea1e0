"""Which data a deed of the management API works on, as a query parameter."""

from __future__ import annotations

from rest_framework import serializers

from ..data_source import LIVE, SOURCES
from .serializers import StrictSerializer


class SourceQuery(StrictSerializer):
    """Live data, or the workspace's test data."""

    data_source = serializers.ChoiceField(
        choices=list(SOURCES), default=LIVE, help_text="`test` for the workspace's test data."
    )
