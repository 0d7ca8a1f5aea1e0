"""Numbers in templates, as the active language writes them."""

from __future__ import annotations

from django import template
from django.utils import formats

register = template.Library()


@register.filter
def percent(share: float) -> str:
    """0.0123 → `1.2 %`; whole numbers from ten on."""
    value = share * 100
    digits = 1 if 0 < value < 10 else 0
    return f"{formats.number_format(round(value, digits), digits)}\N{NO-BREAK SPACE}%"
