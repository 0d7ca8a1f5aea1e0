"""Where an endpoint's inputs stand in an HTTP request, and how they are gathered from there.

An input is in the path when the template names it, in the query for GET and HEAD, else in the body; DELETE
reads both query and body. `in: header` (`x_signature` is the header `X-Signature`), `in: query` and `in: body` move it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core.body import is_form, parse_body, parse_pairs, read_body, read_form
from stackyard.core.errors import Detail, Faults, Problem
from stackyard.core.vault.uploads import Upload, uploads_in
from stackyard.stacks.inputs import InputSet
from stackyard.stacks.trace import Trace
from stackyard.tables.types.file import FILE_TYPES

from .router import Template

_READS = frozenset({"GET", "HEAD"})
_SCALARS = frozenset(
    {"text", "int", "decimal", "float", "bool", "timestamp", "date", "uuid", "email", "enum", "reference"}
)


def place_of(name: str, spec: Any, method: str, template: Template) -> str:
    """`path`, `query`, `body`, `either` (query or body, for DELETE) or `header`."""
    if name in template.names:
        return "path"
    chosen = spec.get("in") if isinstance(spec, Mapping) else None
    if chosen in {"header", "query", "body"}:
        return str(chosen)
    if method in _READS:
        return "query"
    return "either" if method == "DELETE" else "body"


def check_places(
    inputs: Any, method: str, template: Template, faults: Faults, raw_body: bool = False
) -> None:
    """Faults between a path template and the inputs; with `raw_body` none of them is in the body."""
    inputs = inputs if isinstance(inputs, Mapping) else {}
    for name in template.names:
        if name not in inputs:
            message = f'The path names {{{name}}}, but there is no input "{name}".'
            faults.error(("path",), "path_input", message, suggestion=f"Add the input {name}.")
            continue
        spec = {"type": inputs[name]} if isinstance(inputs[name], str) else inputs[name]
        if isinstance(spec, Mapping):
            _check_in_path(name, spec, faults)
    for name, spec in inputs.items():
        if raw_body and place_of(name, spec, method, template) == "body":
            message = "The body is raw: no input is read from it."
            faults.error(("inputs", name), "place", message, suggestion="Say in: query or in: header.")
        if not isinstance(spec, Mapping):
            continue
        if spec.get("in") == "path" and name not in template.names:
            faults.error(
                ("inputs", name, "in"), "path_input", f"The path {template} does not name {{{name}}}."
            )
        if spec.get("in") == "body" and method == "GET":
            faults.error(("inputs", name, "in"), "value", "A GET request has no body.")


def _check_in_path(name: str, spec: Mapping[str, Any], faults: Faults) -> None:
    place = ("inputs", name)
    if spec.get("in") not in {None, "path"}:
        faults.error((*place, "in"), "path_input", f"The path names {{{name}}}, so it can't be elsewhere.")
    if spec.get("list") or spec.get("type") not in _SCALARS:
        faults.error(place, "path_input", "An input in the path is one value, such as int or text.")
    if spec.get("nullable") or spec.get("default") is not None:
        faults.error(
            place, "path_input", "An input in the path is always there: leave out nullable and default."
        )


def with_path_required(inputs: Mapping[str, Any], template: Template) -> dict[str, Any]:
    """The inputs with those in the path marked required, as they always are."""
    made = dict(inputs)
    for name in template.names:
        spec = made.get(name, "text")
        made[name] = {"type": spec, "required": True} if isinstance(spec, str) else {**spec, "required": True}
    return made


def file_inputs(specs: Mapping[str, Any]) -> list[str]:
    """The inputs that take files."""
    return [
        name
        for name, spec in specs.items()
        if (spec.get("type") if isinstance(spec, Mapping) else spec) in FILE_TYPES
    ]


class Sent:
    """What a request carried, before it was checked: texts of the path, query, headers, and the body's values."""

    __slots__ = ("misplaced", "raw_body", "texts", "trace", "uploads", "values")

    def __init__(self) -> None:
        self.misplaced: list[Detail] = []
        self.raw_body = b""
        self.uploads: list[Upload] = []
        self.trace: Trace | None = None
        self.values: dict[str, Any] = {}
        self.texts: set[str] = set()


class RequestInputs:
    """The inputs of one endpoint, ready to be gathered and bound."""

    def __init__(
        self,
        inputs: Mapping[str, Any],
        method: str,
        template: Template,
        *,
        ignores_unknown: bool,
        body_limit: int,
        raw_body: bool = False,
    ) -> None:
        specs = with_path_required(inputs, template)
        self.set = InputSet(specs, unknown="ignore" if ignores_unknown else "refuse")
        self.places = {name: place_of(name, spec, method, template) for name, spec in specs.items()}
        self.reads_body = method not in _READS
        self._raw_body = raw_body
        self.takes_files = bool(file_inputs(specs))
        self.body_limit = body_limit
        self._ignores_unknown = ignores_unknown
        self._path_names = frozenset(template.names)
        self.sensitive_headers = [
            name for name, one in self.set.inputs.items() if one.sensitive and self.places[name] == "header"
        ]
        self._headers = [
            (name, "HTTP_" + name.upper()) for name, place in self.places.items() if place == "header"
        ]

    def gather(self, parameters: Mapping[str, str], environ: Mapping[str, Any], sent: Sent) -> None:
        """Fill `sent`. Problem 400, 413 or 415 for a body or a query that can't be read."""
        query = environ.get("QUERY_STRING")
        if query:
            self._take(_query(query), "query", sent)
        if self.reads_body:
            self._gather_body(environ, sent)
        for name, key in self._headers:
            if key in environ:
                sent.values[name] = environ[key]
                sent.texts.add(name)
        if parameters:
            sent.values.update(parameters)
        sent.texts.update(self._path_names)

    def _gather_body(self, environ: Mapping[str, Any], sent: Sent) -> None:
        if self.takes_files and environ.get("CONTENT_TYPE", "")[:19].lower() == "multipart/form-data":
            form = read_form(environ, self.body_limit)
            sent.uploads = list(uploads_in(form))
            self._take(form, "body", sent)
            sent.texts.update(form)
            return
        sent.raw_body = raw = read_body(environ, self.body_limit)
        if not raw or self._raw_body:
            return
        content_type = environ.get("CONTENT_TYPE", "")
        body = parse_body(raw, content_type)
        if not isinstance(body, dict):
            raise Problem("INVALID_INPUT", "The body must be a JSON object with the inputs by name.")
        self._take(body, "body", sent)
        if content_type[:16] != "application/json" and is_form(content_type):
            sent.texts.update(body)

    def _take(self, pairs: Mapping[str, Any], place: str, sent: Sent) -> None:
        """Enter what stands at one place; a name that belongs elsewhere or came twice is a fault."""
        for name, value in pairs.items():
            belongs = self.places.get(name, place)
            if belongs not in {place, "either"}:
                if not self._ignores_unknown:
                    sent.misplaced.append(
                        Detail(name, "place", f"belongs in the {belongs}, not in the {place}")
                    )
            elif name in sent.values:
                sent.misplaced.append(Detail(name, "place", "came in the query and in the body"))
            else:
                sent.values[name] = value
                if place == "query":
                    sent.texts.add(name)

    def bind(self, sent: Sent) -> dict[str, Any]:
        """Typed values. Problem `INVALID_INPUT` with every fault."""
        return self.set.bind(sent.values, sent.texts, sent.misplaced)


def _query(text: str) -> dict[str, Any]:
    # WSGI carries bytes as Latin-1 (PEP 3333); browsers may send UTF-8 unescaped.
    if not text.isascii():
        try:
            text = text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            raise Problem("INVALID_INPUT", "The query string is not valid UTF-8.") from None
    return parse_pairs(text)
