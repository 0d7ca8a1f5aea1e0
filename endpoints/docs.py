"""`/apispec:<canonical>` and `/apidoc:<canonical>`: the OpenAPI document of a group, and Swagger UI over it.

Both are public, behind a token, or off, as the group says. A document is made once per version of the
workspace and process, and answered with a strong ETag.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from stackyard.core import version, yaml
from stackyard.core.answers import only_reads
from stackyard.core.errors import Problem
from stackyard.core.jsonout import encode

from .models import ApiGroup
from .openapi import group_document
from .openapi_facts import gather

_KEPT_DOCUMENTS = 64


@dataclass(frozen=True, slots=True)
class Served:
    """A document as bytes, with its media type and strong ETag."""

    body: bytes
    media_type: str
    etag: str


class Documents:
    """Made documents by (what, form), each valid for one version; the least used fall out.

    Whoever asks for a document that is being made waits for it; other documents have other locks.
    """

    def __init__(self, kept: int = _KEPT_DOCUMENTS) -> None:
        self._kept = kept
        self._held: OrderedDict[tuple[object, str], tuple[int, Served]] = OrderedDict()
        self._lock = threading.Lock()
        self._making = [threading.Lock() for _ in range(16)]

    def get(self, what: object, form: str, at_version: int, make: Callable[[], dict[str, Any]]) -> Served:
        """The document, made with `make` when what is held belongs to another version."""
        key = (what, form)
        held = self._find(key, at_version)
        if held is not None:
            return held
        with self._making[hash(key) % len(self._making)]:
            held = self._find(key, at_version)
            return held if held is not None else self._keep(key, at_version, spelled(make(), form))

    def _find(self, key: tuple[object, str], at_version: int) -> Served | None:
        with self._lock:
            held = self._held.get(key)
            if held is None or held[0] != at_version:
                return None
            self._held.move_to_end(key)
            return held[1]

    def _keep(self, key: tuple[object, str], at_version: int, served: Served) -> Served:
        with self._lock:
            self._held[key] = (at_version, served)
            self._held.move_to_end(key)
            while len(self._held) > self._kept:
                self._held.popitem(last=False)
        return served


documents = Documents()


def spelled(document: dict[str, Any], form: str) -> Served:
    """A document as `yaml` or `json`."""
    body = encode(document) if form == "json" else yaml.dump(document).encode()
    media_type = "application/json" if form == "json" else "application/yaml"
    return Served(body, media_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def form_of(request: HttpRequest) -> str:
    """`json` for `?type=json`, else `yaml`. Problem `INVALID_INPUT` for another type."""
    asked = request.GET.get("type", "yaml")
    if asked not in ("json", "yaml"):
        raise Problem("INVALID_INPUT", 'type: use "json" or "yaml"')
    return asked


def answer_document(request: HttpRequest, served: Served, *, public: bool) -> HttpResponse:
    """The document, or 304 when the caller has it already (RFC 9110 §13.1.2)."""
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
    if served.etag in known or known == ["*"]:
        answer = HttpResponse(status=304)
    else:
        answer = HttpResponse(served.body, content_type=served.media_type)
    answer.headers["ETag"] = served.etag
    answer.headers["Cache-Control"] = "no-cache" if public else "private, no-cache"
    if public:
        # Design tools in the browser read the document from their own address.
        answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


@only_reads
def apispec(request: HttpRequest, canonical: str) -> HttpResponse:
    """The group's OpenAPI document as YAML, or as JSON with `?type=json`."""
    group = _readable_group(request, canonical)
    at_version = version.workspace_versions.get().get(group.workspace_id, 0)
    what = (group.pk, settings.PUBLIC_URL)
    served = documents.get(what, form_of(request), at_version, lambda: group_document(*gather(group)))
    return answer_document(request, served, public=group.docs == "public")


@only_reads
def apidoc(request: HttpRequest, canonical: str) -> HttpResponse:
    """Swagger UI over the group's document."""
    group = _readable_group(request, canonical)
    title = f"{group.workspace.name}: {group.name}"
    token = group.docs_token if group.docs == "token" else ""
    return doc_page(request, title, f"/apispec:{group.canonical}", token=token)


def doc_page(
    request: HttpRequest, title: str, specification: str, *, token: str = "", csrf_cookie: str = ""
) -> HttpResponse:
    """The page that shows a document. `csrf_cookie` names the cookie whose token goes with what is tried out."""
    shown = {"title": title, "specification": specification, "token": token, "csrf_cookie": csrf_cookie}
    page = render(request, "endpoints/apidoc.html", shown)
    page.headers["Content-Security-Policy"] = _page_policy()
    page.headers["Referrer-Policy"] = "no-referrer"
    page.headers["X-Frame-Options"] = "SAMEORIGIN"
    page.headers["Cache-Control"] = "private, no-cache"
    return page


@only_reads
def oauth_redirect(request: HttpRequest) -> HttpResponse:
    """`/apidoc/oauth2-redirect`: where the authorization server sends Swagger UI's window back to."""
    page = render(request, "endpoints/oauth_redirect.html")
    page.headers["Content-Security-Policy"] = "default-src 'none'; script-src 'self'; frame-ancestors 'none'"
    page.headers["Referrer-Policy"] = "no-referrer"
    page.headers["Cache-Control"] = "no-store"
    return page


def _page_policy() -> str:
    """No inline script; styles may be inline, since Swagger UI sets them; calls to this host and the public one."""
    public = urlsplit(settings.PUBLIC_URL)
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self'",
            f"connect-src 'self' {public.scheme}://{public.netloc}",
            "form-action 'none'",
            "base-uri 'none'",
            "frame-ancestors 'self'",
        ]
    )


def _readable_group(request: HttpRequest, canonical: str) -> ApiGroup:
    """The group, if its documentation is on and the caller may read it. Problem `NOT_FOUND` or `UNAUTHORIZED`."""
    group = ApiGroup.objects.select_related("workspace").filter(canonical=canonical, active=True).first()
    if group is None or group.docs == "off":
        raise Problem("NOT_FOUND", "There is no documentation at this address.")
    if group.docs == "token" and not _has_token(request, group.docs_token):
        raise Problem(
            "UNAUTHORIZED",
            "This documentation asks for its token.",
            suggestion="Add ?token=… or send Authorization: Bearer …",
            headers={"WWW-Authenticate": 'Bearer realm="documentation"'},
        )
    return group


def _has_token(request: HttpRequest, token: str) -> bool:
    """Whether the token came in the query string or as a bearer; a group without one lets nobody in."""
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    given = sent.strip() if scheme.lower() == "bearer" else request.GET.get("token", "")
    return bool(token) and secrets.compare_digest(given.encode(), token.encode())
