"""manage.py table import|export|index: records of one table as CSV (docs/import-export.md), and its indexes."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stackyard.core.data_source import LIVE, read_source
from stackyard.core.errors import Detail, Problem
from stackyard.core.files import find_workspace
from stackyard.core.management.problem_command import ProblemCommand
from stackyard.core.models import Workspace
from stackyard.runs import states
from stackyard.runs.models import Run
from stackyard.runs.progress import progress_text
from stackyard.runs.waiting import finish_here
from stackyard.tables import changes
from stackyard.tables.export import export_csv
from stackyard.tables.imports import uploads
from stackyard.tables.imports.plan import Options, look, start_import
from stackyard.tables.indexing import index_names
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store


class Command(ProblemCommand):
    """Import a CSV file into a table, export a table as CSV, or see to its indexes."""

    help = "Imports a CSV file into a table, exports a table as CSV, lists, builds and drops its indexes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Three deeds, each with its own arguments."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        index = deeds.add_parser("index", help="List the indexes; build or drop one.")
        index.add_argument("table", metavar="WORKSPACE/TABLE")
        index.add_argument("--add", metavar="FIELD,-FIELD", help="Build one; - sorts that field downwards.")
        index.add_argument("--unique", action="store_true", help="It refuses doubles.")
        index.add_argument("--drop", metavar="ID", type=int, help="Drop one, or stop building it.")
        load = deeds.add_parser(
            "import", help="Import a CSV file; shows its progress and ends with a summary."
        )
        load.add_argument("table", metavar="WORKSPACE/TABLE")
        load.add_argument("file")
        load.add_argument("--new", action="store_true", help="Make the table, with the types that are found.")
        load.add_argument(
            "--look", action="store_true", help="Show what would be imported, and import nothing."
        )
        load.add_argument(
            "--map", action="append", default=[], metavar="HEADER=FIELD", help="Empty: left out."
        )
        load.add_argument(
            "--upsert", metavar="FIELD", help="Change the records with the same value of this field."
        )
        load.add_argument("--delimiter")
        load.add_argument("--encoding")
        load.add_argument("--rejects", metavar="FILE", help="Where to write the rows that were refused.")
        dump = deeds.add_parser("export", help="Write a table as CSV to a file, or to stdout.")
        dump.add_argument("table", metavar="WORKSPACE/TABLE")
        dump.add_argument("file", nargs="?")
        dump.add_argument("--private", action="store_true", help="Private and internal fields too.")
        dump.add_argument(
            "--guard", action="store_true", help="Keep spreadsheets from running texts as formulas."
        )
        for parser in (load, dump):
            parser.add_argument("--data-source", default=LIVE, metavar="live|test")

    def act(self, options: dict[str, Any]) -> None:
        """Do the deed that was asked for."""
        name, _, table = options["table"].partition("/")
        if not table:
            raise Problem("INVALID_INPUT", "Say which table: WORKSPACE/TABLE.")
        workspace = find_workspace(name)
        getattr(self, f"_{options['deed']}")(workspace, table, options)

    def _index(self, workspace: Workspace, name: str, options: dict[str, Any]) -> None:
        table = workspace.tables.filter(name=name, hidden_at=None).first()
        if table is None:
            raise Problem("NOT_FOUND", f'There is no table "{name}".')
        visible = table.indexes.filter(hidden_at=None)
        if options["drop"] is not None:
            found = visible.filter(pk=options["drop"]).first()
            if found is None:
                raise Problem("NOT_FOUND", f"{name} has no index {options['drop']}.")
            changes.hide_index(found)
        elif options["add"]:
            fields = options["add"].split(",")
            index = changes.add_index(table, fields, options["unique"], trigger="command")
            if index.run_id is not None:
                self._check_ended("index", finish_here(Run.objects.get(pk=index.run_id), self._show))
            self.stdout.write(f"{', '.join(fields)}: built.")
        else:
            for index in visible:
                state = "built" if index.built_at else "being built"
                unique = "  unique" if index.unique else ""
                self.stdout.write(f"{index.pk}  {', '.join(index_names(index))}{unique}  {state}")

    def _export(self, workspace: Workspace, name: str, options: dict[str, Any]) -> None:
        schema = load_schema(workspace.pk, read_source(options["data_source"]))
        flags = {flag: options[flag] for flag in ("private", "guard")}
        lines = export_csv(Store(schema), schema.table(name), **flags)
        if options["file"] is None:
            self.stdout.writelines(line.decode() for line in lines)
            return
        _write(Path(options["file"]), lines)

    def _import(self, workspace: Workspace, name: str, options: dict[str, Any]) -> None:
        path = Path(options["file"])
        if not path.is_file():
            raise Problem("NOT_FOUND", f"There is no file {path}.")
        file = uploads.keep_file(workspace.pk, path)
        try:
            asked = self._asked(workspace, name, file, options)
            if options["look"]:
                return
            new_table = {"name": name} if options["new"] else None
            run = start_import(
                workspace,
                asked,
                table=None if new_table else name,
                new_table=new_table,
                trigger="command",
                data_source=read_source(options["data_source"]),
            )
        except BaseException:
            uploads.forget(workspace.pk, file)
            raise
        finally:
            if options["look"]:
                uploads.forget(workspace.pk, file)
        run = finish_here(run, self._show)
        self._end(workspace, run, options)

    def _asked(self, workspace: Workspace, name: str, file: str, options: dict[str, Any]) -> Options:
        layout = {key: options[key] for key in ("delimiter", "encoding")}
        seen = look(workspace, Options(file, **layout), None if options["new"] else name)
        columns = _mapped(seen["headers"], seen["columns"], options["map"])
        if options["look"]:
            self.stdout.write(json.dumps({**seen, "columns": columns, "file": options["file"]}, indent=2))
        key = options["upsert"]
        return Options(file, columns=columns, mode="upsert" if key else "insert", key=key, **layout)

    def _show(self, far: dict[str, Any]) -> None:
        print(progress_text(far), file=sys.stderr, flush=True)

    def _check_ended(self, what: str, run: Run) -> None:
        if run.state == states.SUCCEEDED:
            return
        error = run.error or {}
        details = [Detail(**detail) for detail in error.get("details") or ()]
        message = f"The {what} {run.state}. {error.get('message', '')}"
        raise Problem(error.get("code", "CONFLICT"), message, details=details)

    def _end(self, workspace: Workspace, run: Run, options: dict[str, Any]) -> None:
        self._check_ended("import", run)
        made = run.result
        self.stdout.write(
            f"{made['rows']:,} rows: {made['added']:,} added, {made['changed']:,} changed,"
            f" {made['rejected']:,} refused."
        )
        kept = uploads.rejects_path(workspace.pk, str(run.pk))
        if made["rejected"] and options["rejects"]:
            Path(options["rejects"]).write_bytes(kept.read_bytes())
        elif made["rejected"]:
            self.stdout.write(f"Refused rows: {kept}")


def _mapped(headers: list[str], columns: list[str | None], given: list[str]) -> list[str | None]:
    """The columns with those that were named by `--map`. Problem `INVALID_INPUT` for a header that is not there."""
    made = list(columns)
    for pair in given:
        header, _, field = pair.partition("=")
        if header not in headers:
            raise Problem("INVALID_INPUT", f'The file has no header "{header}": {", ".join(headers)}.')
        made[headers.index(header)] = field or None
    return made


def _write(path: Path, lines: Iterable[bytes]) -> None:
    """A whole file or none: what was there stays until all is written. Problem `BUSY` when there is no room."""
    if path.exists() and not path.is_file():  # a pipe, a terminal
        with path.open("wb") as file:
            file.writelines(lines)
        return
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            file.writelines(lines)
        part.replace(path)
    except OSError as error:
        raise Problem("BUSY", f"{path} could not be written: {error.strerror}.") from None
    finally:
        part.unlink(missing_ok=True)
