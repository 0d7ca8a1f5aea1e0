"""functions/*.yaml, and what function files share with endpoint files: a stack spelled in YAML.

Documents are written and published unchecked first and checked when everything is in place: functions may
call each other in any order, and endpoints may trade their paths. A fault takes the whole back.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from stackyard.core import types as t
from stackyard.core.errors import Fault, Faults, Path
from stackyard.core.files import Change, DocumentFiles, SourceFile, Walk
from stackyard.core.models import Workspace
from stackyard.core.names import is_name, name_rule
from stackyard.core.yaml import Loaded, Position

from .catalogue import load_catalogue
from .check import Checked, check_document
from .document import FUNCTION_KEYS, walk_lines, with_ids
from .models import Function
from .publishing import FUNCTIONS, create_function, delete_function, publish
from .spelling import from_spelling, spelled_path, to_spelling

MESSAGE = "Applied from files"
"""What the revisions say that applying makes."""
_UNCHECKED = replace(FUNCTIONS, check=lambda *_: Checked([], {}, t.ANY))


def place_of(loaded: Loaded, document: Mapping[str, Any], fault: Fault) -> Position | None:
    """Line and column of a fault in the text its document was written in (a column in an expression included)."""
    path = spelled_path(document, fault.path)
    if fault.column is not None:
        return loaded.expression_position(path, fault.column)
    return loaded.position(path)


def note_faults(source: SourceFile, document: Mapping[str, Any], faults: Iterable[Fault]) -> None:
    """Note a check's faults and warnings where the file says what they are about."""
    for fault in faults:
        place = place_of(source.loaded, document, fault) if source.loaded is not None else None
        source.fault(
            (),
            fault.message,
            place=place,
            code=fault.code,
            suggestion=fault.suggestion,
            level=fault.level,
        )


class StackFiles(DocumentFiles, abstract=True):
    """Documents with a stack: the plan compares canonical documents in their one spelling."""

    renames = True

    @abstractmethod
    def with_drafts(self, workspace: Workspace) -> set[str]:
        """The paths of those whose draft is not what is published."""

    def plan(self, walk: Walk) -> list[Change]:
        changes = super().plan(walk)
        edited = self.with_drafts(walk.workspace) if walk.workspace is not None else set()
        for change in changes:
            if change.changes_something and (change.was or change.path) in edited:
                change.note = "replaces an unpublished draft"
        return changes

    def spell(self, state: Any) -> dict[str, Any]:
        spelled = to_spelling(state)
        order = [key for key in self.keys if key in spelled]
        others = [key for key in spelled if key not in order]
        return {key: spelled[key] for key in [*order, *others] if key != "description" or spelled[key]}

    def read(self, walk: Walk, source: SourceFile, data: dict[str, Any], before: Any) -> Any:
        if not is_name(data["name"]):
            source.fault(("name",), name_rule(), code="name")
            return None
        faults = Faults()
        known = self.known_keys()
        written = {key: data[key] for key in data if key in known and key not in ("was", "description")}
        if description := source.text(data, "description"):
            written["description"] = description
        document = from_spelling(written, faults)
        for fault in faults.found:
            source.fault(fault.path, fault.message, code=fault.code, suggestion=fault.suggestion)
        if faults.errors:
            return None
        return adopt_ids(document, data, before)


def adopt_ids(
    document: dict[str, Any], data: Mapping[str, Any], before: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Lines written without an id take the id of the line at their place in the document before, or a new one."""
    old = {path: line for line, path, _ in walk_lines((before or {}).get("lines"))}
    lines = [(line, path) for line, path, _ in walk_lines(document["lines"])]
    unnamed = [(line, path) for line, path in lines if not _written_id(document, data, path)]
    for line, _ in unnamed:
        line["id"] = ""
    taken = {line["id"] for line, _ in lines if isinstance(line["id"], str)}
    for line, path in unnamed:
        previous = old.get(path)
        if previous is not None and previous.get("id") not in taken and previous.get("step") == line["step"]:
            line["id"] = previous["id"]
    return with_ids(document)


def _written_id(document: Mapping[str, Any], data: Mapping[str, Any], path: Path) -> bool:
    at: Any = data
    for part in spelled_path(document, path):
        at = at[part]
    return isinstance(at, dict) and bool(at.get("id"))


class FunctionFiles(StackFiles):
    """Reusable stacks."""

    name = "function"
    label = "Functions"
    order = 20
    pattern = "functions/*.yaml"
    what = "A function"
    keys: ClassVar[Sequence[str]] = (*FUNCTION_KEYS, "inputs", "stack", "response")

    def published(self, workspace: Workspace) -> Mapping[str, Any]:
        rows = workspace.functions.filter(published__isnull=False).select_related("published")
        return {f"functions/{row.name}.yaml": {**_document(row), "name": row.name} for row in rows}

    def with_drafts(self, workspace: Workspace) -> set[str]:
        rows = workspace.functions.select_related("published")
        return {f"functions/{row.name}.yaml" for row in rows if row.has_changes}

    def carry_out(self, walk: Walk, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.changes_something:
                walk.attempt(change.file, self._publish, walk, change)

    def _publish(self, walk: Walk, change: Change) -> None:
        old_name = (
            change.stem if change.was is None else change.was.removeprefix("functions/").removesuffix(".yaml")
        )
        function = walk.target.functions.filter(name=old_name).first()
        if function is None:
            function = create_function(walk.target, deepcopy(change.wanted), walk.author)
        function.draft = deepcopy(change.wanted)
        publish(function, walk.author, MESSAGE, _UNCHECKED)

    def remove(self, walk: Walk, changes: Sequence[Change]) -> None:
        for function in walk.target.functions.filter(name__in=[change.stem for change in changes]):
            delete_function(function)

    def verify(self, walk: Walk, changes: Sequence[Change]) -> None:
        catalogue = load_catalogue(walk.target)
        rows = walk.target.functions.filter(published__isnull=False).select_related("published")
        by_path = {f"functions/{row.name}.yaml": row for row in rows}
        for found in to_verify(self, walk, changes, by_path):
            document = _document(found.row)
            found.note(walk, document, check_document(document, catalogue, extra_keys=FUNCTION_KEYS).faults)


def _document(function: Function) -> dict[str, Any]:
    return function.published.document if function.published is not None else {}


@dataclass(frozen=True, slots=True)
class Verification:
    """A published document to check now that everything is in place. `source` is its file, if it has one."""

    row: Any
    path: str
    source: SourceFile | None
    is_written: bool

    def note(self, walk: Walk, document: Mapping[str, Any], faults: Iterable[Fault]) -> None:
        """Note its faults, at its file or, where the files do not hold it, by its name."""
        # Warnings are for those who wrote the document just now.
        found = [fault for fault in faults if self.is_written or fault.level == "error"]
        if self.source is not None:
            note_faults(self.source, document, found)
            return
        for fault in found:
            message = f"It is not in the files and would no longer work: {fault.message}"
            walk.faults.add(self.path, message, code=fault.code, suggestion=fault.suggestion)


def to_verify(
    kind: DocumentFiles, walk: Walk, changes: Sequence[Change], rows: Mapping[str, Any]
) -> Iterator[Verification]:
    """What must be checked: what was written, and the rest too when something it may stand on has changed."""
    mine = {change.path: change for change in changes if change.kind.name == kind.name}
    below = [change for change in changes if change.kind.order < kind.order]
    moved = any(_narrows(change, walk.prune) or change.changes_something for change in below) or any(
        _narrows(change, walk.prune) for change in mine.values()
    )
    for path, row in sorted(rows.items()):
        change = mine.get(path)
        is_written = change is not None and change.changes_something
        if is_written or moved:
            yield Verification(row, path, change.source if change is not None else None, is_written)


def _narrows(change: Change, prune: bool) -> bool:
    """Whether others of its kind may miss what it was before."""
    return change.action in {"update", "rename"} or (prune and change.action == "missing")
