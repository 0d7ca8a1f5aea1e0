"""Inputs of a stack: from what a caller sent to typed values, with every fault found at once. No HTTP in it.

An input is a field type plus what only inputs have (language.md, Inputs and response). Inside an object
with `fields` each field is an input again.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stackyard.core import types as t
from stackyard.core.body import parse_json
from stackyard.core.errors import Detail, Faults, Path, Problem, did_you_mean, invalid_input
from stackyard.core.names import is_name, name_rule
from stackyard.core.secrets import MASK
from stackyard.tables.field_type import FieldType, Refused

PLACES = ("path", "query", "body", "header")
_ABSENT: Any = object()

# What an input may say beside the options of its field type, and the kind of value each takes.
_FLAGS = ("required", "nullable", "list", "sensitive")
_SIZES = ("min_items", "max_items")
_OWN_KEYS = frozenset({"type", "default", "description", "example", "in", "fields", *_FLAGS, *_SIZES})


@dataclass(slots=True)
class _Found:
    """The faults of one binding, as they are found."""

    details: list[Detail]

    def add(self, path: str, code: str, message: str) -> None:
        """One more fault."""
        self.details.append(Detail(path, code, message))


class Input:
    """One compiled input."""

    __slots__ = (
        "_default_word",
        "_fields",
        "_type",
        "_wraps",
        "default",
        "is_list",
        "is_text",
        "max_items",
        "min_items",
        "name",
        "nullable",
        "refuses_empty",
        "required",
        "sensitive",
        "spec",
    )

    def __init__(self, name: str, spec: str | Mapping[str, Any]) -> None:
        spec = {"type": spec} if isinstance(spec, str) else spec
        self.name = name
        self.spec: Mapping[str, Any] = spec
        self._type, self._fields = _type_of(spec)
        self.required = bool(spec.get("required"))
        self.nullable = bool(spec.get("nullable"))
        self.is_list = bool(spec.get("list"))
        self.min_items, self.max_items = spec.get("min_items"), spec.get("max_items")
        is_secret = self._type is not None and not self._type.can_be_read
        self.sensitive = bool(spec.get("sensitive")) or is_secret
        self.is_text = self._type is not None and self._type.value_type.name == "text"
        self.refuses_empty = self.required and self.is_text and "min_length" not in spec
        self._wraps = spec.get("type") == "list"
        self._default_word = self._word(spec.get("default"))
        self.default = self._parsed_default(spec.get("default"))

    def _word(self, default: Any) -> Any:
        if self._type is None or self.is_list or not isinstance(default, str):
            return None
        return self._type.default_words.get(default)

    def _parsed_default(self, default: Any) -> Any:
        if default is None or self._default_word is not None:
            return None
        found = _Found([])
        value = self.bind(default, self.name, False, found)
        if found.details:
            raise invalid_input(found.details)
        return value

    def absent(self) -> Any:
        """The value when none was sent."""
        return self.default if self._default_word is None else self._default_word()

    @property
    def has_default(self) -> bool:
        """Whether an input that is not sent still has a value."""
        return self.spec.get("default") is not None

    def bind(self, value: Any, path: str, lenient: bool, found: _Found) -> Any:
        """The typed value; faults go to `found`. `lenient` for texts out of a path, query, form or header."""
        if value is None:
            if not self.nullable:
                found.add(path, "null", "must not be null")
            return None
        if not self.is_list:
            return self._bind_one(value, path, lenient, found)
        items = self._items(value, lenient)
        if self.min_items is not None and len(items) < self.min_items:
            found.add(path, "length", f"must have at least {self.min_items} entries")
        if self.max_items is not None and len(items) > self.max_items:
            found.add(path, "length", f"must have at most {self.max_items} entries")
            return None
        return [self._bind_one(item, f"{path}.{at}", lenient, found) for at, item in enumerate(items)]

    def _items(self, value: Any, lenient: bool) -> list[Any]:
        if isinstance(value, list):
            return value
        if lenient and isinstance(value, str) and value[:1] == "[":
            read = _json_of(value)
            if isinstance(read, list):
                return read
        return [value]

    def _bind_one(self, value: Any, path: str, lenient: bool, found: _Found) -> Any:
        if self._fields is not None:
            return self._bind_object(value, path, lenient, found)
        if self._wraps:
            value = self._items(value, lenient)
        try:
            parsed = self._type.parse(value, lenient)  # type: ignore[union-attr]
        except Refused as refused:
            for fault in refused.faults:
                found.add(".".join((path, *map(str, fault.path))), fault.code, fault.message)
            return None
        if self.refuses_empty and parsed == "":
            found.add(path, "required", "must not be empty")
        return parsed

    def _bind_object(self, value: Any, path: str, lenient: bool, found: _Found) -> Any:
        if lenient and isinstance(value, str):
            value = _json_of(value)
        if not isinstance(value, dict):
            found.add(path, "type", "expected an object")
            return None
        return self._fields._bind(value, f"{path}.", (), found)  # type: ignore[union-attr]

    def value_type(self) -> t.Type:
        """The type a stack sees: null is possible where the input may be left out."""
        one = t.object_of(self._fields.types()) if self._fields is not None else self._type.value_type  # type: ignore[union-attr]
        whole = t.list_of(one) if self.is_list else one
        sure = (self.required or self.has_default) and not self.nullable
        return whole if sure else whole.or_null()

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of what may be sent."""
        one = self._fields.json_schema() if self._fields is not None else self._type.json_schema()  # type: ignore[union-attr]
        schema: dict[str, Any] = {"type": "array", "items": one} if self.is_list else dict(one)
        if self.is_list:
            sizes = {"minItems": self.min_items, "maxItems": self.max_items}
            schema.update({key: size for key, size in sizes.items() if size is not None})
        if self.nullable:
            schema = _or_null(schema)
        if self.spec.get("description"):
            schema["description"] = self.spec["description"]
        if self.sensitive:
            schema["writeOnly"] = True
            return schema
        if self.has_default:
            schema["default"] = self.spec["default"]
        if "example" in self.spec:
            schema["examples"] = [self.spec["example"]]
        return schema

    def mask(self, value: Any) -> Any:
        """The raw value with everything sensitive in it hidden."""
        if self.sensitive:
            return MASK if value is not None else None
        if self._fields is None or not self._fields.has_sensitive:
            return value
        if isinstance(value, list):
            return [self._fields.mask(item) if isinstance(item, dict) else MASK for item in value]
        return self._fields.mask(value) if isinstance(value, dict) else MASK


def _type_of(spec: Mapping[str, Any]) -> tuple[FieldType | None, InputSet | None]:
    if spec.get("type") == "object" and spec.get("fields"):
        return None, InputSet(spec["fields"])
    options = {key: value for key, value in spec.items() if key not in _OWN_KEYS}
    return FieldType.get(spec["type"])(options), None


def _json_of(text: str) -> Any:
    """The value of JSON in a form field, or the text itself when it is none."""
    try:
        return parse_json(text.encode("utf-8", "surrogatepass"))
    except Problem:
        return text


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if not isinstance(kind, str):
        return schema if kind is not None or not schema else {"anyOf": [schema, {"type": "null"}]}
    made = {**schema, "type": [kind, "null"]}
    if "enum" in made:
        made["enum"] = [*made["enum"], None]
    return made


class InputSet:
    """The inputs of a stack, compiled once. `unknown` is `refuse` (400) or `ignore`."""

    def __init__(self, inputs: Mapping[str, Any], unknown: str = "refuse") -> None:
        self.inputs: dict[str, Input] = {name: Input(name, spec) for name, spec in inputs.items()}
        self.refuses_unknown = unknown != "ignore"
        self.has_sensitive = any(_is_sensitive(one) for one in self.inputs.values())

    def bind(
        self, values: Mapping[str, Any], lenient: Container[str] = (), faults: Sequence[Detail] = ()
    ) -> dict[str, Any]:
        """The inputs by name, typed, with defaults. What was left out and has no default is left out here, too:
        expressions read it as null, and a record patched with `input` keeps those fields.

        `lenient` names those whose values are texts out of a path, query, form or header; `faults` were found
        before. Problem `INVALID_INPUT` with a detail for every fault.
        """
        found = _Found(list(faults))
        bound = self._bind(values, "", lenient, found)
        if found.details:
            raise invalid_input(found.details)
        return bound

    def _bind(
        self, values: Mapping[str, Any], prefix: str, lenient: Container[str], found: _Found
    ) -> dict[str, Any]:
        bound: dict[str, Any] = {}
        known = 0
        for name, one in self.inputs.items():
            value = values.get(name, _ABSENT)
            if value is not _ABSENT:
                known += 1
                is_text = name in lenient
                # An empty field of a form is one that was left out, except where text is asked for.
                if value != "" or not is_text or one.is_text:
                    bound[name] = one.bind(value, prefix + name, is_text, found)
                    continue
            if one.required:
                found.add(prefix + name, "required", "is required")
            if one.has_default:
                bound[name] = one.absent()
        if known < len(values) and self.refuses_unknown:
            for key in values:
                if key not in self.inputs:
                    hint = did_you_mean(str(key), self.inputs)
                    found.add(f"{prefix}{key}", "unknown", f"is not an input of this endpoint.{hint}")
        return bound

    def types(self) -> Mapping[str, t.Type]:
        """The type of each input as a stack sees it."""
        return {name: one.value_type() for name, one in self.inputs.items()}

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of the object that holds all inputs."""
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {name: one.json_schema() for name, one in self.inputs.items()},
            "additionalProperties": not self.refuses_unknown,
        }
        required = [name for name, one in self.inputs.items() if one.required]
        if required:
            schema["required"] = required
        return schema

    def mask(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What was sent, with the values of sensitive inputs hidden, for the request history."""
        return {
            name: self.inputs[name].mask(value) if name in self.inputs else value
            for name, value in values.items()
        }

    def secrets_in(self, values: Mapping[str, Any]) -> Iterator[str]:
        """Every text and number sent in a sensitive input, at any depth."""
        for name, value in values.items():
            one = self.inputs.get(name)
            if one is not None and _is_sensitive(one):
                yield from _secret_parts(one, value)


def _is_sensitive(one: Input) -> bool:
    return one.sensitive or (one._fields is not None and one._fields.has_sensitive)


def _secret_parts(one: Input, value: Any) -> Iterator[str]:
    if one.sensitive:
        yield from _texts_in(value)
    elif one._fields is not None:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from one._fields.secrets_in(item)


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _texts_in(part)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def check_inputs(
    inputs: Any, faults: Faults, path: Path = ("inputs",), tables: Container[str] | None = None
) -> None:
    """Every fault in how inputs are written. `tables` are the names a reference may name (None: not checked)."""
    if not isinstance(inputs, Mapping):
        faults.error(path, "type", "The inputs are a map of names to their types.")
        return
    for name, spec in inputs.items():
        here = (*path, str(name))
        if not is_name(name):
            faults.error(here, "name", f'"{name}" is no name for an input. {name_rule()}')
        elif not isinstance(spec, str | Mapping):
            faults.error(here, "type", 'An input is a type such as int, or a map such as {"type": "int"}.')
        else:
            _check_input({"type": spec} if isinstance(spec, str) else spec, faults, here, tables)


def _check_input(spec: Mapping[str, Any], faults: Faults, path: Path, tables: Container[str] | None) -> None:
    before = len(faults.errors)
    name = spec.get("type")
    kind = FieldType.all().get(name) if isinstance(name, str) else None
    if kind is None:
        hint = did_you_mean(str(name), FieldType.all())
        faults.error((*path, "type"), "type", f'There is no type "{name}".{hint}')
        return
    _check_own(spec, faults, path)
    if name == "object" and "fields" in spec:
        check_inputs(spec["fields"], faults, (*path, "fields"), tables)
        options = {key: value for key, value in spec.items() if key not in _OWN_KEYS}
    else:
        # `fields` without an object is an option the type will refuse by name.
        options = {key: value for key, value in spec.items() if key not in _OWN_KEYS or key == "fields"}
    own_faults = Faults()
    kind.read_options(options, own_faults, path)
    faults.found.extend(own_faults.found)
    table = spec.get("table")
    if name == "reference" and tables is not None and isinstance(table, str) and table not in tables:
        hint = did_you_mean(table, tables) if isinstance(tables, Mapping) else ""
        faults.error((*path, "table"), "unknown_table", f'There is no table "{table}".{hint}')
    if len(faults.errors) == before:
        _check_default(spec, faults, path)


def _check_own(spec: Mapping[str, Any], faults: Faults, path: Path) -> None:
    for key in _FLAGS:
        if key in spec and not isinstance(spec[key], bool):
            faults.error((*path, key), "type", f"{key} is true or false.")
    for key in _SIZES:
        size = spec.get(key)
        if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
            faults.error((*path, key), "type", f"{key} is a whole number from 0.")
        elif size is not None and not spec.get("list"):
            faults.error((*path, key), "list", f'{key} goes with "list": true.')
    if spec.get("description") is not None and not isinstance(spec["description"], str):
        faults.error((*path, "description"), "type", "The description is text.")
    if "in" in spec and spec["in"] not in PLACES:
        faults.error((*path, "in"), "value", f"in is one of {', '.join(PLACES)}.")
    if spec.get("required") and spec.get("default") is not None:
        faults.error(
            (*path, "default"), "value", "A required input never falls back to a default; leave one out."
        )


def _check_default(spec: Mapping[str, Any], faults: Faults, path: Path) -> None:
    """The default and the example must be values that the input takes."""
    try:
        made = Input(str(path[-1]), spec)
    except Problem as problem:
        for detail in problem.details:
            faults.error((*path, "default"), "default", f"The default {detail.message}")
        return
    if "example" in spec:
        found = _Found([])
        made.bind(spec["example"], made.name, False, found)
        for detail in found.details:
            faults.error((*path, "example"), "example", f"The example {detail.message}")
