"""Numbers and states in templates, as the active language writes them."""

from __future__ import annotations

from django import template
from django.utils import formats
from django.utils.translation import gettext_lazy as _

register = template.Library()


@register.filter
def percent(share: float) -> str:
    """0.0123 → `1.2 %`; whole numbers from ten on."""
    value = share * 100
    digits = 1 if 0 < value < 10 else 0
    return f"{formats.number_format(round(value, digits), digits)}\N{NO-BREAK SPACE}%"


_STATES = {
    "accepted": _("Accepted"),
    "running": _("Running"),
    "succeeded": _("Succeeded"),
    "failed": _("Failed"),
    "timed_out": _("Timed out"),
    "out_of_memory": _("Out of memory"),
    "lost": _("Lost"),
    "cancelled": _("Cancelled"),
}


@register.filter
def state_name(state: str) -> str:
    """A run's state as people read it."""
    return str(_STATES.get(state, state))
