"""An import as a person asks for it: looked at first, then accepted as a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from stackyard.core.data_source import LIVE
from stackyard.core.errors import Faults, did_you_mean
from stackyard.core.models import Workspace
from stackyard.core.principal import SYSTEM, Principal
from stackyard.runs import dispatch
from stackyard.runs.models import Run
from stackyard.tables import changes
from stackyard.tables.definitions import TableDef
from stackyard.tables.models import Table
from stackyard.tables.schema import fresh_schema

from . import uploads
from .guessing import guessed_fields, matched
from .sniffing import Layout, first_rows, sniff

KIND = "import"
ATTEMPTS = 20
PREVIEW_ROWS = 10
MODES = ("insert", "upsert")


@dataclass(frozen=True)
class Options:
    """How to import a file. `columns` are field names (null: leave that column out), in the order of the file's.

    `mode` `upsert` changes the record whose unique field `key` holds the value, and adds one where there is none.
    """

    file: str
    columns: Sequence[str | None] | None = None
    delimiter: str | None = None
    encoding: str | None = None
    mode: str = "insert"
    key: str | None = None


def look(workspace: Workspace, options: Options, table: str | None = None) -> dict[str, Any]:
    """What a file holds and what an import would do: layout, headers, the first rows, fields to put them in.

    With a table the columns are matched with its fields; without one, fields of a new table are proposed.
    Problem `NOT_FOUND` for a file that is gone, `INVALID_INPUT` for one that is no CSV.
    """
    path = uploads.path_of(workspace.pk, options.file)
    layout = sniff(path, options.encoding, options.delimiter)
    rows = first_rows(path, layout)
    headers, cells = rows[0], rows[1:]
    fields = guessed_fields(headers, cells)
    known = fresh_schema(workspace.pk).table(table) if table else None
    return {
        "file": options.file,
        "bytes": path.stat().st_size,
        "encoding": layout.encoding,
        "delimiter": layout.delimiter,
        "headers": headers,
        "columns": list(fields) if known is None else matched(headers, known),
        "fields": {name: spec for name, spec in fields.items() if name not in ("id", "created_at")},
        "rows": cells[:PREVIEW_ROWS],
    }


def start_import(
    workspace: Workspace,
    options: Options,
    *,
    table: str | None = None,
    new_table: Mapping[str, Any] | None = None,
    principal: Principal = SYSTEM,
    trigger: str = "api",
    data_source: str = LIVE,
) -> Run:
    """Accept the import as a run, into a table that is there or one to make (`{"name", "fields"}`).

    Problem `INVALID_INPUT` with every fault: unknown fields, a header that is there twice, a key that is none.
    """
    path = uploads.path_of(workspace.pk, options.file)
    layout = sniff(path, options.encoding, options.delimiter)
    headers = first_rows(path, layout, 1)[0]
    with transaction.atomic():
        if new_table is not None:
            rows = first_rows(path, layout)
            fields = new_table.get("fields") or guessed_fields(headers, rows[1:])
            fields = {name: spec for name, spec in fields.items() if name not in ("id", "created_at")}
            changes.create_table(
                workspace, new_table["name"], description=new_table.get("description", ""), fields=fields
            )
            table = new_table["name"]
            options = _with_columns(options, headers, rows)
        known = fresh_schema(workspace.pk, data_source).table(table or "")
        columns = options.columns if options.columns is not None else matched(headers, known)
        _check(known, headers, columns, options)
        if options.mode == "insert":
            _check_required(known, columns)
        given = {**asdict(options), "columns": list(columns), "headers": headers, **_layout(layout)}
        return dispatch.start(
            KIND,
            workspace,
            known.id,
            target_name=known.name,
            input=given,
            principal=principal,
            trigger=trigger,
            retry_safe=True,
            max_attempts=ATTEMPTS,
            data_source=data_source,
        )


def _layout(layout: Layout) -> dict[str, Any]:
    return {"encoding": layout.encoding, "delimiter": layout.delimiter, "start": layout.start}


def _with_columns(options: Options, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Options:
    if options.columns is not None:
        return options
    return Options(**{**asdict(options), "columns": list(guessed_fields(headers, rows[1:]))})


def _check(table: TableDef, headers: Sequence[str], columns: Sequence[str | None], options: Options) -> None:
    faults = Faults()
    if len(columns) != len(headers):
        message = f"The file has {len(headers):,} columns, {len(columns):,} are named."
        faults.error(("columns",), "length", message)
    for place, name in enumerate(columns):
        if name is None:
            continue
        if name not in table.fields:
            faults.error(
                ("columns", place), "unknown_field", f"{table.name} has no field {table.unknown(name)}"
            )
        elif name in columns[:place]:
            faults.error(("columns", place), "twice", f"Two columns would go into {name}.")
    if not any(columns):
        hint = ", ".join(table.fields)
        faults.error(("columns",), "required", f"No header names a field of {table.name}: {hint}.")
    if options.mode not in MODES:
        faults.error(("mode",), "value", f"Use insert or upsert.{did_you_mean(options.mode, MODES)}")
    elif (options.key is not None) != (options.mode == "upsert"):
        faults.error(("key",), "required", "An upsert, and nothing else, needs the key that tells a record.")
    elif options.key is not None and options.key not in table.unique_fields:
        known = ", ".join(table.unique_fields)
        faults.error(("key",), "value", f"{options.key} does not tell one record: use one of {known}.")
    elif options.key is not None and options.key not in columns:
        faults.error(("key",), "value", f"No column goes into {options.key}.")
    faults.raise_errors()


def _check_required(table: TableDef, columns: Sequence[str | None]) -> None:
    faults = Faults()
    for field in table.own_fields:
        if field.required and field.default is None and field.name not in columns:
            faults.error(("columns",), "required", f"No column goes into {field.name}, which is required.")
    faults.raise_errors()


def table_of(run: Run) -> Table | None:
    """The table that a run fills, as long as it is there."""
    return Table.objects.filter(pk=run.target_id, hidden_at=None).first()
