"""The words of the console's scripts: Django's JavaScript catalogue under an address that names its content."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.views.i18n import JavaScriptCatalog

PACKAGE = "stackyard.console"


@lru_cache
def catalogue(language: str) -> bytes:
    """The catalogue of a language as a script that makes `django.gettext` and the others."""
    with translation.override(language):
        return bytes(JavaScriptCatalog(packages=[PACKAGE]).get(HttpRequest()).content)


def address() -> str:
    """Where the words of the active language are; the address moves when they do."""
    language = translation.get_language() or "en"
    digest = hashlib.sha256(catalogue(language)).hexdigest()[:12]
    return reverse("console_words", args=[language, digest])


def words(request: HttpRequest, language: str, digest: str) -> HttpResponse:
    """`GET /words/<language>/<digest>.js`: nothing secret, so anybody may read it, and keep it for ever."""
    if not translation.check_for_language(language):
        raise Http404
    response = HttpResponse(catalogue(language), content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
