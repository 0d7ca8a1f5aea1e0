"""The texts that kinds bring, which put code between backticks."""

from __future__ import annotations

import re

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_CODE = re.compile(r"`([^`]+)`")


@register.filter
def with_code(text: str) -> SafeString:
    """The text as HTML: what stands between backticks as code, everything else escaped."""
    return mark_safe(_CODE.sub(r"<code>\1</code>", conditional_escape(text)))
