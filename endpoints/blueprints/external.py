"""External API endpoint: an endpoint of one's own in front of another server's, whose credentials stay here."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

from stackyard.core.errors import Detail, invalid_input
from stackyard.core.models import Variable
from stackyard.core.names import is_name
from stackyard.core.workspaces import create_variable

from . import Asked, Blueprint, Document, Option, endpoint_document, expression, line

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_URL = re.compile(r'[^\s"\\\x00-\x1f\x7f-\uffff]{1,1000}\Z')
_PLACE = re.compile(r"\{([^{}]*)\}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,62}\Z")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}\Z")
_SEGMENT = re.compile(r"[a-z][a-z0-9_-]{0,40}\Z")


class ExternalApi(Blueprint):
    """An endpoint that asks another server and answers what it said. The other server's key stays in a secret variable, so
    callers of this endpoint never see it.
    """

    name = "external"
    label = "External API endpoint"
    icon = "globe"
    sentence = "Ask another server, its key kept here"
    takes_table = False
    options = (
        Option("name", "The endpoint's address, such as rates for /rates.", required=True),
        Option("method", "How the other server is asked.", "GET", choices=_METHODS),
        Option(
            "url",
            "Its address. What stands in braces becomes an input: https://api.example.com/rates/{currency}.",
            required=True,
        ),
        Option(
            "secret", "The secret variable with its key, if it needs one; made, empty, if it is not there."
        ),
        Option("header", "The header that carries the key.", "Authorization"),
    )

    def make(self, asked: Asked) -> list[Document]:
        options = asked.options
        places = _check(options)
        if options["secret"]:
            _prepare_variable(asked.group.workspace, options["secret"], options["name"])
        path = "/".join(["", options["name"], *(f"{{{place}}}" for place in places)])
        inputs: dict[str, Any] = {place: {"type": "text"} for place in places}
        if options["method"] in _WITH_BODY:
            inputs["body"] = {"type": "json", "required": True, "description": "What is sent on, as JSON."}
        document = endpoint_document(
            options["name"].replace("-", "_"),
            options["method"],
            path,
            f"Asks {urlsplit(options['url']).hostname}.",
            inputs=inputs,
            lines=[_ask(options, places), _refuse_failures()],
            response=expression("answer.body"),
        )
        return [document]


def _check(options: Any) -> list[str]:
    """The names of the places in the address. Problem with every fault."""
    details = []
    if not _SEGMENT.match(options["name"]):
        details.append(Detail("options.name", "format", "use a-z, 0-9, _ and -, such as rates"))
    url, parts = options["url"], None
    if _URL.match(url):
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or "{" in parts.netloc:
        message = "is an address such as https://api.example.com/rates; the server itself can't be an input"
        details.append(Detail("options.url", "format", message))
    places = list(dict.fromkeys(_PLACE.findall(url)))
    details += [
        Detail("options.url", "name", f'"{place}" is no name for an input')
        for place in places
        if not is_name(place) or place == "body"
    ]
    if options["secret"] and not _VARIABLE.match(options["secret"]):
        details.append(Detail("options.secret", "format", "is the name of a variable, such as RATES_KEY"))
    if not _HEADER.match(options["header"]):
        details.append(Detail("options.header", "format", "is the name of a header, such as X-Api-Key"))
    if details:
        raise invalid_input(details)
    return places


def _prepare_variable(workspace: Any, name: str, what: str) -> None:
    if not Variable.objects.filter(workspace=workspace, name=name).exists():
        create_variable(workspace, name, is_secret=True, description=f"The key that {what} sends.")


def _ask(options: Any, places: list[str]) -> dict[str, Any]:
    params: dict[str, Any] = {"method": options["method"], "url": _address(options["url"])}
    if options["secret"]:
        params["headers"] = {options["header"]: expression(f"env.{options['secret']}")}
    if options["method"] in _WITH_BODY:
        params["body"] = expression("input.body")
    return line("external_api_request", "answer", **params)


def _address(url: str) -> Any:
    """The address, or the expression that puts the inputs into it, each encoded so that it stays one part."""
    parts = _PLACE.split(url)
    if len(parts) == 1:
        return url
    texts = [
        f"(input.{part} | url_encode_rfc3986)" if number % 2 else json.dumps(part)
        for number, part in enumerate(parts)
        if part
    ]
    return expression(" ~ ".join(texts))


def _refuse_failures() -> dict[str, Any]:
    return line(
        "precondition",
        if_=expression("answer.status < 400"),
        status=502,
        code="EXTERNAL_API_FAILED",
        message=expression('"The other server answered " ~ answer.status ~ "."'),
        suggestion="Look at the request history, or try again later.",
    )
