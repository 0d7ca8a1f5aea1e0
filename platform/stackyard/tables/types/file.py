"""Files: an upload in an input; in a field what is known of a stored file, its bytes being elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import orjson

from stackyard.core.limits import FILE_BYTES
from stackyard.core.types import ANY, INT, OBJECT, TEXT, Type, object_of
from stackyard.core.vault.keeping import ACCESS, KINDS, PATH
from stackyard.core.vault.sniffing import kind_of, matches
from stackyard.core.vault.uploads import Upload, clean_name
from stackyard.tables.field_type import Convert, FieldType, Option, refuse, unexpected
from stackyard.tables.types.json import EXISTS, encode_text

FILE_TYPES = frozenset({"file", *KINDS})


def example_of(kind: str) -> tuple[tuple[dict[str, Any], dict[str, Any]]]:
    """A stored file as an example of a type: in and out."""
    mime = {"video": "video/mp4", "audio": "audio/mpeg", "attachment": "application/pdf"}.get(
        kind, "image/png"
    )
    one = {
        "access": "public",
        "path": "/vault/AbCdEfGhIjKlMnOpQrStUvWx/tea",
        "name": "tea",
        "type": kind,
        "size": 4821,
        "mime": mime,
        "meta": {"width": 64, "height": 48} if kind == "image" else {},
    }
    return ((one, one),)


class FileType(FieldType):
    """A file. An input takes one out of a multipart form, or the object of a stored file; a field keeps that object, which
    the step create_file makes: `{access, path, name, type, size, mime, meta}`.
    """

    name = "file"
    label = "File"
    group = "files"
    icon = "file"
    kind: ClassVar[str] = ""
    option_spec = {
        "max_size": Option("int", "At most so many bytes.", default=None, least=1, most=FILE_BYTES.maximum),
        "types": Option("texts", "Media types that are taken, such as image/png or image/*.", default=None),
    }
    operators = EXISTS
    can_be_unique = False
    is_json = True
    examples: ClassVar[Any] = example_of("image")

    def parse(self, value: Any, lenient: bool = False) -> dict[str, Any]:
        """An upload, or the object of a stored file with nothing else in it."""
        if isinstance(value, Upload):
            self._check(value["size"], value["mime"], kind_of(value["mime"]))
            return value
        if lenient and isinstance(value, str):
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError:
                raise unexpected("a file", value) from None
        if not isinstance(value, Mapping):
            raise unexpected("a file", value)
        made = _stored(value)
        self._check(made["size"], made["mime"], made["type"])
        return made

    @property
    def record_parse(self) -> Callable[..., Any]:
        """A record holds stored files only."""
        return self._parse_stored

    def _parse_stored(self, value: Any, lenient: bool = False) -> dict[str, Any]:
        if isinstance(value, Upload):
            message = "is an upload that is not kept yet: give it to create_file, and store what that makes"
            raise refuse("type", message)
        return self.parse(value, lenient)

    def _check(self, size: int, mime: str, kind: str) -> None:
        most, types = self.options["max_size"], self.options["types"]
        if most is not None and size > most:
            raise refuse("size", f"must have at most {most:,} bytes")
        if types is not None and not any(matches(mime, wanted) for wanted in types):
            raise refuse("file_type", f"must be {' or '.join(types)}, and is {mime}")
        if self.kind not in ("", "attachment", kind) and not {self.kind, kind} == {"audio", "video"}:
            raise refuse("file_type", f"must be of the kind {self.kind}, and is {mime}")

    @property
    def value_type(self) -> Type:
        """What uploads and stored files have in common, and what stored ones have besides."""
        sure = {"name": TEXT, "size": INT, "mime": TEXT}
        return object_of(
            {**sure, "access": TEXT, "path": TEXT, "type": TEXT, "meta": OBJECT, "url": ANY}, open=True
        )

    def json_schema(self) -> dict[str, Any]:
        """The object of a stored file."""
        return {
            "type": "object",
            "properties": {
                "access": {"type": "string", "enum": list(ACCESS)},
                "path": {"type": "string"},
                "name": {"type": "string"},
                "type": {"type": "string", "enum": list(KINDS)},
                "size": {"type": "integer"},
                "mime": {"type": "string"},
                "meta": {"type": "object"},
            },
            "required": ["access", "path", "name", "type", "size", "mime"],
        }

    def column(self, dialect: str) -> str:
        """JSON text on SQLite."""
        return "TEXT" if dialect == "sqlite" else "jsonb"

    def binder(self, dialect: str) -> Convert | None:
        """To JSON text."""
        return encode_text

    def loader(self, dialect: str) -> Convert | None:
        """From JSON text."""
        return orjson.loads

    def csv_text(self, value: Any) -> str:
        """JSON text."""
        return "" if value is None else encode_text(value)


def _stored(value: Mapping[str, Any]) -> dict[str, Any]:
    path, name, mime, size = (value.get(key) for key in ("path", "name", "mime", "size"))
    if not isinstance(path, str) or not PATH.match(path):
        raise refuse("format", "is no stored file: it needs the path that create_file gave it")
    if not (isinstance(name, str) and isinstance(mime, str) and len(mime) <= 100):
        raise refuse("format", "is no stored file: it needs its name and mime")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= 2**53:
        raise refuse("format", "is no stored file: it needs its size")
    if value.get("access") not in ACCESS or value.get("type") not in KINDS:
        raise refuse("format", "is no stored file: it needs its access and type")
    meta = value.get("meta") if isinstance(value.get("meta"), Mapping) else {}
    numbers = {key: n for key, n in (meta or {}).items() if key in ("width", "height") and isinstance(n, int)}
    return {
        "access": value["access"],
        "path": path,
        "name": clean_name(name),
        "type": value["type"],
        "size": size,
        "mime": mime,
        "meta": numbers,
    }
