"""Before something that published stacks may rely on goes away or changes its face, they are asked.

Tables do not know who uses them; who does connects to `narrowed` and says what would break, which takes the
change back. `workspace apply` changes tables and documents together and asks once, at its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import cast

from django.dispatch import Signal

from stackyard.core.errors import Detail, Problem

# Sent in the change's transaction with `workspace_id` and `names`: tables, fields, functions or lambdas that are gone or
# changed. Each receiver gives a Detail for every place that would no longer work.
narrowed = Signal()

SHOWN = 10
_asked_later: ContextVar[bool] = ContextVar("narrowing_asked_later", default=False)


def ask(workspace_id: int, *names: str, also: Sequence[Detail] = ()) -> None:
    """Ask whether these may go or change. A Problem `CONFLICT` says what still uses them: `also`, and who is asked."""
    if _asked_later.get():
        return
    details: list[Detail] = []
    for _, found in narrowed.send(sender=None, workspace_id=workspace_id, names=names):
        details += cast("list[Detail]", found)
    details += also
    if details:
        raise Problem(
            "CONFLICT",
            f"What is published still uses it: {_listed(details)}.",
            suggestion="Change and publish these first, or change everything together with workspace apply.",
            details=details[:SHOWN],
        )


def _listed(details: Sequence[Detail]) -> str:
    """The places as a text: the first few, and how many more."""
    places = list(dict.fromkeys(detail.field for detail in details))
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    return "; ".join(places[:3]) + more


@contextmanager
def asked_later() -> Iterator[None]:
    """Changes inside do not ask; whoever makes them checks everything at the end."""
    token = _asked_later.set(True)
    try:
        yield
    finally:
        _asked_later.reset(token)
