"""One version: what makes every process forget what it cached.

`Version.token` changes with any published or revoked thing in the installation, `Workspace.version`
with any in that workspace. Both are random 63-bit numbers compared for equality only, so a restored
backup can never look current. On SQLite the token is read with every request (about 2 µs); on
PostgreSQL each process watches it every 100 ms (a read per request would cost a tenth of it).
Source of the design: data.md §2.2 and design/README.md.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.conf import settings
from django.db import connections

from .connection import own_connection

_READ = "SELECT token FROM core_version WHERE id = 1"
_WATCH_SECONDS = 0.1


def new_token() -> int:
    """A random positive 63-bit number."""
    return secrets.randbits(62) + 1


def bump(workspace_id: int | None = None) -> None:
    """Say that something published, granted or revoked has changed; call it in the change's own transaction."""
    from .models import Version, Workspace

    if workspace_id is not None:
        Workspace.objects.filter(pk=workspace_id).update(version=new_token())
    Version.objects.update_or_create(pk=1, defaults={"token": new_token()})
    _watch.forget()
    _pinned.token = None


class _Pinned(threading.local):
    token: int | None = None


_pinned = _Pinned()


def pin() -> None:
    """Keep the present token for this thread until `unpin`: one call of an endpoint sees one version, read once."""
    _pinned.token = None
    _pinned.token = current()


def unpin() -> None:
    """Ask again from now on."""
    _pinned.token = None


class _Watch:
    """The last token seen on PostgreSQL, refreshed by one daemon thread per process."""

    def __init__(self) -> None:
        self._token: int | None = None
        self._read_at = 0.0
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Read again at the next question: this process has just changed it."""
        self._token = None

    def token(self) -> int:
        """The token, at most 1 s old; read directly when the watching thread has fallen behind."""
        if self._token is None or time.monotonic() - self._read_at > 1.0:
            token = _read_with_django()
            if not own_connection().in_atomic_block:
                self._token, self._read_at = token, time.monotonic()
                self._start()
            return token
        return self._token

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="version-watch", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(_WATCH_SECONDS)
            try:
                self._token, self._read_at = _read_with_django(), time.monotonic()
            except Exception:
                # The database is away: the readers notice the age and ask for themselves.
                connections["default"].close()
                time.sleep(_WATCH_SECONDS * 5)


_watch = _Watch()


def _read_with_django() -> int:
    with own_connection().cursor() as cursor:
        cursor.execute(_READ)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def current() -> int:
    """The installation's token now (0 before anything was published)."""
    pinned = _pinned.token
    if pinned is not None:
        return pinned
    if settings.VERSION_WATCHED:
        return _watch.token()
    connection = own_connection()
    raw = connection.connection
    if raw is None or connection.vendor != "sqlite":
        return _read_with_django()
    row = raw.execute(_READ).fetchone()
    return row[0] if row else 0


T = TypeVar("T")


class Current(Generic[T]):
    """A value that is loaded again whenever the installation's token has moved."""

    def __init__(self, load: Callable[[], T]) -> None:
        self._load = load
        self._held: tuple[int, T] | None = None

    def get(self, token: int | None = None) -> T:
        """The value at `token` (now, when not given). Loading twice at once is harmless: the last one stays."""
        if token is None:
            token = current()
        held = self._held
        if held is not None and held[0] == token:
            return held[1]
        value = self._load()
        self._held = (token, value)
        return value


def _load_workspaces() -> dict[int, int]:
    from .models import Workspace

    return dict(Workspace.objects.values_list("pk", "version"))


workspace_versions: Current[dict[int, int]] = Current(_load_workspaces)
"""Workspace id → its version, at the installation's present token."""
