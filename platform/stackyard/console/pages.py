"""A page of the console that is not one of the admin's own: its frame, its trail, its confirmation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from stackyard.core.errors import Problem

from .problems import sentence

Crumb = tuple[str, str | None]
"""A link of the trail: text and address (None for the page itself)."""


def page(
    request: HttpRequest, template: str, title: str, crumbs: Sequence[Crumb], **context: Any
) -> HttpResponse:
    """A template in the console's frame."""
    request.current_app = admin.site.name  # type: ignore[attr-defined]
    return TemplateResponse(
        request,
        template,
        {**admin.site.each_context(request), "title": title, "crumbs": [*crumbs, (title, None)], **context},
    )


def confirmed(
    request: HttpRequest,
    deed: Callable[[], Any],
    *,
    title: str,
    warning: str,
    action: str,
    done: str,
    back: str,
    after: str,
    crumbs: Sequence[Crumb],
) -> HttpResponse:
    """Ask before a deed that takes something away: GET asks, POST does it and goes to `after`.

    `back` is where "No" leads. A Problem of the deed is shown on the page asked from.
    """
    if request.method == "POST":
        try:
            deed()
        except Problem as problem:
            messages.error(request, _("Not done: {problem}").format(problem=sentence(problem)))
            return HttpResponseRedirect(back)
        messages.success(request, done)
        return HttpResponseRedirect(after)
    return page(request, "console/confirm.html", title, crumbs, warning=warning, action=action, back=back)
