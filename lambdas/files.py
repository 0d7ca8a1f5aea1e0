"""lambdas/*/lambda.yaml + main.ts: a lambda's settings and its code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, ClassVar

from stackyard.core.errors import Fault, Faults, Problem
from stackyard.core.files import Change, DocumentFiles, SourceFile, Walk
from stackyard.core.models import Variable, Workspace
from stackyard.core.names import is_name, name_rule
from stackyard.core.yaml import dump
from stackyard.stacks.files import MESSAGE, to_verify
from stackyard.tables.schema import fresh_schema

from .dependents import leaders_of, names_in, warn_of_strangers
from .document import CODE_CHARACTERS, DEFAULTS, check_document, with_defaults
from .models import Lambda
from .publishing import bring_packages, create_lambda, delete_lambda, publish, save_draft

_YAML, _CODE = "lambda.yaml", "main.ts"
# What can only be told when tables and variables are in place.
_LATER = frozenset({"unknown_variable", "unknown_table"})


class LambdaFiles(DocumentFiles):
    """Lambdas: settings in lambda.yaml, code in main.ts beside it."""

    name = "lambda"
    label = "Lambdas"
    # After the tables and variables they use, before the stacks that run them.
    order = 15
    pattern = f"lambdas/*/{_YAML}"
    what = "A lambda"
    named_like = "folder"
    renames = True
    keys: ClassVar[Sequence[str]] = (
        "name",
        "description",
        "timeout",
        "memory_mb",
        "fresh_process",
        "triggers",
        "catch_up",
        "retry_safe",
        "max_attempts",
        "variables",
        "network",
    )

    @classmethod
    def claims(cls, path: str) -> bool:
        """lambda.yaml, and main.ts beside it."""
        folder, _, file = path.rpartition("/")
        return super().claims(f"{folder}/{_YAML}" if file == _CODE else path)

    def sources(self, walk: Walk) -> Iterator[SourceFile]:
        return (source for source in super().sources(walk) if source.path.endswith(_YAML))

    def name_of(self, path: str) -> str:
        return PurePosixPath(path).parent.name

    def path_beside(self, path: str, name: str) -> str:
        return _path(name)

    def published(self, workspace: Workspace) -> Mapping[str, Any]:
        rows = workspace.lambdas.filter(published__isnull=False).select_related("published")
        return {_path(row.name): {**with_defaults(_document(row)), "name": row.name} for row in rows}

    def spell(self, state: Any) -> dict[str, Any]:
        return {key: state[key] for key in self.keys if key == "name" or state[key] != DEFAULTS[key]}

    def text(self, state: Any) -> str:
        return f"{dump(self.spell(state))}--- {_CODE}\n{state['code']}"

    def export(self, workspace: Workspace, records: bool) -> Iterator[tuple[str, Iterable[bytes]]]:
        for path, state in sorted(self.published(workspace).items()):
            yield path, [dump(self.spell(state)).encode()]
            yield _code_path(path), [state["code"].encode()]

    # Comparing

    def plan(self, walk: Walk) -> list[Change]:
        self._refuse_lonely_code(walk)
        changes = super().plan(walk)
        rows = walk.workspace.lambdas.select_related("published") if walk.workspace is not None else ()
        edited = {_path(row.name) for row in rows if row.has_changes}
        for change in changes:
            if change.changes_something and (change.was or change.path) in edited:
                change.note = "replaces an unpublished draft"
        return changes

    def _refuse_lonely_code(self, walk: Walk) -> None:
        for source in super().sources(walk):
            beside = f"{PurePosixPath(source.path).parent}/{_YAML}"
            if source.path.endswith(_CODE) and beside not in walk.folder.files:
                message = f"The lambda's settings are missing: {beside} with at least a name."
                walk.faults.add(source.path, message)

    def read(self, walk: Walk, source: SourceFile, data: dict[str, Any], before: Any) -> Any:
        if not is_name(data["name"]):
            source.fault(("name",), name_rule(), code="name")
            return None
        code = self._read_code(walk, source)
        given = {key: data[key] for key in self.keys if data.get(key) is not None}
        document = with_defaults({**given, "code": code or ""})
        faults = Faults()
        check_document(document, faults, {}, {})
        blocking = [fault for fault in faults.errors if fault.code not in _LATER]
        self._note(walk, source, blocking)
        if code is None or blocking:
            return None
        try:
            # Here, since it may take seconds: nothing is locked yet.
            bring_packages(code)
        except Problem as problem:
            walk.faults.add(_code_path(source.path), problem.message, code="package")
            return None
        return document

    def _read_code(self, walk: Walk, source: SourceFile) -> str | None:
        """The text of main.ts byte for byte; None with a fault where there is none."""
        path = _code_path(source.path)
        file = walk.folder.files.get(path)
        if file is None:
            source.fault((), f"The code is missing: {path}.")
            return None
        if file.absolute.stat().st_size > 4 * CODE_CHARACTERS:
            walk.faults.add(path, f"The code has at most {CODE_CHARACTERS:,} characters.", code="range")
            return None
        try:
            return file.absolute.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            walk.faults.add(path, f"The file is not UTF-8: byte {error.start + 1} is broken.")
            return None

    # Applying

    def carry_out(self, walk: Walk, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.changes_something:
                walk.attempt(change.file, self._publish, walk, change)

    def _publish(self, walk: Walk, change: Change) -> None:
        rows = walk.target.lambdas.select_related("published", "workspace")
        target = rows.filter(name=self.name_of(change.was or change.path)).first()
        if target is None:
            target = create_lambda(walk.target, change.wanted, walk.author)
        # Whom it follows may be in a file that comes later.
        found = save_draft(target, change.wanted, walk.author)
        faults = [fault for fault in found if fault.code != "unknown_lambda"]
        self._note(walk, change.file, faults)
        if not any(fault.level == "error" for fault in faults):
            publish(target, walk.author, MESSAGE)

    def remove(self, walk: Walk, changes: Sequence[Change]) -> None:
        names = [self.name_of(change.path) for change in changes]
        for target in walk.target.lambdas.filter(name__in=names).select_related("workspace"):
            delete_lambda(target)

    def verify(self, walk: Walk, changes: Sequence[Change]) -> None:
        variables = dict(Variable.objects.filter(workspace=walk.target).values_list("name", "is_secret"))
        tables = fresh_schema(walk.target.pk).tables
        rows = walk.target.lambdas.filter(published__isnull=False).select_related("published")
        names = names_in(walk.target)
        gone = {name for change in changes for name in self._given_up(walk, change)} - set(names)
        for found in to_verify(self, walk, changes, {_path(row.name): row for row in rows}):
            faults, document = Faults(), _document(found.row)
            check_document(document, faults, variables, tables)
            for number, leader in leaders_of(document):
                if leader in gone:
                    path = ("triggers", number, "after", "lambda")
                    faults.error(path, "unknown_lambda", f'It follows "{leader}", which goes away.')
            if found.is_written:
                warn_of_strangers(document, faults, {*names, *gone})
            if found.source is not None:
                self._note(walk, found.source, faults.found)
                continue
            for fault in faults.errors:
                message = f"It is not in the files and would no longer work: {fault.message}"
                walk.faults.add(found.path, message, code=fault.code, suggestion=fault.suggestion)

    def _given_up(self, walk: Walk, change: Change) -> Iterator[str]:
        """The name of a lambda that a change takes away or renames."""
        if change.kind.name == self.name and (change.was or (walk.prune and change.action == "missing")):
            yield self.name_of(change.was or change.path)

    def _note(self, walk: Walk, source: SourceFile, faults: Iterable[Fault]) -> None:
        """Note faults of settings at their keys, and those of code at their line and column of main.ts."""
        for fault in faults:
            more: dict[str, Any] = {"code": fault.code, "suggestion": fault.suggestion, "level": fault.level}
            if fault.path[:1] != ("code",):
                source.fault(fault.path, fault.message, **more)
                continue
            walk.faults.add(
                _code_path(source.path), fault.message, line=fault.line, column=fault.column, **more
            )


def _document(target: Lambda) -> dict[str, Any]:
    return target.published.document if target.published is not None else {}


def _path(name: str) -> str:
    return f"lambdas/{name}/{_YAML}"


def _code_path(path: str) -> str:
    return f"{PurePosixPath(path).parent}/{_CODE}"
