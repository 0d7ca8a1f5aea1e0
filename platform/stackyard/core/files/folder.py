"""The folder of a workspace as files: read safely, once, with every fault kept together with its file and line."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from stackyard.core.errors import Detail, Path, Problem, did_you_mean
from stackyard.core.yaml import InvalidYaml, Loaded, Position, load

_MAX_FILES = 20_000
_MAX_DEPTH = 8
_MAX_YAML_BYTES = 2_000_000

_WORDS: Mapping[type, tuple[type, str]] = {
    models.CharField: (str, "text: put it in quotes"),
    models.TextField: (str, "text: put it in quotes"),
    models.BooleanField: (bool, "true or false"),
}


@dataclass(frozen=True, slots=True)
class FileFault:
    """What is wrong in a file. `path` is relative to the workspace's folder; `line`, `column` count from 1."""

    path: str
    message: str
    code: str = "file"
    line: int | None = None
    column: int | None = None
    suggestion: str | None = None
    level: str = "error"

    @property
    def place(self) -> str:
        """`apis/shop/list.yaml:12:7`, as editors and terminals take it."""
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)

    def __str__(self) -> str:
        mark = "warning: " if self.level == "warning" else ""
        more = f" {self.suggestion}" if self.suggestion else ""
        return f"{self.place}: {mark}{self.message}{more}"


class InvalidFiles(Problem):
    """400 `INVALID_FILES`: the files can't be applied and nothing was changed. `faults` are all of them."""

    def __init__(self, faults: Iterable[FileFault]) -> None:
        self.faults = sorted(set(faults), key=lambda f: (f.path, f.line or 0, f.column or 0, f.message))
        count = len(self.faults)
        more = f" (and {count - 1} more)" if count > 1 else ""
        super().__init__(
            "INVALID_FILES",
            f"{self.faults[0]}{more}",
            status=400,
            suggestion="Nothing was changed. Mend the files and apply them again.",
            details=[Detail(fault.place, fault.code, fault.message) for fault in self.faults],
        )


@dataclass(slots=True)
class FileFaults:
    """The faults found so far, of all files."""

    found: list[FileFault] = field(default_factory=list)

    def add(self, path: str, message: str, **more: Any) -> None:
        """Add one that has its place already, or none but its file."""
        self.found.append(FileFault(path, message, **more))

    @property
    def errors(self) -> list[FileFault]:
        """Those that block."""
        return [fault for fault in self.found if fault.level == "error"]

    @property
    def warnings(self) -> list[FileFault]:
        """Those that do not."""
        return [fault for fault in self.found if fault.level == "warning"]


class SourceFile:
    """One file of the folder. Its YAML is read when first asked for, and its faults land in `faults`."""

    def __init__(self, root: FilePath, path: str, faults: FileFaults) -> None:
        self.path = path
        self.absolute = root / path
        self.stem = self.absolute.stem
        self.faults = faults
        self._loaded: Loaded | None = None
        self._was_read = False

    @property
    def loaded(self) -> Loaded | None:
        """The YAML document, or None when it can't be read (its faults are noted then)."""
        if not self._was_read:
            self._was_read = True
            self._loaded = self._load()
        return self._loaded

    def _load(self) -> Loaded | None:
        if self.absolute.stat().st_size > _MAX_YAML_BYTES:
            self.faults.add(self.path, f"The file is larger than {_MAX_YAML_BYTES:,} bytes.")
            return None
        try:
            return load(self.absolute.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            self.faults.add(self.path, f"The file is not UTF-8: byte {error.start + 1} is broken.")
        except InvalidYaml as error:
            for fault in error.faults:
                self.faults.add(self.path, fault.message, code="yaml", line=fault.line, column=fault.column)
        return None

    def map(self) -> dict[str, Any] | None:
        """The document as a map, or None with a fault noted."""
        if self.loaded is None:
            return None
        if isinstance(self.loaded.data, dict):
            return self.loaded.data
        self.fault((), "The file must hold a map, such as: name: …", code="type")
        return None

    def fault(self, path: Path, message: str, *, place: Position | None = None, **more: Any) -> None:
        """Note a fault at a path of the document (its nearest parent where the path is absent)."""
        if place is None and self._loaded is not None:
            place = self._loaded.position(path)
        line, column = place or (None, None)
        self.faults.add(self.path, message, line=line, column=column, **more)

    def check_keys(
        self, data: Mapping[str, Any], known: Iterable[str], path: Path = (), what: str = ""
    ) -> None:
        """Note every key that is not known, with the nearest that is. `what` begins the message: `A table`."""
        names = list(known)
        for key in data:
            if key not in names:
                self.fault(
                    (*path, key),
                    f'{what or "This"} has no key "{key}".{did_you_mean(key, names)}',
                    code="unknown_key",
                )

    def problem(self, problem: Problem, path: Path = ()) -> None:
        """Note a Problem: each of its details at the key it is about, or the whole at `path`."""
        details = problem.details if isinstance(problem.details, list | tuple) else ()
        places = [(d.field.split(".") if d.field else [], d) for d in details if isinstance(d, Detail)]
        if not places or problem.code == "CONFLICT":
            self.fault(path, problem.message, code=problem.code, suggestion=problem.suggestion)
            return
        for parts, detail in places:
            at = [int(part) if part.isdecimal() else part for part in parts]
            self.fault((*path, *at), detail.message, code=detail.code, suggestion=problem.suggestion)

    def text(self, data: Mapping[str, Any], key: str, path: Path = ()) -> str:
        """A text of the document; "" where there is none, with a fault where it is something else."""
        value = data.get(key)
        if value is not None and not isinstance(value, str):
            self.fault((*path, key), f"{key} is text: put it in quotes.", code="type")
            return ""
        return value or ""

    def check_row(
        self, row: models.Model, data: Mapping[str, Any], path: Path = (), exclude: Any = ()
    ) -> bool:
        """Check a model's own rules (not its uniqueness); what they say is noted at the keys of the file."""
        for column in row._meta.concrete_fields:
            # Django would take the text of a number or of a list.
            value = getattr(row, column.attname)
            words = _WORDS.get(type(column))
            if (
                words is not None
                and column.name in data
                and value is not None
                and not isinstance(value, words[0])
            ):
                self.fault((*path, column.name), f"{column.name} is {words[1]}.", code="type")
                return False
        try:
            row.clean_fields(exclude=exclude)
        except ValidationError as error:
            self.invalid(error, path)
            return False
        return True

    def invalid(self, error: ValidationError, path: Path = ()) -> None:
        """Note what Django's validation says, each at the key it is about."""
        said = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
        for key, messages in said.items():
            for message in messages:
                self.fault(path if key == NON_FIELD_ERRORS else (*path, key), message, code="invalid")

    def __repr__(self) -> str:
        return f"SourceFile({self.path!r})"


class Folder:
    """Every file under a folder, links refused. Names that begin with a dot are left alone."""

    def __init__(self, root: FilePath, faults: FileFaults) -> None:
        self.root = root
        self.faults = faults
        self.files: dict[str, SourceFile] = {}

    @classmethod
    def read(cls, path: str | os.PathLike[str], faults: FileFaults) -> Folder:
        """List a folder. Problem `NOT_FOUND` when there is none; links, pipes and the like are faults."""
        root = FilePath(path).resolve()
        if not root.is_dir():
            raise Problem("NOT_FOUND", f"There is no folder {path}.")
        folder = cls(root, faults)
        for relative in sorted(folder._walk(root, "", 0)):
            folder.files[relative] = SourceFile(root, relative, faults)
        return folder

    def _walk(self, directory: FilePath, prefix: str, depth: int) -> Iterator[str]:
        for entry in os.scandir(directory):
            if entry.name.startswith("."):
                continue
            relative = prefix + entry.name
            if entry.is_symlink():
                self.faults.add(relative, "This is a symbolic link; a workspace's files are plain files.")
            elif entry.is_dir():
                if depth < _MAX_DEPTH:
                    yield from self._walk(FilePath(entry.path), f"{relative}/", depth + 1)
            elif not stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
                self.faults.add(relative, "This is not a plain file.")
            elif len(self.files) < _MAX_FILES:
                yield relative
