"""A history file that is gone or broken is replaced by an empty one: the history is worth less than what it watches."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import DatabaseError, connections

_log = logging.getLogger(__name__)
_BROKEN = ("no such table", "malformed", "not a database", "disk i/o error", "unable to open")
_NO_ROOM = (
    "SQLITE_FULL",
    "SQLITE_IOERR_WRITE",
    "SQLITE_IOERR_SHM",
    "SQLITE_IOERR_TRUNCATE",
    "SQLITE_IOERR_FSYNC",
)
_NOT_NOW = (*_NO_ROOM, "SQLITE_CANTOPEN", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_READONLY")
"""What SQLite says of a full disk, and of a file that can't be looked at now: nothing against the file itself."""


class _Held(threading.local):
    """The connection of this thread, and the number of the file that was at its place when it was first seen."""

    connection: Any = None
    file: int = 0


_held = _Held()


def is_gone() -> bool:
    """Whether the file this process writes to is not the one at its place any more (SQLite)."""
    connection = connections["history"]
    if connection.vendor != "sqlite" or connection.connection is None or connection.in_atomic_block:
        return False
    name = str(connection.settings_dict["NAME"])
    if name == ":memory:" or name.startswith("file:"):
        return False
    try:
        now = os.stat(name)
    except FileNotFoundError:
        return True
    if _held.connection is not connection.connection:
        _held.connection, _held.file = connection.connection, now.st_ino
        return False
    return _held.file != now.st_ino


def is_broken(error: Exception) -> bool:
    """Whether an error says that the file can't be used as it is."""
    connection = connections["history"]
    if connection.vendor != "sqlite" or connection.in_atomic_block or _is_said(error, _NO_ROOM):
        return False
    text = str(error).lower()
    return any(word in text for word in _BROKEN)


def _is_said(error: Exception, names: tuple[str, ...]) -> bool:
    """Whether the driver's own error, below Django's, has one of these names."""
    name = getattr(error.__cause__, "sqlite_errorname", "")
    return str(name).startswith(names)


def replace() -> None:
    """Put what is there aside, and make an empty history in its place. DatabaseError or OSError when that fails, too."""
    connection = connections["history"]
    connection.close()
    path = Path(str(connection.settings_dict["NAME"]))
    if path.exists() and not _is_sound():
        aside = path.with_name(f"{path.name}.broken-{int(time.time())}")
        path.rename(aside)
        for ending in ("-wal", "-shm"):
            Path(f"{path}{ending}").unlink(missing_ok=True)
        _log.error("the request history was broken: it is kept as %s, and begins anew", aside)
    call_command("migrate", database="history", verbosity=0, interactive=False)


def _is_sound() -> bool:
    connection = connections["history"]
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check(1)")
            return cursor.fetchone() == ("ok",)
    except DatabaseError as error:
        return _is_said(error, _NOT_NOW)
    finally:
        connection.close()
