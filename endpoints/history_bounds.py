"""How much history is kept: by count, age and bytes. The oldest go, a few hundred at a time.

Each batch is a transaction of its own of some milliseconds, so that neither this nor another process waits long to
write; what one round leaves, the next one takes.
"""

from __future__ import annotations

import time

from django.conf import settings
from django.db import connections, transaction

_BATCH = 500
_ROUNDS = 20
_DAY_MS = 86_400_000
_TABLE = "endpoints_historyentry"


def prune(kept: int, days: float | None = None, most_bytes: int | None = None) -> int:
    """Delete what is too much, at most 10,000 entries; how many. Django's DatabaseError when the database refuses."""
    days = settings.HISTORY_DAYS if days is None else days
    most_bytes = settings.HISTORY_BYTES if most_bytes is None else most_bytes
    deleted = 0
    for _ in range(_ROUNDS):
        edge = _edge(kept, days)
        if edge is None and _bytes() > most_bytes:
            edge = _ids()[0] + _BATCH
        if edge is None:
            break
        deleted += _delete_before(edge)
    return deleted


def _edge(kept: int, days: float) -> int | None:
    """The id before which entries are too many or too old; None when there are none."""
    first, last = _ids()
    if last - first >= kept:
        return min(last - kept + 1, first + _BATCH)
    oldest = int((time.time() - days * 86_400) * 1000)
    with connections["history"].cursor() as cursor:
        cursor.execute(f'SELECT created_at FROM "{_TABLE}" WHERE id = %s', [first])
        row = cursor.fetchone()
        if row is None or row[0] >= oldest:
            return None
        cursor.execute(
            f'SELECT MIN(id) FROM (SELECT id, created_at FROM "{_TABLE}" ORDER BY id LIMIT {_BATCH}) AS e'
            " WHERE created_at >= %s",
            [oldest],
        )
        row = cursor.fetchone()
    return row[0] if row is not None and row[0] is not None else first + _BATCH


def _ids() -> tuple[int, int]:
    with connections["history"].cursor() as cursor:
        cursor.execute(f'SELECT MIN(id) FROM "{_TABLE}"')
        first = cursor.fetchone()[0]
        cursor.execute(f'SELECT MAX(id) FROM "{_TABLE}"')
        last = cursor.fetchone()[0]
    return (first, last) if first is not None else (1, 0)


def _delete_before(edge: int) -> int:
    first = _ids()[0]
    with transaction.atomic(using="history"), connections["history"].cursor() as cursor:
        cursor.execute(
            f'DELETE FROM "{_TABLE}" WHERE id >= %s AND id < %s', [first, min(edge, first + _BATCH)]
        )
        return int(cursor.rowcount)


def _bytes() -> int:
    """What the history takes: on SQLite the pages in use of its file, on PostgreSQL the table with its indexes.

    PostgreSQL gives deleted entries' room back to the table when it vacuums, so there live entries are what counts.
    """
    connection = connections["history"]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            pages = []
            for pragma in ("page_count", "freelist_count", "page_size"):
                cursor.execute(f"PRAGMA {pragma}")
                pages.append(int(cursor.fetchone()[0]))
            return (pages[0] - pages[1]) * pages[2]
        cursor.execute(
            # The counts lag behind, so they never speak for less than a tenth.
            "SELECT pg_total_relation_size(c.oid) * GREATEST(COALESCE(s.n_live_tup::float8"
            " / NULLIF(s.n_live_tup + s.n_dead_tup, 0), 1), 0.1) FROM pg_class c"
            " LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid WHERE c.oid = to_regclass(%s)",
            [_TABLE],
        )
        return int(cursor.fetchone()[0] or 0)
