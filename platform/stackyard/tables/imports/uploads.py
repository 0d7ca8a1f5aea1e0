"""Files that wait to be imported: in the home, named by chance, gone when they are imported or a week old.

Web server and workers share the home, so a worker finds what the web server took in.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from stackyard.core.errors import Problem
from stackyard.core.limits import IMPORT_BYTES

CHUNK_BYTES = 1 << 20
KEPT_SECONDS = 7 * 86_400
REJECTS_KEPT_SECONDS = 30 * 86_400
_NAME = re.compile(r"[0-9a-f]{32}\Z")


def folder(workspace_id: int) -> Path:
    """Where a workspace's files wait; made when it is not there."""
    path: Path = settings.HOME / "imports" / str(workspace_id)
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def keep(workspace_id: int, chunks: Iterable[bytes]) -> str:
    """Write a file as it comes in; its name. Problem `PAYLOAD_TOO_LARGE` past the limit, and then nothing is kept."""
    sweep(workspace_id)
    name = secrets.token_hex(16)
    path = folder(workspace_id) / f"{name}.csv"
    size = 0
    try:
        with path.open("xb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > IMPORT_BYTES.default:
                    raise Problem("PAYLOAD_TOO_LARGE", f"A file has at most {IMPORT_BYTES.default:,} bytes.")
                file.write(chunk)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise Problem(
            "BUSY", f"The file could not be kept: {error.strerror}.", suggestion="Make room on the disk."
        ) from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return name


def keep_file(workspace_id: int, path: Path) -> str:
    """A copy of a file that is here already, for a command."""
    with path.open("rb") as file:
        return keep(workspace_id, iter(lambda: file.read(CHUNK_BYTES), b""))


def path_of(workspace_id: int, name: str) -> Path:
    """Where a file is. Problem `NOT_FOUND` when it is not there any more."""
    path = folder(workspace_id) / f"{name}.csv"
    if _NAME.match(name) is None or not path.is_file():
        raise Problem(
            "NOT_FOUND",
            "The uploaded file is not there any more.",
            suggestion="Upload it again; files wait for a week.",
        )
    return path


def rejects_path(workspace_id: int, run_id: str) -> Path:
    """Where the rejected rows of a run are written."""
    return folder(workspace_id) / f"{run_id}.rejects.csv"


def forget(workspace_id: int, name: str) -> None:
    """Remove an uploaded file and what was made of it."""
    if _NAME.match(name) is not None:
        for path in folder(workspace_id).glob(f"{name}.*"):
            path.unlink(missing_ok=True)


def sweep(workspace_id: int) -> None:
    """Remove what has waited too long."""
    now = time.time()
    for entry in os.scandir(folder(workspace_id)):
        limit = REJECTS_KEPT_SECONDS if entry.name.endswith(".rejects.csv") else KEPT_SECONDS
        try:
            if now - entry.stat().st_mtime > limit:
                os.unlink(entry.path)
        except FileNotFoundError:
            continue
