"""Values as bodies of requests: JSON, forms, multipart forms, and bytes as they are."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata

from ..expressions.operations import text_of
from ..jsonout import encode
from ..limits import OUTBOUND_BYTES
from .faults import invalid
from .outgoing import pairs

BODY_TYPES = ("json", "form", "multipart", "raw")
BYTES = "$bytes"
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]{1,100}/[\w!#$&^.+-]{1,100}(?:; ?[\w-]+=[\w\"./:+-]+)*", re.ASCII)


def encoded(body: Any, body_type: str) -> tuple[bytes | None, str | None]:
    """The bytes of a body and their Content-Type; neither where there is no body (null).

    `json` any value; `form` an object of texts, numbers and lists of them; `multipart` the same, where a value may
    also be a file `{name, content, type}`; `raw` a text, bytes, or `{"$bytes": base64}`. Problem `REQUEST_INVALID`.
    """
    if body is None:
        return None, None
    match body_type:
        case "json":
            made, content_type = encode(body), "application/json"
        case "form":
            made = urlencode(list(pairs(body, "body"))).encode()
            content_type = "application/x-www-form-urlencoded"
        case "multipart":
            made, content_type = _multipart(body)
        case "raw":
            made = octets(body, "body")
            content_type = (
                "text/plain; charset=utf-8" if isinstance(body, str) else "application/octet-stream"
            )
        case _:
            raise invalid(f'"body_type" is one of {", ".join(BODY_TYPES)}, not "{text_of(body_type)[:40]}".')
    if len(made) > OUTBOUND_BYTES.default:
        raise invalid(f"A body has at most {OUTBOUND_BYTES.default:,} bytes.")
    return made, content_type


def octets(value: Any, what: str) -> bytes:
    """The bytes of a text (UTF-8), of bytes, or of `{"$bytes": base64}`. Problem `REQUEST_INVALID`."""
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if isinstance(value, Mapping) and set(value) == {BYTES} and isinstance(value[BYTES], str):
        try:
            return b64decode(value[BYTES], validate=True)
        except NotBase64:
            raise invalid(f'"{what}" holds "{BYTES}" that is not base64.') from None
    raise invalid(f'"{what}" is a text or {{"{BYTES}": base64}} here.', "Make it a text with json_encode.")


def is_media_type(text: Any) -> bool:
    """Whether a text is a media type such as `image/png`."""
    return isinstance(text, str) and _MEDIA_TYPE.fullmatch(text) is not None


def _multipart(body: Any) -> tuple[bytes, str]:
    if not isinstance(body, Mapping):
        raise invalid('"body" is an object of names and values.')
    fields: list[RequestField] = []
    for name, value in body.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                fields.append(_part(str(name), one))
    return encode_multipart_formdata(fields)


def _part(name: str, value: Any) -> RequestField:
    """One part (RFC 7578); urllib3 escapes quotes and line breaks in names as browsers do."""
    if not isinstance(value, dict):
        if isinstance(value, list):
            raise invalid(f'"body.{name}" is a text, a number, a file or a list of them.')
        return RequestField.from_tuples(name, text_of(value).encode("utf-8", "replace"))
    if set(value) == {BYTES}:
        value = {"content": value}
    if "content" not in value or set(value) - {"name", "content", "type"}:
        raise invalid(f'"body.{name}" is not a file: {{name, content, type}}.')
    file_name = text_of(value.get("name")) or name
    media_type = value.get("type") or "application/octet-stream"
    if not is_media_type(media_type):
        raise invalid(f'"body.{name}.type" is not a media type such as image/png.')
    return RequestField.from_tuples(
        name, (file_name, octets(value["content"], f"body.{name}.content"), media_type)
    )
