"""Inputs to try a stack with: what they may be, and where they can come from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stackyard.core.data_source import LIVE
from stackyard.core.errors import Detail, Problem, invalid_input
from stackyard.stacks.publishing import Change
from stackyard.tables.definitions import TableDef
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store

from .models import SampleInputs
from .owners import StackOwner
from .samples import sample_of

LAST = ""
"""The name under which the inputs of the last run are kept."""
_MOST = 50
_BYTES = 500_000


def forms(document: Mapping[str, Any], places: Mapping[str, str]) -> list[dict[str, Any]]:
    """The inputs in the order of the document, as a form needs them."""
    inputs = document.get("inputs")
    made = []
    for name, spec in (inputs if isinstance(inputs, dict) else {}).items():
        spec = {"type": spec} if isinstance(spec, str) else spec if isinstance(spec, dict) else {}
        made.append({**spec, "name": name, "place": places.get(name, "body")})
    return made


def saved(owner: StackOwner, user: Any) -> list[dict[str, Any]]:
    """What this person has saved for this stack, by name; the last run's under the name ""."""
    rows = _rows(owner, user).values("name", "inputs", "caller")
    return [dict(row) for row in rows]


def first(owner: StackOwner, document: Mapping[str, Any], samples: list[dict[str, Any]]) -> dict[str, Any]:
    """The inputs to begin with: those of the last run, else examples, defaults and what fits the types."""
    last = next((sample for sample in samples if sample["name"] == LAST), None)
    made: dict[str, Any] = last["inputs"] if last is not None else json.loads(sample_of(document))
    return made


def save(owner: StackOwner, user: Any, name: str, inputs: Mapping[str, Any], caller: str) -> None:
    """Keep inputs under a name, in place of those that had it. Problem `INVALID_INPUT`."""
    wrong = []
    if not isinstance(name, str) or len(name) > 80 or "\0" in name:
        wrong.append(Detail("name", "length", "a name has at most 80 characters"))
    if not isinstance(inputs, dict):
        wrong.append(Detail("inputs", "type", "expected an object with the inputs by name"))
    elif len(json.dumps(inputs)) > _BYTES:
        wrong.append(Detail("inputs", "length", f"sample inputs have at most {_BYTES:,} bytes"))
    if wrong:
        raise invalid_input(wrong)
    rows = _rows(owner, user)
    if rows.count() >= _MOST and not rows.filter(name=name).exists():
        raise Problem("CONFLICT", f"There are {_MOST} samples already; delete one first.")
    kept = _without_secrets(owner.row.draft, json.loads(json.dumps(inputs).replace("\\u0000", "")))
    SampleInputs.objects.update_or_create(
        owner_kind=owner.kind,
        owner_id=owner.row.pk,
        user=user,
        name=name,
        defaults={"inputs": kept, "caller": caller[:120]},
    )


def delete(owner: StackOwner, user: Any, name: str) -> None:
    """Forget saved inputs. Problem `NOT_FOUND`."""
    if not _rows(owner, user).filter(name=name).delete()[0]:
        raise Problem("NOT_FOUND", f'There are no sample inputs "{name}".')


def forget(owner_kind: str, owner_id: int) -> None:
    """Remove everybody's samples of a stack that is gone."""
    SampleInputs.objects.filter(owner_kind=owner_kind, owner_id=owner_id).delete()


def _rows(owner: StackOwner, user: Any) -> Any:
    return SampleInputs.objects.filter(owner_kind=owner.kind, owner_id=owner.row.pk, user=user)


def _without_secrets(document: Mapping[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs without what is marked sensitive, at any depth."""
    specs = document.get("inputs")
    return _left(specs if isinstance(specs, dict) else {}, inputs)


def _left(specs: Mapping[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
    made = {}
    for name, value in inputs.items():
        spec = specs.get(name)
        if isinstance(spec, dict) and spec.get("sensitive"):
            continue
        if isinstance(spec, dict) and isinstance(spec.get("fields"), dict) and isinstance(value, dict):
            value = _left(spec["fields"], value)
        made[name] = value
    return made


# From a record


def from_record(
    owner: StackOwner, document: Mapping[str, Any], table: str, record_id: int, source: str = LIVE
) -> dict[str, Any]:
    """Inputs that a record can fill: by the name of its fields, and its id. Problem `NOT_FOUND`."""
    schema = load_schema(owner.workspace.pk, source)
    known = schema.table(table)
    record = Store(schema).get(known, record_id)
    if record is None:
        raise Problem("NOT_FOUND", f"There is no record of {known.name} with id {record_id}.")
    inputs = document.get("inputs")
    inputs = inputs if isinstance(inputs, dict) else {}
    found = {}
    for name, spec in inputs.items():
        if name in record and name != "id":
            found[name] = record[name]
        elif _means_record(name, spec, known, inputs):
            found[name] = record["id"]
    return found


def _means_record(name: str, spec: Any, table: TableDef, inputs: Mapping[str, Any]) -> bool:
    """Whether an input says which record: `id`, `customer_id` or `customer` for customers, a reference to the table."""
    if isinstance(spec, dict) and spec.get("type") == "reference":
        return spec.get("table") == table.name
    short = name.removesuffix("_id")
    singular = {table.name, table.name.removesuffix("s"), table.name.removesuffix("es")}
    if table.name.endswith("ies"):
        singular.add(f"{table.name[:-3]}y")
    return name == "id" or short in singular or (name.endswith("_id") and len(inputs) == 1)


# Into the document


def with_examples(document: dict[str, Any], inputs: Mapping[str, Any]) -> tuple[dict[str, Any], list[Change]]:
    """The document with these values as the examples of its inputs, and what changed in it."""
    specs = document.get("inputs")
    specs = dict(specs) if isinstance(specs, dict) else {}
    changes = []
    for name, value in inputs.items():
        spec = specs.get(name)
        if spec is None:
            continue
        spec = {"type": spec} if isinstance(spec, str) else dict(spec)
        if spec.get("sensitive") or spec.get("example") == value:
            continue
        changes.append(Change("changed", ("inputs", name, "example"), spec.get("example"), value))
        specs[name] = {**spec, "example": value}
    return {**document, "inputs": specs}, changes
