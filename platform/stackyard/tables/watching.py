"""Who wants to know when records change: told in the change's own transaction, with the record before and after.

Tables do not know who listens. A listener says which tables of a workspace it watches; nothing is read or held
for the others. Imported records (CSV, samples) are not told of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from .prepared import Prepared
from .query import Query

if TYPE_CHECKING:
    from .definitions import Schema, TableDef
    from .store import Store

Record = dict[str, Any]
ADD, EDIT, DELETE = "add", "edit", "delete"
ACTIONS = (ADD, EDIT, DELETE)


class Listener(Protocol):
    """Somebody who watches tables."""

    def watches(self, workspace_id: int) -> frozenset[int]:
        """The ids of the tables it watches; asked with every change, so it must be quick."""

    def changed(
        self, schema: Schema, table: TableDef, action: str, old: Record | None, new: Record | None
    ) -> None:
        """A record was added (`old` is None), edited, or deleted (`new` is None); `schema` says of which workspace and data."""


_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Be told from now on."""
    _listeners.append(listener)


def is_watched(store: Store, table: TableDef) -> bool:
    """Whether anybody watches a table."""
    workspace_id = store.schema.workspace_id
    return any(table.id in listener.watches(workspace_id) for listener in _listeners)


def together(store: Store, table: TableDef) -> AbstractContextManager[None]:
    """The transaction that a change and its telling share; nothing for a table that nobody watches."""
    return store.transaction() if is_watched(store, table) else nullcontext()


def tell(store: Store, table: TableDef, action: str, old: Record | None, new: Record | None) -> None:
    """Tell every listener that watches the table."""
    workspace_id = store.schema.workspace_id
    for listener in _listeners:
        if table.id in listener.watches(workspace_id):
            listener.changed(store.schema, table, action, old, new)


def by_id(store: Store, table: TableDef, ids: Iterable[int]) -> dict[int, Record]:
    """Records as they are now, for telling what they were."""
    wanted = list(ids)
    found: dict[int, Record] = {}
    for begin in range(0, len(wanted), 1_000):
        query = Query(table.name, where={"id": {"$in": wanted[begin : begin + 1_000]}})
        found.update({record["id"]: record for record in Prepared(store.schema, query).run(store)})
    return found


def changing(store: Store, table: TableDef, value: Any, field: str, deed: Callable[[], Record]) -> Record:
    """Change (or add) the record whose field holds a value, and tell of it."""
    if not is_watched(store, table):
        return deed()
    with store.transaction():
        old = store.get(table, value, field)
        new = deed()
        tell(store, table, ADD if old is None or old["id"] != new["id"] else EDIT, old, new)
        return new


def changing_many(
    store: Store, table: TableDef, items: Sequence[Any], deed: Callable[[], list[Record]]
) -> list[Record]:
    """Change records by their ids, and tell of each."""
    if not is_watched(store, table):
        return deed()
    with store.transaction():
        ids = [item["id"] for item in items if isinstance(item, dict) and isinstance(item.get("id"), int)]
        old = by_id(store, table, ids)
        made = deed()
        for new in made:
            tell(store, table, EDIT, old.get(new["id"]), new)
        return made


def adding(store: Store, table: TableDef, deed: Callable[[], list[Record]]) -> list[Record]:
    """Add records, and tell of each."""
    with together(store, table):
        made = deed()
        if is_watched(store, table):
            for new in made:
                tell(store, table, ADD, None, new)
        return made
