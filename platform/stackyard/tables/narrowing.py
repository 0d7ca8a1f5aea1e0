"""Before something that published stacks may rely on goes away or changes its face, they are asked.

Tables do not know who uses them; who does connects to `narrowed` and raises a Problem, which takes the
change back. `workspace apply` changes tables and documents together and asks once, at its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.dispatch import Signal

# Sent in the change's transaction with `workspace_id` and `names`: tables, fields or functions that are gone or changed.
narrowed = Signal()

_asked_later: ContextVar[bool] = ContextVar("narrowing_asked_later", default=False)


def ask(workspace_id: int, *names: str) -> None:
    """Ask whether these may go or change. A Problem `CONFLICT` says what still uses them."""
    if not _asked_later.get():
        narrowed.send(sender=None, workspace_id=workspace_id, names=names)


@contextmanager
def asked_later() -> Iterator[None]:
    """Changes inside do not ask; whoever makes them checks everything at the end."""
    token = _asked_later.set(True)
    try:
        yield
    finally:
        _asked_later.reset(token)
