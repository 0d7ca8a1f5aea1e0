"""Apply, export and diff: the three deeds that command, console and tests call."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from django.db import transaction

from stackyard.core import version
from stackyard.core.errors import Problem, did_you_mean
from stackyard.core.models import Workspace

from .folder import FileFault, FileFaults, Folder, InvalidFiles
from .kind import Change, FileKind, Walk, all_kinds, refuse_strangers

WORKSPACE_FILE = "workspace.yaml"


@dataclass(slots=True)
class Plan:
    """What applying a folder does to a workspace, and what the check warned about."""

    name: str
    is_new: bool
    changes: Sequence[Change]
    prune: bool = False
    warnings: Sequence[FileFault] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        """Whether files and workspace say the same: nothing to change, nothing that only one of them has."""
        return all(change.action == "unchanged" and not change.lacking for change in self.changes)

    @property
    def changes_something(self) -> bool:
        """Whether applying does anything."""
        return any(
            change.changes_something or (self.prune and (change.action == "missing" or change.lacking))
            for change in self.changes
        )

    def of(self, kind: FileKind) -> list[Change]:
        """The changes of one kind."""
        return [change for change in self.changes if change.kind.name == kind.name]

    def __str__(self) -> str:
        counts: dict[str, int] = {}
        for change in self.changes:
            counts[change.action] = counts.get(change.action, 0) + 1
        words = {
            "create": "created",
            "update": "updated",
            "rename": "renamed",
            "load": "loaded",
            "missing": "kept",
        }
        said = [f"{counts[action]} {word}" for action, word in words.items() if action in counts]
        return ", ".join(said) or "nothing to change"


def apply(
    path: str | os.PathLike[str],
    *,
    dry_run: bool = False,
    prune: bool = False,
    author: Any = None,
    show: Callable[[Plan], None] | None = None,
) -> Plan:
    """Make a workspace as the files of a folder say, and publish it.

    Everything is tried in one transaction, so that all faults of all files are found at once, and taken
    back on any fault and for `dry_run`. `show` gets the plan before anything is tried. Problem
    `INVALID_FILES` with every fault; nothing has changed then. Without `prune` nothing is ever deleted.
    """
    faults = FileFaults()
    folder = Folder.read(path, faults)
    with transaction.atomic():
        walk, plan = _prepare(folder, faults, prune, author)
        if show is not None:
            show(plan)
        if plan.changes_something:
            _carry_out(walk, plan)
        if dry_run or faults.errors:
            transaction.set_rollback(True)
    if faults.errors:
        raise InvalidFiles(faults.errors)
    plan.warnings = faults.warnings
    return plan


def follow_up(name: str, say: Callable[[str], None]) -> bool:
    """Wait for what goes on after an apply (conversions of large tables); whether there was anything."""
    workspace = find_workspace(name)
    followed = [kind.follow_up(workspace, say) for kind in all_kinds()]
    return any(followed)


def diff(name: str, path: str | os.PathLike[str]) -> Plan:
    """What `apply` would change in the workspace of this name. Problem `INVALID_FILES` for files with faults."""
    workspace = find_workspace(name)
    faults = FileFaults()
    folder = Folder.read(path, faults)
    said = _workspace_name(folder)
    if said is not None and said != workspace.name:
        folder.files[WORKSPACE_FILE].fault(("name",), f'These are the files of "{said}", not of "{name}".')
    plan = _plan(Walk(folder, faults, workspace), name)
    if faults.errors:
        raise InvalidFiles(faults.errors)
    plan.warnings = faults.warnings
    return plan


def find_workspace(name: str) -> Workspace:
    """A workspace by name; Problem `NOT_FOUND` that proposes the nearest."""
    workspace = Workspace.objects.filter(name=name).first()
    if workspace is None:
        hint = did_you_mean(name, Workspace.objects.values_list("name", flat=True))
        raise Problem("NOT_FOUND", f'There is no workspace "{name}".{hint}')
    return workspace


def _prepare(folder: Folder, faults: FileFaults, prune: bool, author: Any) -> tuple[Walk, Plan]:
    name = _workspace_name(folder)
    if name is None:
        if WORKSPACE_FILE not in folder.files:
            faults.add(WORKSPACE_FILE, "The file is missing: it names the workspace.")
        for source in folder.files.values():
            if source.path.endswith(".yaml"):
                source.map()  # so that what can't be read at all is reported too
        raise InvalidFiles(faults.errors)
    # Whoever applies holds the workspace: two at once would each compare with a state that the other changes.
    workspace = Workspace.objects.select_for_update().filter(name=name).first()
    walk = Walk(folder, faults, workspace, prune=prune, author=author)
    return walk, _plan(walk, name)


def _workspace_name(folder: Folder) -> str | None:
    source = folder.files.get(WORKSPACE_FILE)
    data = source.map() if source is not None else None
    if source is None or data is None:
        return None
    if isinstance(data.get("name"), str):
        return str(data["name"])
    source.fault(("name",), "The workspace needs a name, such as: name: shop", code="name")
    return None


def _plan(walk: Walk, name: str) -> Plan:
    kinds = all_kinds()
    refuse_strangers(walk.folder, kinds)
    is_new = walk.workspace is None
    changes = [change for kind in kinds for change in kind.plan(walk)]
    return Plan(name, is_new, changes, walk.prune)


def _carry_out(walk: Walk, plan: Plan) -> None:
    """Every kind in order, then what the files lack in reverse order, then the version that makes it visible."""
    with ExitStack() as together:
        for kind in all_kinds():
            together.enter_context(kind.around())
        for kind in all_kinds():
            kind.carry_out(walk, [change for change in plan.of(kind) if change.action != "missing"])
        if walk.prune:
            for kind in reversed(all_kinds()):
                kind.remove(walk, [change for change in plan.of(kind) if change.action == "missing"])
        for kind in all_kinds():
            kind.verify(walk, plan.changes)
    version.bump(walk.target.pk)


def export(name: str, path: str | os.PathLike[str], *, records: bool = False) -> list[str]:
    """Write a workspace's published state as files, the same byte for byte each time; the paths written.

    Files of an earlier export that the workspace no longer has are removed. Problem `CONFLICT` for a folder
    that holds something else.
    """
    workspace = find_workspace(name)
    root = FilePath(path)
    if root.is_symlink() or (root.exists() and not root.is_dir()):
        raise Problem("CONFLICT", f"{path} is not a folder.")
    root.mkdir(parents=True, exist_ok=True)
    _refuse_other_folders(root, workspace)
    kinds = all_kinds()
    with (
        tempfile.TemporaryDirectory(prefix=".export-", dir=root.resolve().parent) as staged,
        transaction.atomic(),
    ):
        # Written whole beside the folder first, so that a fault half way leaves what is there.
        written = [
            _write(FilePath(staged), relative, pieces)
            for kind in kinds
            for relative, pieces in kind.export(workspace, records)
        ]
        _move(FilePath(staged), root, written)
    _remove_stale(root, kinds, set(written), records)
    return sorted(written)


def _refuse_other_folders(root: FilePath, workspace: Workspace) -> None:
    """A folder may be written to when it is empty or holds this workspace's files."""
    folder = Folder.read(root, FileFaults())
    if folder.faults.found:
        raise Problem("CONFLICT", f"The folder can't be exported to: {folder.faults.found[0]}")
    if folder.files and _workspace_name(folder) != workspace.name:
        raise Problem(
            "CONFLICT",
            f'{root} holds other files than those of the workspace "{workspace.name}".',
            suggestion="Export to an empty folder.",
        )


def _write(root: FilePath, relative: str, pieces: Iterable[bytes]) -> str:
    target = root / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        file.writelines(pieces)
    return relative


def _move(staged: FilePath, root: FilePath, written: Iterable[str]) -> None:
    for relative in written:
        target = root / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and _same_bytes(target, staged / relative):
            continue
        shutil.move(staged / relative, target)


def _same_bytes(left: FilePath, right: FilePath) -> bool:
    if left.stat().st_size != right.stat().st_size:
        return False
    with left.open("rb") as one, right.open("rb") as other:
        return all(
            a == b
            for a, b in zip(
                iter(lambda: one.read(1 << 20), b""), iter(lambda: other.read(1 << 20), b""), strict=True
            )
        )


def _remove_stale(root: FilePath, kinds: Sequence[FileKind], written: set[str], records: bool) -> None:
    for relative in Folder.read(root, FileFaults()).files:
        owner = next((kind for kind in kinds if kind.claims(relative)), None)
        if owner is None or relative in written or (owner.holds_records and not records):
            continue
        (root / relative).unlink()
        folder = (root / relative).parent
        if folder != root and not any(folder.iterdir()):
            folder.rmdir()
