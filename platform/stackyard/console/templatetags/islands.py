"""Template tags of the console: places that scripts take over, their styles, and icons."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join, json_script
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from stackyard.start.frontend import COMMAND

from .. import bundle

register = template.Library()


@register.simple_tag
def island(name: str, props: Any = None, needed: bool = True, key: object = "") -> SafeString:
    """The place of an island with its properties (anything JSON can say) and its script.

    `key` tells several of one name on a page apart.

    Without a bundle it is a line that says which command builds it, or nothing when the page is whole
    without it (`needed=False`).
    """
    found = bundle.entry(name)
    if found is None or found.script is None:
        return _unbuilt() if needed else SafeString("")
    identifier = f"{name.replace('_', '-')}-props{key}"
    place = format_html(
        '<div data-island="{}" data-props="{}" class="island {}-island"></div>{}',
        *(name, identifier, name.replace("_", "-")),
        json_script({} if props is None else props, identifier),
    )
    return place + _files(found)


@register.simple_tag
def island_script(name: str) -> SafeString:
    """Only the script and styles of an island, for one that finds its places by itself; nothing without a bundle."""
    found = bundle.entry(name)
    return SafeString("") if found is None else _files(found)


@register.simple_tag
def bundled_style(name: str) -> SafeString:
    """The style sheet of `frontend/styles/<name>.css`; nothing without a bundle."""
    found = bundle.entry(name)
    return SafeString("") if found is None else _styles(found)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite `icons.svg`; without a label it is decoration."""
    assert re.fullmatch(r"[a-z0-9-]+", name)
    how = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="icon" width="16" height="16" {} focusable="false"><use href="{}#{}"></use></svg>',
        *(how, static("console/icons.svg"), name),
    )


def _unbuilt() -> SafeString:
    text = _("The script of this page is not built, so it is shown as a plain form. This command builds it:")
    return format_html('<p class="unbuilt">{} <code>{}</code></p>', text, COMMAND)


def _files(found: bundle.Entry) -> SafeString:
    preload = format_html_join("", '<link rel="modulepreload" href="{}">', ((url,) for url in found.preload))
    script = (
        format_html('<script type="module" src="{}"></script>', found.script)
        if found.script
        else SafeString("")
    )
    return _styles(found) + preload + script


def _styles(found: bundle.Entry) -> SafeString:
    return format_html_join("", '<link rel="stylesheet" href="{}">', ((url,) for url in found.styles))
