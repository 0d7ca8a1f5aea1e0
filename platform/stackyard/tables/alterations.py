"""How a change of tables gets its turn: one changer per workspace, short locks, many tries."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection, transaction

from stackyard.core.errors import Problem
from stackyard.core.models import Workspace

T = TypeVar("T")

TRIES = 20
LOCK_MILLISECONDS = 200
# PostgreSQL: lock_not_available and deadlock_detected.
_WAITED = ("55P03", "40P01")


def is_live() -> bool:
    """Whether PostgreSQL may work without one long lock: outside of any transaction."""
    return connection.vendor == "postgresql" and not connection.in_atomic_block


def alter(workspace_id: int, work: Callable[[], T]) -> T:
    """Run a change in a transaction that other changes of the workspace wait for.

    On PostgreSQL no lock is waited for longer than 200 ms, because a waiting ALTER TABLE stops every
    request behind it; the change starts again instead (data.md §2.1.4). Problem `BUSY` after 20 tries.
    """
    if not is_live():
        with transaction.atomic():
            _take_turn(workspace_id)
            return work()
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_MILLISECONDS}ms'")
                _take_turn(workspace_id)
                return work()
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) not in _WAITED:
                raise
            time.sleep(random.uniform(0.02, 0.1) * (1 + attempt / 5))
    raise Problem(
        "BUSY",
        "The table is in use by a long transaction.",
        suggestion="Try again when it has ended.",
    )


def _take_turn(workspace_id: int) -> None:
    """Hold the workspace's row to the end of the transaction (SQLite: the transaction holds everything)."""
    list(Workspace.objects.select_for_update().filter(pk=workspace_id).values_list("pk"))
