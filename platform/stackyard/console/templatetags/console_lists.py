"""The filters of a list as menus above it."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.inclusion_tag("console/filter_menu.html")
def filter_menu(changelist: Any, spec: Any) -> dict[str, Any]:
    """One filter: its name, what is chosen, and a link for each choice."""
    choices = list(spec.choices(changelist))
    chosen = next((choice for choice in choices if choice["selected"]), None)
    return {"title": spec.title, "choices": choices, "chosen": None if chosen is choices[0] else chosen}
