"""What the visual editor is told about a stack: its state, what the check finds, names in sight, what it may name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from auth.methods import AuthMethod
from endpoints.checking import LIMITS
from endpoints.models import METHODS
from lambdas.models import Lambda
from stackyard.core import types as t
from stackyard.core.expressions.pieces import pieces_of
from stackyard.core.expressions.scope import Binding
from stackyard.stacks.catalogue import load_catalogue
from stackyard.stacks.fixes import fixes_of
from stackyard.stacks.values import sources_in
from stackyard.tables.field_type import FieldType
from stackyard.tables.schema import FieldDef, Schema

from . import sketches
from .owners import StackOwner

MAX_EXPRESSIONS = 5_000


def named(person: Any) -> str:
    """Who somebody is to others; empty for nobody."""
    return str(person) if person is not None else ""


def workspace_address(owner: StackOwner) -> dict[str, Any]:
    """The workspace a stack belongs to."""
    return {"id": owner.workspace.pk, "name": owner.workspace.name}


def state_of(owner: StackOwner) -> dict[str, Any]:
    """The draft's version, who saved it when, and what is live."""
    row = owner.row
    sketch = sketches.sketch_of(owner)
    return {
        "version": sketches.digest_of(row.draft),
        "saved_at": row.updated_at,
        "saved_by": named(sketch.author) if sketch is not None else "",
        "has_changes": row.has_changes,
        "live": row.published.number if row.published else None,
    }


def checked(owner: StackOwner, document: dict[str, Any]) -> dict[str, Any]:
    """What the check finds: `problems` with their fixes, and the names in sight at each line."""
    found = owner.look(document)
    return {
        "problems": [{**fault.as_dict(), "fixes": fixes_of(document, fault)} for fault in found.faults],
        **_scopes(found.scopes),
    }


def _scopes(scopes: Mapping[str, Mapping[str, Binding]]) -> dict[str, Any]:
    """Names in sight, each scope as what changes from the one before.

    `{"types": […], "names": [[name, type, line or null, may be unset]], "scopes": [[line, [name's index], [gone]]]}`:
    a stack of 200 lines with 100 variables would be 20,000 entries when written out.
    """
    types: dict[str, int] = {}
    names: dict[tuple[Any, ...], int] = {}
    made = []
    before: dict[str, int] = {}
    for line_id, bindings in scopes.items():
        here: dict[str, int] = {}
        for name, binding in bindings.items():
            spelled = json.dumps(t.as_value(binding.type), ensure_ascii=False)
            number = types.setdefault(spelled, len(types))
            entry = (name, number, binding.line, binding.may_be_unset)
            here[name] = names.setdefault(entry, len(names))
        changed = [index for name, index in here.items() if before.get(name) != index]
        made.append([line_id, changed, [name for name in before if name not in here]])
        before = here
    return {
        "types": [json.loads(spelled) for spelled in types],
        "names": [list(entry) for entry in names],
        "scopes": made,
    }


def expressions_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Every expression of a document in its pieces, by its text."""
    made: dict[str, Any] = {}
    for source in sources_in([document.get("lines"), document.get("response")]):
        if source not in made:
            if len(made) >= MAX_EXPRESSIONS:
                break
            made[source] = pieces_of(source)
    return made


def catalogue_of(owner: StackOwner) -> dict[str, Any]:
    """What a stack of this workspace may name, and what its settings may say."""
    known = load_catalogue(owner.workspace)
    made: dict[str, Any] = {
        "tables": _tables(known.schema),
        "functions": {name: {"inputs": known.functions[name].inputs} for name in sorted(known.functions)},
        "lambdas": sorted(
            Lambda.objects.filter(workspace=owner.workspace, published__isnull=False).values_list(
                "name", flat=True
            )
        ),
        "variables": dict(sorted(known.variables.items())),
        "input_types": [_input_type(kind) for kind in FieldType.all().values()],
    }
    if owner.kind == "endpoint":
        made["methods"] = list(METHODS)
        made["auth"] = [
            [name, gettext(kind.label or name), gettext(kind.description())]
            for name, kind in AuthMethod.all().items()
        ]
        made["limits"] = {
            name: {
                "default": limit.default,
                "maximum": limit.maximum,
                "unit": limit.unit,
                "label": limit.meaning,
            }
            for name, limit in LIMITS.items()
        }
    return made


def _tables(schema: Schema) -> dict[str, Any]:
    names = {table.id: name for name, table in schema.tables.items()}
    made = {}
    for name, table in sorted(schema.tables.items()):
        fields = [_field(field) for field in table.fields.values()]
        for facts, field in zip(fields, table.fields.values(), strict=True):
            if field.is_reference and field.target in names:
                facts["refers_to"] = names[field.target]
        made[name] = {"description": table.description, "fields": fields}
    return made


def _field(field: FieldDef) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": field.name,
        "type": field.type.name,
        "value": t.as_value(field.value_type),
        "operators": sorted(field.type.operators),
    }
    for key, is_so in (
        ("required", field.required and not field.is_system),
        ("unique", field.unique),
        ("system", field.is_system),
        ("private", not field.is_public),
    ):
        if is_so:
            made[key] = True
    if field.default is not None:
        made["default"] = field.default
    return made


def _input_type(kind: type[FieldType]) -> dict[str, Any]:
    options = {
        name: {"kind": option.kind, "help": gettext(option.help), "choices": list(option.choices)}
        for name, option in kind.option_spec.items()
    }
    return {
        "name": kind.name,
        "label": gettext(kind.label),
        "help": gettext(kind.description()),
        "options": options,
    }
