"""Blueprints: endpoints made at once. What they make are ordinary endpoints that people edit afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

from django.db import transaction

from endpoints.models import ApiGroup, Endpoint
from endpoints.publishing import create_endpoint, publish
from stackyard.core.errors import Detail, Faults, Problem, did_you_mean, invalid_input
from stackyard.core.kinds import Kind
from stackyard.stacks.document import with_ids
from stackyard.tables.definitions import FieldDef, TableDef
from stackyard.tables.schema import load_schema

from ..router import Template, overlaps, parse_template

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Option:
    """Something a blueprint asks for. `choices` when only some values are taken; all values are texts."""

    name: str
    help: str
    default: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a blueprint is to make: where, for which table, with which options (all there, defaults filled in)."""

    group: ApiGroup
    table: TableDef | None
    options: Mapping[str, str]
    key: str | None = None
    author: Any = None


class Blueprint(Kind, family="blueprint"):
    """A way to make endpoints: for a table, or after what its options say."""

    takes_table: ClassVar[bool] = True
    options: ClassVar[Sequence[Option]] = ()

    def documents(self, table: TableDef, key: str | None = None) -> list[Document]:
        """The endpoints' documents in canonical form. `key` is what paths call a record's id."""
        raise NotImplementedError

    def make(self, asked: Asked) -> list[Document]:
        """The documents, and whatever they need beside them is there. Problem for options that can't be."""
        assert asked.table is not None
        return self.documents(asked.table, asked.key)


def apply_blueprint(
    group: ApiGroup,
    name: str,
    table: str | None = None,
    author: Any = None,
    options: Mapping[str, Any] | None = None,
) -> list[Endpoint]:
    """Make and publish a blueprint's endpoints in a group; those made are returned.

    What the group already answers (the same method at the same address) is left as it is, and its name for
    a path parameter is taken over, so that one address has one name in the documentation. Problem
    `INVALID_INPUT` for an unknown blueprint or table and for options that do not fit; nothing is made then.
    """
    blueprint = Blueprint.get(name)()
    with transaction.atomic():
        present = list(group.endpoints.all())
        asked = _asked(blueprint, group, table, options or {}, author, present)
        made = []
        for document in blueprint.make(asked):
            if _is_answered(document, present):
                continue
            named = {**document, "name": _free_name(document["name"], present)}
            endpoint = create_endpoint(group, named, author)
            publish(endpoint, author, f"Made by the blueprint {name}")
            made.append(endpoint)
    return made


def _asked(
    blueprint: Blueprint,
    group: ApiGroup,
    table: str | None,
    options: Mapping[str, Any],
    author: Any,
    present: Sequence[Endpoint],
) -> Asked:
    read = read_options(blueprint, options)
    if not blueprint.takes_table:
        if table:
            raise _refused("table", "unknown", f"The blueprint {blueprint.name} is not for a table.")
        return Asked(group, None, read, author=author)
    if not table:
        raise _refused("table", "required", f"The blueprint {blueprint.name} needs a table.")
    definition = load_schema(group.workspace_id).table(table)
    return Asked(group, definition, read, _key_in(present, definition.name), author)


def _refused(field: str, code: str, message: str) -> Problem:
    return invalid_input([Detail(field, code, message)], message)


def read_options(blueprint: Blueprint | type[Blueprint], given: Mapping[str, Any]) -> dict[str, str]:
    """Options with their defaults. Problem `INVALID_INPUT` with every fault."""
    details, known = [], [option.name for option in blueprint.options]
    for name in given:
        if name not in known:
            hint = did_you_mean(str(name), known)
            details.append(Detail(f"options.{name}", "unknown", f"is no option of {blueprint.name}.{hint}"))
    read = {}
    for option in blueprint.options:
        value = given.get(option.name)
        text = option.default if value in (None, "") else value
        read[option.name] = text
        if not isinstance(text, str) or len(text) > 2000:
            details.append(Detail(f"options.{option.name}", "type", "expected a text"))
        elif not text and option.required:
            details.append(Detail(f"options.{option.name}", "required", "is required"))
        elif option.choices and text not in option.choices:
            message = f"expected one of {', '.join(option.choices)}"
            details.append(Detail(f"options.{option.name}", "value", message))
    if details:
        raise invalid_input(details)
    return read


def _key_in(present: Sequence[Endpoint], table: str) -> str | None:
    """What the group calls the parameter of `/<table>/{…}` already, so that one address has one name."""
    for endpoint in present:
        template = _template(endpoint.path)
        if template is not None and len(template.segments) == 2:
            first, second = template.segments
            if not first.is_parameter and first.text == table and second.is_parameter:
                return second.text
    return None


def _is_answered(document: Document, present: Sequence[Endpoint]) -> bool:
    template = _template(document["path"])
    others = [_template(endpoint.path) for endpoint in present if endpoint.method == document["method"]]
    return any(template is not None and other is not None and overlaps(template, other) for other in others)


def _free_name(name: str, present: Sequence[Endpoint]) -> str:
    taken = {endpoint.name for endpoint in present}
    numbered = (f"{name}_{number}" for number in count(2))
    return name if name not in taken else next(free for free in numbered if free not in taken)


def _template(path: str) -> Template | None:
    return parse_template(path, Faults())


def key_of(table: TableDef) -> str:
    """What a path calls a record's id: `customer_id`, unless a field has that name."""
    name = f"{one_of(table.name)}_id"
    return name if name not in table.fields else f"{one_of(table.name)}_key"


def one_of(table: str) -> str:
    """The name of one record, for names of endpoints and parameters: `customers` → `customer`."""
    for ending, single in (
        ("ies", "y"),
        ("sses", "ss"),
        ("xes", "x"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("ss", "ss"),
    ):
        if table.endswith(ending) and len(table) > len(ending):
            return table.removesuffix(ending) + single
    return table[:-1] if table.endswith("s") and len(table) > 1 else table


def expression(source: str) -> dict[str, str]:
    """`!expr source`, in canonical form."""
    return {"$expr": source}


def line(step: str, result: str | None = None, /, **params: Any) -> dict[str, Any]:
    """A line without an id; a trailing `_` of a parameter's name is dropped, so that `if_` and `in_` can be written."""
    made: dict[str, Any] = {"step": step}
    if result is not None:
        made["as"] = result
    return {**made, "params": {name.rstrip("_"): value for name, value in params.items()}}


def endpoint_document(name: str, method: str, path: str, description: str, **stack: Any) -> Document:
    """An endpoint's document, callable with an API key; `stack` has inputs, lines and response."""
    about = {"name": name, "method": method, "path": path, "description": description, "auth": ["api_key"]}
    return with_ids({"format": 1, **about, "inputs": {}, "lines": [], "response": None, **stack})


def writable_fields(table: TableDef) -> list[FieldDef]:
    """The fields that a caller may set."""
    return [field for field in table.own_fields if field.is_public]


def field_type(field: FieldDef) -> dict[str, Any]:
    """A field's type as an input has it: options that only say the default are left out."""
    if field.is_reference:
        return {"type": "int"}
    options = {
        name: value
        for name, value in field.type.options.items()
        if value is not None and value != field.type.option_spec[name].default
    }
    if field.type.name == "object" and options:
        return {"type": "object", "fields": {key: _nested(spec) for key, spec in options["fields"].items()}}
    if field.type.name == "list" and {"min_items", "max_items"} & set(options):
        sizes = {name: value for name, value in options.items() if name != "of"}
        return {**_long(options.get("of", "json")), "list": True, **sizes}
    return {"type": field.type.name, **options}


def _long(spec: Any) -> dict[str, Any]:
    return {"type": spec} if isinstance(spec, str) else dict(spec)


def _nested(spec: Any) -> dict[str, Any]:
    """A key of an object: what a record may hold as null, a caller may send as null."""
    spec = _long(spec)
    if spec["type"] == "object" and spec.get("fields"):
        spec["fields"] = {key: _nested(inner) for key, inner in spec["fields"].items()}
    return spec if spec.get("required") else {**spec, "nullable": True}


def field_input(field: FieldDef, *, complete: bool) -> dict[str, Any]:
    """A field as an input; `complete` says whether a record is given whole, so that required fields must be there."""
    spec = field_type(field)
    if field.required and field.default is None and complete:
        spec["required"] = True
    if not field.required:
        spec["nullable"] = True
    if field.description:
        spec["description"] = field.description
    return spec
