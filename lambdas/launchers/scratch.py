"""A slot's scratch directory, looked at and emptied from outside. What is in it was put there by code nobody trusts:
symbolic links are never followed, and depth and number are bounded before anything is opened for them."""

from __future__ import annotations

import os
from contextlib import suppress

from .limits import SCRATCH_BYTES

MOST_FILES = 10_000
DEEPEST = 32
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def is_too_full(directory: int) -> bool:
    """Whether an open directory holds more bytes, more files or more levels than a lambda may keep."""
    return _Count().is_past(directory, DEEPEST)


class _Count:
    files = 0
    size = 0

    def is_past(self, directory: int, levels: int) -> bool:
        with os.scandir(directory) as entries:
            for entry in entries:
                self.files += 1
                with suppress(OSError):
                    self.size += entry.stat(follow_symlinks=False).st_blocks * 512
                if self.files > MOST_FILES or self.size > SCRATCH_BYTES or levels == 0:
                    return True
                if entry.is_dir(follow_symlinks=False) and self._is_past_in(entry.name, directory, levels):
                    return True
        return False

    def _is_past_in(self, name: str, directory: int, levels: int) -> bool:
        try:
            below = os.open(name, _OPEN, dir_fd=directory)
        except OSError:
            # It has gone meanwhile, or its owner may not read it: then nothing can grow in it either.
            return False
        try:
            return self.is_past(below, levels - 1)
        finally:
            os.close(below)


def empty(directory: int, *, is_dead: bool = False) -> None:
    """Delete everything in an open directory. OSError when something can't be deleted.

    Folders found inside are moved up before their turn comes, so that no depth needs more than two descriptors.
    `is_dead` says that no process can change the directory meanwhile: then folders that nobody may read are opened up.
    """
    moved = 0
    while True:
        with os.scandir(directory) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        if not found:
            return
        for name, is_folder in found:
            if is_folder:
                moved = _empty_folder(directory, name, moved, is_dead)
                os.rmdir(name, dir_fd=directory)
            else:
                os.unlink(name, dir_fd=directory)


def _empty_folder(directory: int, name: str, moved: int, is_dead: bool) -> int:
    if is_dead:
        os.chmod(name, 0o700, dir_fd=directory)
    folder = os.open(name, _OPEN, dir_fd=directory)
    try:
        with os.scandir(folder) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for below, is_folder in found:
            if is_folder:
                if is_dead:
                    os.chmod(below, 0o700, dir_fd=folder)
                moved += 1
                os.rename(below, f".{os.urandom(8).hex()}-{moved}", src_dir_fd=folder, dst_dir_fd=directory)
            else:
                os.unlink(below, dir_fd=folder)
    finally:
        os.close(folder)
    return moved


def remove(path: str | os.PathLike[str]) -> None:
    """Delete a directory of a slot that has ended, as far as it can be deleted."""
    with suppress(OSError):
        directory = os.open(path, _OPEN)
        try:
            empty(directory, is_dead=True)
        finally:
            os.close(directory)
        os.rmdir(path)
