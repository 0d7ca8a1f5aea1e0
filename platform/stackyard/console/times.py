"""Moments in forms: the browser's own date and time input, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms

_FORMATS = [
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
]


class MomentInput(forms.DateTimeInput):
    """`<input type="datetime-local">`."""

    input_type = "datetime-local"

    def format_value(self, value: Any) -> str | None:
        """A moment as the browser wants it, to the second; what was typed stays as it was."""
        if isinstance(value, datetime):
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") if value.tzinfo else value.isoformat()
        return value or None


class MomentField(forms.DateTimeField):
    """An instant, typed in UTC."""

    widget = MomentInput

    def __init__(self, **more: Any) -> None:
        super().__init__(input_formats=_FORMATS, **more)

    def prepare_value(self, value: Any) -> Any:
        """Left to the widget: the console's time zone is UTC."""
        return value
