"""What a person may do, in templates: both tags ask the gate that would answer 403."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ..gate import may_do

register = template.Library()


@register.simple_block_tag(takes_context=True)
def deed(context: dict[str, Any], content: str, name: str = "", *args: Any, address: str = "") -> str:
    """`{% deed 'admin:alert_add' %}<a …>{% enddeed %}`: what leads to a deed, left out for who may not do it.

    `address=` names it by address; without either it is a POST to the page itself.
    """
    request = context["request"]
    return content if may_do(request, address or (reverse(name, args=args) if name else request.path)) else ""


@register.simple_block_tag(takes_context=True)
def editable(context: dict[str, Any], content: str) -> SafeString:
    """The fields of a form that is sent to the page itself; to be read and no more for who may not send it."""
    request = context["request"]
    if may_do(request, request.path):
        return SafeString(content)
    note = _("You can look at this. Your role in this workspace is not for changing it.")
    text = '<p class="quiet">{}</p><fieldset class="read-only" disabled>{}</fieldset>'
    return format_html(text, note, SafeString(content))
