"""FileKind, the family of what a workspace's files can be, and DocumentFiles, the part that YAML kinds share.

A plan is a comparison of texts: what the files say, read and spelled again, against what the workspace
has, spelled the same way. So `apply(export(w))` changes nothing by construction, whatever hand wrote the
files, and the difference people are shown is the difference that is applied.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import transaction

from stackyard.core.errors import Path, Problem, did_you_mean
from stackyard.core.kinds import Kind
from stackyard.core.models import Workspace
from stackyard.core.yaml import dump

from .folder import FileFaults, Folder, SourceFile

_DATA = (".yaml", ".yml", ".csv")
_CODE = (".ts", ".js", ".mts", ".mjs", ".tsx", ".jsx")


@dataclass(slots=True)
class Change:
    """What applying does with one file.

    `action`: create, update, rename (and update), unchanged, load (records), broken (the file has faults),
    missing (the workspace has it and the files do not). `before` and `after` are texts as the export writes
    them. `lacking` names the parts of an existing thing that the file leaves out.
    """

    kind: FileKind
    path: str
    action: str
    before: str = ""
    after: str = ""
    source: SourceFile | None = None
    wanted: Any = None
    was: str | None = None
    lacking: list[str] = field(default_factory=list)
    note: str = ""

    @property
    def stem(self) -> str:
        """The name of the thing."""
        return PurePosixPath(self.path).stem

    @property
    def file(self) -> SourceFile:
        """The file that asks for it; what is missing has none."""
        if self.source is None:
            raise ValueError(f"{self.path} is not in the files")
        return self.source

    @property
    def changes_something(self) -> bool:
        """Whether applying (without pruning) does anything."""
        return self.action in {"create", "update", "rename", "load"}


@dataclass(slots=True)
class Walk:
    """One pass over the kinds: whose files, which workspace (None until it is made), and what was found wrong."""

    folder: Folder
    faults: FileFaults
    workspace: Workspace | None = None
    prune: bool = False
    author: Any = None

    @property
    def target(self) -> Workspace:
        """The workspace, which exists once workspace.yaml has been applied."""
        if self.workspace is None:
            raise Problem("INVALID_FILES", "There is no workspace.yaml that could be applied.")
        return self.workspace

    def attempt(self, source: SourceFile, deed: Any, *arguments: Any, path: Path = (), **options: Any) -> Any:
        """Call a deed in a savepoint; its errors become faults of the file, and None is returned."""
        try:
            with transaction.atomic():
                return deed(*arguments, **options)
        except Problem as problem:
            source.problem(problem, path)
        except ValidationError as error:
            source.invalid(error, path)
        return None


class FileKind(Kind, family="file kind"):
    """A kind of file in a workspace's folder. Kinds are applied by `order` and pruned the other way round."""

    order: ClassVar[int] = 0
    pattern: ClassVar[str] = ""
    """Where its files lie, such as `apis/*/*.yaml`; a `*` stands for one name."""

    holds_records: ClassVar[bool] = False
    """Whether its files are records, which only `export --records` writes."""

    @classmethod
    def claims(cls, path: str) -> bool:
        """Whether a file of the folder is of this kind."""
        parts, wanted = path.split("/"), cls.pattern.split("/")
        return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))

    def sources(self, walk: Walk) -> Iterator[SourceFile]:
        """The folder's files of this kind, by path."""
        return (source for path, source in walk.folder.files.items() if self.claims(path))

    @abstractmethod
    def plan(self, walk: Walk) -> list[Change]:
        """Compare files and workspace; nothing is written. Faults of the files are noted."""

    @abstractmethod
    def carry_out(self, walk: Walk, changes: Sequence[Change]) -> None:
        """Make the workspace as the files say, inside the transaction of the whole. Faults are noted."""

    def remove(self, walk: Walk, changes: Sequence[Change]) -> None:
        """Delete what the files lack (only when pruning)."""

    def around(self) -> AbstractContextManager[None]:
        """What must hold while all kinds are carried out."""
        return nullcontext()

    def follow_up(self, workspace: Workspace, say: Callable[[str], None]) -> bool:
        """Wait for what goes on after an apply was committed (runs); whether there was anything. `say` hears how far it is."""
        return False

    def verify(self, walk: Walk, changes: Sequence[Change]) -> None:
        """Note what no longer works now that everything is in place: things that the files do not hold."""

    @abstractmethod
    def export(self, workspace: Workspace, records: bool) -> Iterable[tuple[str, Iterable[bytes]]]:
        """The published state as files: path and content in pieces."""


class DocumentFiles(FileKind, abstract=True):
    """YAML files, one document a file, named by their `name`."""

    what: ClassVar[str] = ""
    """How messages call one: `A table`."""
    keys: ClassVar[Sequence[str]] = ()
    named_by_file: ClassVar[bool] = True
    named_like: ClassVar[str] = "file"
    """What its name must be the name of."""
    renames: ClassVar[bool] = False

    @abstractmethod
    def published(self, workspace: Workspace) -> Mapping[str, Any]:
        """The state of each thing by its path."""

    @abstractmethod
    def spell(self, state: Any) -> dict[str, Any]:
        """A state in the form the file has."""

    @abstractmethod
    def read(self, walk: Walk, source: SourceFile, data: dict[str, Any], before: Any) -> Any:
        """The state a file asks for, or None when it can't be told. `before` is the present one, if any."""

    def lacking(self, wanted: Any, before: Any) -> list[str]:
        """Parts of `before` that `wanted` leaves out and that only pruning deletes."""
        return []

    def keeping(self, wanted: Any, before: Any) -> Any:
        """`wanted` with the parts it lacks added from `before`."""
        return wanted

    def text(self, state: Any) -> str:
        """A state as the text that plans compare and people are shown."""
        return dump(self.spell(state))

    def name_of(self, path: str) -> str:
        """The name that a path stands for."""
        return PurePosixPath(path).stem

    def path_beside(self, path: str, name: str) -> str:
        """The path of one of another name."""
        return f"{PurePosixPath(path).parent}/{name}.yaml"

    def known_keys(self) -> Sequence[str]:
        """The keys of a file."""
        return [*self.keys, "was"] if self.renames else self.keys

    def plan(self, walk: Walk) -> list[Change]:
        present = dict(self.published(walk.workspace)) if walk.workspace is not None else {}
        unclaimed = dict(present)
        changes = []
        for source in self.sources(walk):
            unclaimed.pop(source.path, None)
            data = source.map()
            was = self._renamed_from(walk, source, data, present) if data is not None else None
            if was is not None:
                unclaimed.pop(was, None)
            before = present.get(was or source.path)
            changes.append(self._compare(walk, source, data, before, was))
        changes.extend(
            Change(self, path, "missing", before=self.text(state)) for path, state in unclaimed.items()
        )
        return sorted(changes, key=lambda change: change.path)

    def _renamed_from(
        self, walk: Walk, source: SourceFile, data: Mapping[str, Any], present: Mapping[str, Any]
    ) -> str | None:
        """The path of what this file renames. `was` is past once the new name is there, or the old one is gone."""
        old = data.get("was")
        if not self.renames or old is None or source.path in present:
            return None
        if not isinstance(old, str):
            source.fault(("was",), "`was` is the old name, as text.", code="type")
            return None
        path = self.path_beside(source.path, old)
        if path in present and path in walk.folder.files:
            source.fault(
                ("was",), f"{path} is there too: it can't be renamed and kept at once.", code="rename"
            )
            return None
        return path if path in present else None

    def _compare(
        self, walk: Walk, source: SourceFile, data: dict[str, Any] | None, before: Any, was: str | None
    ) -> Change:
        before_text = self.text(before) if before is not None else ""
        if data is None or not self._has_its_name(source, data):
            return Change(self, source.path, "broken", before=before_text, source=source)
        source.check_keys(data, self.known_keys(), what=self.what)
        wanted = self.read(walk, source, data, before)
        if wanted is None:
            return Change(self, source.path, "broken", before=before_text, source=source)
        lacking = self.lacking(wanted, before) if before is not None else []
        if lacking and not walk.prune:
            wanted = self.keeping(wanted, before)
        after = self.text(wanted)
        action = "create" if before is None else "unchanged" if after == before_text else "update"
        return Change(
            self, source.path, "rename" if was else action, before_text, after, source, wanted, was, lacking
        )

    def _has_its_name(self, source: SourceFile, data: Mapping[str, Any]) -> bool:
        wanted = self.name_of(source.path)
        if not self.named_by_file or data.get("name") == wanted:
            return True
        found = data.get("name")
        said = f'is named "{found}"' if isinstance(found, str) else "has no name"
        source.fault(
            ("name",),
            f"{self.what} in {source.path} must be named like its {self.named_like}: name: {wanted} (it {said}).",
            code="name",
        )
        return False

    def export(self, workspace: Workspace, records: bool) -> Iterator[tuple[str, Iterable[bytes]]]:
        for path, state in sorted(self.published(workspace).items()):
            yield path, [dump(self.spell(state)).encode()]


def all_kinds() -> list[FileKind]:
    """Every file kind in the order it is applied."""
    return [kind() for kind in sorted(FileKind.all().values(), key=lambda kind: (kind.order, kind.name))]


def refuse_strangers(folder: Folder, kinds: Iterable[FileKind]) -> None:
    """Note every YAML, CSV and code file that is of no kind: it would be left out without a word."""
    kinds = list(kinds)
    roots = sorted({kind.pattern.split("/")[0] for kind in kinds})
    for path, source in folder.files.items():
        is_ours = path.endswith(_DATA) or (path.endswith(_CODE) and path.split("/")[0] in roots)
        if not is_ours or any(kind.claims(path) for kind in kinds):
            continue
        if path.endswith(".yml"):
            source.fault((), "Files of a workspace end in .yaml.", code="path")
        else:
            hint = did_you_mean(path.split("/")[0], roots)
            known = ", ".join(kind.pattern for kind in kinds)
            source.fault((), f"Nothing is kept at this path.{hint} Known are: {known}.", code="path")
