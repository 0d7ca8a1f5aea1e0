"""What of a call must not be kept: credentials, inputs marked sensitive, the workspace's secrets.

Headers are hidden by name, inputs by place, and every text that was secret once more by value wherever else it
stands: in the path, the query, the answer. Runs in the history's writer, never while somebody waits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote_plus

from stackyard.core.body import parse_pairs
from stackyard.core.errors import Problem
from stackyard.core.jsonout import encode
from stackyard.core.secrets import MASK
from stackyard.stacks.inputs import InputSet

_HIDDEN_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"})
_HIDDEN_WORDS = re.compile(r"token|secret|signature|password|credential|api-?key")

_names: dict[str, str] = {}


def headers_of(environ: Mapping[str, Any], sensitive: Iterable[str] = ()) -> dict[str, str]:
    """The request's headers by lower-case name, credentials hidden; `sensitive` are inputs' names."""
    found = {}
    hidden = {f"HTTP_{name.upper()}" for name in sensitive}
    for key, value in environ.items():
        if key[:5] == "HTTP_":
            name = _names.get(key)
            if name is None:
                name = key[5:].replace("_", "-").lower()
                if len(_names) < 1000:
                    _names[key] = name
            found[name] = MASK if key in hidden or _hides(name) else value
    for key, name in (("CONTENT_TYPE", "content-type"), ("CONTENT_LENGTH", "content-length")):
        if environ.get(key):
            found[name] = environ[key]
    return found


_known_hidden: dict[str, bool] = {}


def _hides(name: str) -> bool:
    hides = _known_hidden.get(name)
    if hides is None:
        hides = name in _HIDDEN_HEADERS or _HIDDEN_WORDS.search(name) is not None
        if len(_known_hidden) < 1000:
            _known_hidden[name] = hides
    return hides


def masked_query(query: str, inputs: InputSet) -> str:
    """A query string with the values of sensitive inputs hidden."""
    if not query or not inputs.has_sensitive:
        return query
    try:
        pairs = parse_pairs(query)
    except Problem:
        return MASK
    parts = []
    for name, value in inputs.mask(pairs).items():
        for one in value if isinstance(value, list) else [value]:
            parts.append(f"{quote_plus(name)}={one if one == MASK else quote_plus(str(one))}")
    return "&".join(parts)


def masked_body(raw: bytes, values: Mapping[str, Any], inputs: InputSet) -> str:
    """A request body as text; where inputs are sensitive only what could be read of it, with those hidden."""
    if not raw:
        return ""
    if not inputs.has_sensitive:
        return plain_text(raw)
    return plain_text(encode(inputs.mask(values))) if values else MASK


def plain_text(raw: bytes) -> str:
    """Bytes as a text that every database can keep."""
    return raw.decode("utf-8", "replace").replace("\0", "\ufffd")
