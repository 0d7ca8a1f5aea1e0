"""This thread's connection to the records and the catalogue, found quickly."""

from __future__ import annotations

import threading

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper


class _Held(threading.local):
    connection: BaseDatabaseWrapper | None = None


_held = _Held()


def own_connection() -> BaseDatabaseWrapper:
    """What Django calls `connections["default"]` in this thread.

    `django.db.connection` looks that up anew for every attribute, 1 to 1.5 µs each time; Django keeps one object
    per thread and alias for good, so it can be held.
    """
    connection = _held.connection
    if connection is None:
        connection = _held.connection = connections["default"]
    return connection


def forget_own() -> None:
    """Ask Django anew: an event loop that begins or ends in this thread (Playwright's) changes its answer."""
    _held.connection = None


def close_broken() -> None:
    """Close every connection of this thread that does not answer any more; the next use opens a new one.

    Asks each with a query, so it is for after an error only. One in a transaction is its owner's to end.
    """
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and not connection.in_atomic_block:
            connection.errors_occurred = True
            connection.close_if_unusable_or_obsolete()
