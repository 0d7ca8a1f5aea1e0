"""The one door to changes of tables: the catalogue, the SQL and the version move together.

Every change is one transaction that ends with a new version, so other processes see it whole or not
at all. Renaming and hiding touch the catalogue only. What is hidden is gone for people at once; the
database drops it later (`dropping`). Another type for a field is a matter of its own: `conversions`.

Called inside `transaction.atomic()` (as `workspace apply` does for several tables at once) a change
joins that transaction. Called outside, PostgreSQL builds indexes concurrently, waits for a table's lock
at most 200 ms at a time, and values are filled in in batches of their own. Source: data.md §2.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from stackyard.core.errors import Faults, Problem
from stackyard.core.models import Workspace
from stackyard.core.principal import SYSTEM, Principal
from stackyard.core.version import bump

from . import ddl
from .alterations import alter, is_live
from .dropping import drop_later
from .field_type import FieldType
from .filling import fill_default, one_for_all
from .indexing import add_unique, build_index, build_later, build_run, cancel_build, is_large
from .models import Field, Index, Table
from .narrowing import ask
from .specs import (
    FieldSpec,
    IndexSpec,
    check_fixed,
    field_spec,
    read_field,
    read_fields,
    read_index,
    read_name,
    unique_index,
)

INDEXES = 16
FIELDS = 500
"""How many fields a table may ever have (hidden ones count: their columns are still there)."""


def create_table(
    workspace: Workspace,
    name: str,
    *,
    description: str = "",
    fields: Mapping[str, Any] | None = None,
    indexes: Sequence[Any] = (),
) -> Table:
    """Create a table with its fields (contract §6: `{"email": {"type": "email", "required": True}}`) and indexes.

    A reference may name any table of the workspace, or this one. Problem `INVALID_INPUT` with every fault.
    """

    def create() -> Table:
        known = _tables(workspace)
        faults = Faults()
        read_name(name, list(known), faults, ("name",), "table")
        specs = read_fields(fields or {}, {**known, name: 0}, faults)
        _check_count(len(specs), faults)
        read = _read_indexes(indexes, {spec.name: spec.type for spec in specs}, faults)
        faults.raise_errors()
        table = Table.objects.create(workspace=workspace, name=name, description=description)
        made = [_make_field(table, spec, position) for position, spec in enumerate(specs)]
        ddl.create_table(table, made)
        for field, spec in zip(made, specs, strict=True):
            if spec.unique:
                add_unique(field)
        for index in read:
            build_index(_make_index(table, index))
        bump(workspace.pk)
        return table

    return alter(workspace.pk, create)


def _tables(workspace: Workspace) -> dict[str, int]:
    return dict(Table.objects.filter(workspace=workspace, hidden_at=None).values_list("name", "pk"))


def _check_count(count: int, faults: Faults) -> None:
    if count > FIELDS:
        faults.error(("fields",), "range", f"A table has at most {FIELDS} fields.")


def _make_field(table: Table, spec: FieldSpec, position: int, **more: Any) -> Field:
    options = dict(spec.options)
    if options.get("table") == 0:
        options["table"] = table.pk
    return Field.objects.create(
        table=table,
        name=spec.name,
        type=spec.type,
        description=spec.description,
        required=spec.required,
        default=spec.default,
        access=spec.access,
        options=options,
        position=position,
        **more,
    )


def _read_indexes(specs: Sequence[Any], types: Mapping[str, str], faults: Faults) -> list[IndexSpec]:
    if len(specs) > INDEXES:
        faults.error(("indexes",), "range", f"A table has at most {INDEXES} indexes.")
    read = [read_index(spec, types, faults, ("indexes", position)) for position, spec in enumerate(specs)]
    return [spec for spec in read if spec is not None]


def _make_index(table: Table, spec: IndexSpec) -> Index:
    ids = dict(table.fields.filter(hidden_at=None).values_list("name", "pk"))
    parts = [{"field": ids.get(name, name), "descending": descending} for name, descending in spec.parts]
    return Index.objects.create(table=table, fields=parts, unique=spec.unique)


def edit_table(table: Table, *, description: str) -> Table:
    """Change what a table says about itself."""

    def edit() -> Table:
        table.description = description
        table.save(update_fields=["description"])
        bump(table.workspace_id)
        return table

    return alter(table.workspace_id, edit)


def rename_table(table: Table, name: str) -> Table:
    """Give a table another name: no SQL, for its physical name is its id."""

    def rename() -> Table:
        faults = Faults()
        others = [other for other in _tables(table.workspace) if other != table.name]
        read_name(name, others, faults, ("name",), "table")
        faults.raise_errors()
        before, table.name = table.name, name
        table.save(update_fields=["name"])
        bump(table.workspace_id)
        ask(table.workspace_id, before)
        return table

    return alter(table.workspace_id, rename)


def hide_table(table: Table) -> None:
    """Take a table away from people. Problem `CONFLICT` while a field of another table refers to it."""

    def hide() -> None:
        references = Field.objects.filter(
            type="reference", hidden_at=None, table__hidden_at=None, table__workspace=table.workspace_id
        ).exclude(table=table)
        names = [
            f"{field.table.name}.{field.name}"
            for field in references.select_related("table")
            if field.options.get("table") == table.pk
        ]
        if names:
            raise Problem(
                "CONFLICT",
                f"{', '.join(sorted(names))} refers to {table.name}.",
                suggestion="Hide the field that refers to it first.",
            )
        table.hidden_at = timezone.now()
        table.save(update_fields=["hidden_at"])
        bump(table.workspace_id)
        ask(table.workspace_id, table.name)
        drop_later(table)

    alter(table.workspace_id, hide)


def add_field(table: Table, name: str, spec: Any) -> Field:
    """Add a field to a live table; existing records get its default where it is required.

    Problem `INVALID_INPUT` with every fault, also when a required field without a default meets records.
    """
    field = alter(table.workspace_id, lambda: _begin_field(table, name, spec))
    if field.type == "reference":
        if is_large(table):
            build_later(table, None, field)
        else:
            ddl.build(ddl.reference_index(table, field), concurrently=is_live())
    needs_own_values = field.required and field.default is not None and one_for_all(field) is None
    if needs_own_values:
        fill_default(field)
    if not isinstance(spec, str) and spec.get("unique") is True:
        add_unique(field)
    alter(table.workspace_id, lambda: _show_field(field))
    if needs_own_values and not connection.in_atomic_block:
        # What was written meanwhile by those who did not know the field yet.
        fill_default(field)
    return field


def read_new(table: Table, name: str, spec: Any, faults: Faults) -> FieldSpec | None:
    """A field to add, read against the table as it is; None when it has faults of its own. Nothing is changed."""
    others = list(table.fields.filter(hidden_at=None).values_list("name", flat=True))
    read_name(name, others, faults, ("name",), "field")
    made = read_field(name, spec, _tables(table.workspace), faults, ())
    _check_count(table.fields.count() + 1, faults)
    return made


def _begin_field(table: Table, name: str, spec: Any) -> Field:
    """The column and its field, hidden until both are filled and indexed."""
    faults = Faults()
    made = read_new(table, name, spec, faults)
    if made is not None:
        _check_filled(table, made, faults)
    faults.raise_errors()
    assert made is not None
    last = table.fields.order_by("-position").values_list("position", flat=True).first()
    field = _make_field(table, made, 0 if last is None else last + 1, hidden_at=timezone.now())
    is_filled = field.required and field.default is not None
    ddl.add_column(table, field, one_for_all(field) if is_filled else None)
    return field


def _check_filled(table: Table, spec: FieldSpec, faults: Faults) -> None:
    if not spec.required or not ddl.has_rows(table):
        return
    words = FieldType.get(spec.type).default_words
    if spec.default is None:
        faults.error(
            ("default",), "required", "The table has records: a required field needs a default for them."
        )
    elif spec.unique and spec.default not in words:
        faults.error(
            ("unique",), "value", "The table has records: they can't all hold the same unique default."
        )


def _show_field(field: Field) -> None:
    field.hidden_at = None
    field.save(update_fields=["hidden_at"])
    bump(field.table.workspace_id)
    if field.required and field.default is None:
        ask(field.table.workspace_id, field.table.name)


def rename_field(field: Field, name: str) -> Field:
    """Give a field another name: no SQL, for its column is its id."""

    def rename() -> Field:
        faults = Faults()
        others = field.table.fields.filter(hidden_at=None).exclude(pk=field.pk)
        read_name(name, list(others.values_list("name", flat=True)), faults, ("name",), "field")
        faults.raise_errors()
        before, field.name = field.name, name
        field.save(update_fields=["name"])
        bump(field.table.workspace_id)
        ask(field.table.workspace_id, before)
        return field

    return alter(field.table.workspace_id, rename)


def hide_field(field: Field) -> None:
    """Take a field away from people, and the indexes it is part of; its values stay in the database."""

    def hide() -> None:
        field.hidden_at = timezone.now()
        field.save(update_fields=["hidden_at"])
        bump(field.table.workspace_id)
        ask(field.table.workspace_id, field.name)
        drop_later(field.table, field)

    alter(field.table.workspace_id, hide)
    for index in field.table.indexes.filter(hidden_at=None):
        if any(part["field"] == field.pk for part in index.fields):
            hide_index(index)


def edit_field(field: Field, **changes: Any) -> Field:
    """Change a field's rules: `required`, `unique`, `default`, `access`, `description`, `position` or its type's options.

    Records already there are not checked again, but a field that becomes required is filled with its default.
    Problem `INVALID_INPUT` for a change of type, or of an option that the stored values depend on.
    """
    position = changes.pop("position", field.position)
    was_unique = unique_index(field)
    made = alter(field.table.workspace_id, lambda: read_edit(field, changes))
    if made.required and not field.required:
        _fill_for_required(field, made)
    added = add_unique(field) if made.unique and was_unique is None else None
    try:
        saved = alter(field.table.workspace_id, lambda: _save_changes(field, made, position))
    except Problem:
        if added is not None:
            hide_index(added)
        raise
    if was_unique is not None and not made.unique:
        hide_index(was_unique)
    return saved


def _save_changes(field: Field, made: FieldSpec, position: int) -> Field:
    for name in ("required", "default", "access", "description", "options"):
        setattr(field, name, getattr(made, name))
    field.position = position
    field.save()
    bump(field.table.workspace_id)
    ask(field.table.workspace_id, field.name)
    return field


def read_edit(field: Field, changes: Mapping[str, Any]) -> FieldSpec:
    """The field as `edit_field` would leave it. Problem `INVALID_INPUT` with every fault; nothing is changed."""
    before = field_spec(field)
    old = {"type": before} if isinstance(before, str) else before
    new = {key: value for key, value in {**old, **changes}.items() if value is not None}
    faults = Faults()
    made = read_field(field.name, new, _tables(field.table.workspace), faults, ())
    if made is not None:
        check_fixed(old, new, faults)
    faults.raise_errors()
    assert made is not None
    return made


def _fill_for_required(field: Field, spec: FieldSpec) -> None:
    empty = ddl.count_nulls(field.table, field)
    if empty and spec.default is None:
        faults = Faults()
        faults.error(
            ("required",), "required", f"{empty:,} records hold nothing here: give a default for them."
        )
        faults.raise_errors()
    if empty:
        field.default = spec.default
        fill_default(field)


def add_index(
    table: Table,
    fields: Sequence[str],
    unique: bool = False,
    *,
    principal: Principal = SYSTEM,
    trigger: str = "api",
) -> Index:
    """Build an index over fields (`-name`: descending) on a live table.

    On a small table it is built when this returns; on a large one by the run `run_id`, and until that has ended nothing
    reads it. Problem `CONFLICT` (the run's error) that shows up to five values which are there twice, when it is to be unique.
    """
    live = is_live()

    def begin() -> Index:
        faults = Faults()
        types = dict(table.fields.filter(hidden_at=None).values_list("name", "type"))
        made = read_index({"fields": list(fields), "unique": unique}, types, faults, ())
        if table.indexes.filter(hidden_at=None).count() >= INDEXES:
            faults.error(("indexes",), "range", f"A table has at most {INDEXES} indexes.")
        faults.raise_errors()
        assert made is not None
        index = _make_index(table, made)
        if is_large(table):
            build_later(table, index, principal=principal, trigger=trigger)
        elif not live:
            build_index(index)
        bump(table.workspace_id)
        return index

    index = alter(table.workspace_id, begin)
    if live and index.run_id is None:
        build_index(index)
        alter(table.workspace_id, lambda: bump(table.workspace_id))
    return index


def hide_index(index: Index) -> None:
    """Drop an index: unlike tables and fields it holds nothing of its own. One that is being built is so no longer."""

    def hide() -> None:
        if cancel_build(index):
            bump(index.table.workspace_id)
            return
        if not is_concurrent:
            ddl.drop(ddl.index_plan(index))
        index.hidden_at = timezone.now()
        index.save(update_fields=["hidden_at"])
        bump(index.table.workspace_id)

    is_concurrent = is_live()
    if is_concurrent and build_run(index) is None:
        ddl.drop(ddl.index_plan(index), concurrently=True)
    alter(index.table.workspace_id, hide)
