"""tables/*.yaml: a table with its fields and indexes.

Fields and indexes that a file lacks stay unless pruned. Order counts: fields are kept in the order of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from django.db.models import Q

from stackyard.core.errors import Faults, Problem
from stackyard.core.files import Change, DocumentFiles, SourceFile, Walk
from stackyard.core.models import Workspace
from stackyard.runs import states
from stackyard.runs.models import Run
from stackyard.runs.progress import progress_text
from stackyard.runs.waiting import finish_here

from . import changes as tables
from .conversions.starting import retype
from .conversions.switching import KIND
from .field_type import FieldType
from .files_records import RecordFiles
from .indexing import KIND as INDEX_KIND
from .models import Conversion, Field, Index, Table
from .narrowing import asked_later
from .specs import FieldSpec, check_fixed, field_spec, index_spec, read_fields, read_index, read_name

__all__ = ["RecordFiles", "TableFiles"]

Spec = dict[str, Any]


class TableFiles(DocumentFiles):
    """Tables: fields and indexes."""

    name = "table"
    label = "Tables"
    order = 10
    pattern = "tables/*.yaml"
    what = "A table"
    keys: ClassVar[Sequence[str]] = ("name", "description", "fields", "indexes")
    renames = True

    def __init__(self) -> None:
        # Ids by name as they will be: those of tables that the files make are made up, below zero.
        self._ids: dict[str, int] = {}

    def published(self, workspace: Workspace) -> Mapping[str, Any]:
        rows = workspace.tables.filter(hidden_at=None).prefetch_related("fields", "indexes")
        names = {row.pk: row.name for row in rows}
        return {f"tables/{row.name}.yaml": _state_of(row, names) for row in rows}

    def spell(self, state: Any) -> dict[str, Any]:
        spelled: dict[str, Any] = {"name": state["name"]}
        if state["description"]:
            spelled["description"] = state["description"]
        spelled["fields"] = {name: _short(spec) for name, spec in state["fields"].items()}
        if state["indexes"]:
            spelled["indexes"] = state["indexes"]
        return spelled

    def plan(self, walk: Walk) -> list[Change]:
        self._ids = self._ids_after(walk)
        return super().plan(walk)

    def _ids_after(self, walk: Walk) -> dict[str, int]:
        present = dict(_visible(walk.workspace).values_list("name", "pk")) if walk.workspace else {}
        sources = {source.stem: source for source in self.sources(walk)}
        kept = {name: pk for name, pk in present.items() if name in sources or not walk.prune}
        for number, (name, source) in enumerate(sources.items(), start=1):
            data = source.map() or {}
            old = data.get("was")
            if name not in kept:
                is_rename = isinstance(old, str) and old in present and old not in sources
                kept[name] = present[old] if is_rename and isinstance(old, str) else -number
                if is_rename and isinstance(old, str):
                    kept.pop(old, None)
        return kept

    def read(self, walk: Walk, source: SourceFile, data: dict[str, Any], before: Any) -> Any:
        faults = Faults()
        if before is None or before["name"] != data["name"]:
            others = [name for name in self._ids if name != data["name"]]
            read_name(data["name"], others, faults, ("name",), "table")
        description = source.text(data, "description")
        written = data.get("fields")
        written = {} if written is None else written
        if not isinstance(written, dict):
            faults.error(("fields",), "type", "The fields are a map of names to types, such as name: text.")
            written = {}
        renamed = _renamed(written, before, faults)
        bare = {name: _without_was(spec) for name, spec in written.items()}
        specs = read_fields(bare, self._ids, faults)
        names = {pk: name for name, pk in self._ids.items()}
        wanted = {
            "name": data["name"],
            "description": description,
            "fields": {spec.name: _written(spec, names) for spec in specs},
            "renamed": renamed,
        }
        wanted["indexes"] = _read_indexes(data.get("indexes"), specs, wanted["fields"], faults)
        for fault in faults.found:
            source.fault(fault.path, fault.message, code=fault.code)
        # With faults, what could be read is tried all the same, for the faults of other files; nothing stays.
        return wanted

    def lacking(self, wanted: Any, before: Any) -> list[str]:
        old = _with_new_names(before, wanted["renamed"])
        fields = [f"field {name}" for name in old["fields"] if name not in wanted["fields"]]
        indexes = [
            f"index {', '.join(spec['fields'])}" for spec in old["indexes"] if spec not in wanted["indexes"]
        ]
        return [*fields, *indexes]

    def keeping(self, wanted: Any, before: Any) -> Any:
        old = _with_new_names(before, wanted["renamed"])
        indexes = [*wanted["indexes"], *(spec for spec in old["indexes"] if spec not in wanted["indexes"])]
        fields = _merged(wanted["fields"], old["fields"])
        return {**wanted, "fields": fields, "indexes": sorted(indexes, key=_index_order)}

    def carry_out(self, walk: Walk, changes: Sequence[Change]) -> None:
        pending = [change for change in changes if change.changes_something]
        for change in pending:
            if change.was is not None:
                old = change.was.removeprefix("tables/").removesuffix(".yaml")
                table = _visible(walk.target).get(name=old)
                walk.attempt(change.file, tables.rename_table, table, change.stem, path=("name",))
        # Every table first and references after, since tables may refer to each other.
        for change in pending:
            if not _visible(walk.target).filter(name=change.stem).exists():
                walk.attempt(change.file, _create, walk.target, change.wanted)
        for change in pending:
            table = _visible(walk.target).filter(name=change.stem).first()
            if table is not None:
                _update(walk, change, table)

    def follow_up(self, workspace: Workspace, say: Callable[[str], None]) -> bool:
        ours = Q(kind=KIND, trigger="apply") | Q(kind=INDEX_KIND)
        found = Run.objects.filter(ours, workspace=workspace, state__in=states.UNFINISHED)
        runs = list(found.order_by("pk"))
        for run in runs:
            is_index = run.kind == INDEX_KIND
            to = "" if is_index else f" to {run.input['to']}"
            say(f"{'Indexing' if is_index else 'Converting'} {run.target_name}{to}.")
            ended = finish_here(run, lambda far: say(progress_text(far)))
            if ended.state != states.SUCCEEDED:
                what = "index" if is_index else "conversion of"
                message = (ended.error or {}).get("message", "")
                raise Problem("CONFLICT", f"The {what} {run.target_name} {ended.state}: {message}")
        return bool(runs)

    def around(self) -> AbstractContextManager[None]:
        # Stacks that use what changes are changed in the same apply, and all are checked at its end.
        return asked_later()

    def remove(self, walk: Walk, changes: Sequence[Change]) -> None:
        gone = list(_visible(walk.target).filter(name__in=[change.stem for change in changes]))
        for table in gone:
            for field in table.fields.filter(hidden_at=None, type="reference"):
                tables.hide_field(field)
        for table in gone:
            tables.hide_table(table)


def _visible(workspace: Workspace) -> Any:
    return Table.objects.filter(workspace=workspace, hidden_at=None)


def _state_of(table: Table, names: Mapping[int, str]) -> dict[str, Any]:
    fields = [field for field in table.fields.all() if field.hidden_at is None]
    indexes = [index for index in table.indexes.all() if index.hidden_at is None]
    unique = {index.fields[0]["field"] for index in indexes if _is_of_one_field(index)}
    field_names = {field.pk: field.name for field in fields}
    return {
        "name": table.name,
        "description": table.description,
        "fields": {field.name: _long(field, field.pk in unique, names) for field in fields},
        "indexes": sorted(
            (_index_state(index, field_names) for index in indexes if not _is_of_one_field(index)),
            key=_index_order,
        ),
        "renamed": {},
    }


def _is_of_one_field(index: Index) -> bool:
    """Whether an index is what `unique: true` of a field means."""
    return index.unique and len(index.fields) == 1 and isinstance(index.fields[0]["field"], int)


def _index_state(index: Index, names: Mapping[Any, str]) -> Spec:
    parts = [("-" if p["descending"] else "") + names.get(p["field"], str(p["field"])) for p in index.fields]
    return {"fields": parts, "unique": True} if index.unique else {"fields": parts}


def _index_order(spec: Spec) -> tuple[list[str], bool]:
    return spec["fields"], spec.get("unique", False)


def _long(field: Field, unique: bool, names: Mapping[int, str]) -> Spec:
    spec = FieldSpec(
        field.name,
        field.type,
        field.options,
        field.required,
        unique,
        field.default,
        field.access,
        field.description,
    )
    return _written(spec, names)


def _written(spec: FieldSpec, names: Mapping[int, str]) -> Spec:
    """A field that was read, as a map in the one order of the export."""
    kind = FieldType.get(spec.type)
    written: Spec = {"type": spec.type}
    for key, option in kind.option_spec.items():
        value = spec.options.get(key)
        if value is not None and value != option.default:
            written[key] = names.get(value, "") if option.kind == "table" else value
    rest = {
        "required": spec.required or None,
        "unique": spec.unique or None,
        "default": spec.default,
        "access": spec.access if spec.access != "public" else None,
        "description": spec.description or None,
    }
    return {**written, **{key: value for key, value in rest.items() if value is not None}}


def _short(spec: Any) -> Any:
    """A type in its short form where it has no options, those inside it too."""
    if not isinstance(spec, dict):
        return spec
    options = FieldType.get(spec["type"]).option_spec
    written = {}
    for key, value in spec.items():
        kind = options[key].kind if key in options else ""
        if kind == "type":
            value = _short(value)
        elif kind == "fields":
            value = {name: _short(inner) for name, inner in value.items()}
        written[key] = value
    return written["type"] if len(written) == 1 else written


def _without_was(spec: Any) -> Any:
    return {key: value for key, value in spec.items() if key != "was"} if isinstance(spec, dict) else spec


def _renamed(fields: Mapping[str, Any], before: Any, faults: Faults) -> dict[str, str]:
    """New names to old ones, of the fields that `was` renames now (not those it renamed at another time)."""
    present = before["fields"] if before is not None else {}
    renamed: dict[str, str] = {}
    for name, spec in fields.items():
        old = spec.get("was") if isinstance(spec, dict) else None
        if old is None or name in present:
            continue
        if not isinstance(old, str):
            faults.error(("fields", name, "was"), "type", "`was` is the old name, as text.")
        elif old in present and (old in fields or old in renamed.values()):
            message = f'"{old}" is there too: it can\'t be renamed and kept at once.'
            faults.error(("fields", name, "was"), "rename", message)
        elif old in present:
            renamed[name] = old
    return renamed


def _read_indexes(
    written: Any, specs: Iterable[FieldSpec], fields: dict[str, Spec], faults: Faults
) -> list[Spec]:
    """The indexes; one that only makes a single field unique is the field's `unique` instead."""
    if written is not None and not isinstance(written, list):
        faults.error(("indexes",), "type", "The indexes are a list, such as - {fields: [name]}.")
    found: list[Spec] = []
    types = {spec.name: spec.type for spec in specs}
    for number, entry in enumerate(written if isinstance(written, list) else ()):
        read = read_index(entry, types, faults, ("indexes", number))
        if read is None:
            continue
        if read.unique and len(read.parts) == 1 and read.parts[0][0] in fields:
            name = read.parts[0][0]
            fields[name] = _written_unique(fields[name])
            continue
        parts = ["-" * descending + name for name, descending in read.parts]
        spec: Spec = {"fields": parts, "unique": True} if read.unique else {"fields": parts}
        if spec in found:
            faults.error(("indexes", number), "twice", "The index is there twice.")
        else:
            found.append(spec)
    return sorted(found, key=_index_order)


def _written_unique(spec: Spec) -> Spec:
    """The map with `unique`, in its place."""
    last = ("default", "access", "description")
    first = {key: value for key, value in spec.items() if key not in (*last, "unique")}
    return {**first, "unique": True, **{key: spec[key] for key in last if key in spec}}


def _with_new_names(before: Any, renamed: Mapping[str, str]) -> dict[str, Any]:
    new = {old: name for name, old in renamed.items()}

    def named(part: str) -> str:
        name = part.removeprefix("-")
        return part[: len(part) - len(name)] + new.get(name, name)

    return {
        "fields": {new.get(name, name): spec for name, spec in before["fields"].items()},
        "indexes": [{**spec, "fields": list(map(named, spec["fields"]))} for spec in before["indexes"]],
    }


def _merged(wanted: Mapping[str, Spec], old: Mapping[str, Spec]) -> dict[str, Spec]:
    """The wanted fields with the others put back behind the field that each stood behind."""
    order = list(wanted)
    previous: str | None = None
    for name in old:
        if name not in wanted:
            order.insert(order.index(previous) + 1 if previous is not None else 0, name)
        previous = name
    return {name: wanted[name] if name in wanted else old[name] for name in order}


def _create(workspace: Workspace, wanted: Any) -> None:
    plain = {name: spec for name, spec in wanted["fields"].items() if spec["type"] != "reference"}
    tables.create_table(workspace, wanted["name"], description=wanted["description"], fields=plain)


def _update(walk: Walk, change: Change, table: Table) -> None:
    source, wanted = change.file, change.wanted
    if table.description != wanted["description"]:
        walk.attempt(source, tables.edit_table, table, description=wanted["description"])
    for name, old in wanted["renamed"].items():
        field = table.fields.get(name=old, hidden_at=None)
        walk.attempt(source, tables.rename_field, field, name, path=("fields", name))
    for name, spec in wanted["fields"].items():
        walk.attempt(source, _put_field, table, name, spec, path=("fields", name))
    _order_fields(table, list(wanted["fields"]))
    present = [index_spec(index) for index in table.indexes.filter(hidden_at=None)]
    for spec in wanted["indexes"]:
        if spec not in present:
            unique = spec.get("unique", False)
            walk.attempt(source, tables.add_index, table, spec["fields"], unique, path=("indexes",))
    if walk.prune:
        _prune(table, wanted)


def _put_field(table: Table, name: str, spec: Spec) -> None:
    field = table.fields.filter(name=name, hidden_at=None).first()
    if field is None:
        tables.add_field(table, name, spec)
        return
    written = field_spec(field)
    present = {"type": written} if isinstance(written, str) else written
    changed = {key: spec.get(key) for key in {**present, **spec} if present.get(key) != spec.get(key)}
    if not changed or _is_under_way(field, spec):
        return
    faults = Faults()
    check_fixed(present, spec, faults)
    if not faults.found:
        tables.edit_field(field, **changed)
        return
    # The values stored would not survive: the field is converted, on a large table by a run that follows.
    options = {key: spec.get(key) for key in FieldType.get(spec["type"]).option_spec}
    wanted = {"type": spec["type"], "default": spec.get("default"), **options}
    if retype(field, wanted, trigger="apply") is None:
        _put_field(table, name, spec)


def _is_under_way(field: Field, spec: Spec) -> bool:
    """Whether a run is giving the field this type already."""
    under_way = field.conversions.filter(state=Conversion.CONVERTING).first()
    return under_way is not None and under_way.wanted["type"] == spec["type"]


def _order_fields(table: Table, names: Sequence[str]) -> None:
    for field in table.fields.filter(hidden_at=None, name__in=names):
        position = names.index(field.name)
        if field.position != position:
            field.position = position
            field.save(update_fields=["position"])


def _prune(table: Table, wanted: Any) -> None:
    for field in table.fields.filter(hidden_at=None).exclude(name__in=wanted["fields"]):
        tables.hide_field(field)
    for index in table.indexes.filter(hidden_at=None):
        if not _is_of_one_field(index) and index_spec(index) not in wanted["indexes"]:
            tables.hide_index(index)
