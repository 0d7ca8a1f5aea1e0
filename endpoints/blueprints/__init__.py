"""Blueprints: endpoints made at once for a table. What they make are ordinary endpoints that people edit afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from django.db import transaction

from endpoints.models import ApiGroup, Endpoint
from endpoints.publishing import create_endpoint, publish
from stackyard.core.errors import Faults
from stackyard.core.kinds import Kind
from stackyard.stacks.document import with_ids
from stackyard.tables.definitions import FieldDef, TableDef
from stackyard.tables.schema import load_schema

from ..router import Template, overlaps, parse_template

Document = dict[str, Any]


class Blueprint(Kind, family="blueprint"):
    """A way to make endpoints for a table."""

    def documents(self, table: TableDef, key: str | None = None) -> list[Document]:
        """The endpoints' documents in canonical form. `key` is what paths call a record's id."""
        raise NotImplementedError


def apply_blueprint(group: ApiGroup, name: str, table: str, author: Any = None) -> list[Endpoint]:
    """Make and publish a blueprint's endpoints for a table in a group; those made are returned.

    What the group already answers (the same method at the same address) is left as it is, and its name for
    a path parameter is taken over, so that one address has one name in the documentation. Problem
    `INVALID_INPUT` for an unknown blueprint or table; nothing is made then.
    """
    definition = load_schema(group.workspace_id).table(table)
    blueprint = Blueprint.get(name)()
    with transaction.atomic():
        present = list(group.endpoints.all())
        made = []
        for document in blueprint.documents(definition, _key_in(present, definition.name)):
            if _is_answered(document, present):
                continue
            named = {**document, "name": _free_name(document["name"], present)}
            endpoint = create_endpoint(group, named, author)
            publish(endpoint, author, f"Made by the blueprint {name}")
            made.append(endpoint)
    return made


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
