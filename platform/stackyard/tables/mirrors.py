"""An index on a live SQLite table, built beside it: no writer waits for more than some milliseconds.

SQLite holds its one write lock while it builds an index, about a second a million records. So the indexed columns are
copied into a table of their own with the same ids, the mirror, which has the index from the beginning: triggers keep it as the
table is, and batches bring what was there before. In the end the mirror's index is, byte for byte, what the table's own
would be: it holds the columns and the ids. One transaction gives it to the table, by the row of the schema that says whose it
is (https://www.sqlite.org/lang_altertable.html#making_other_kinds_of_table_schema_changes allows such edits as long as what
is on the disk stays right); the job looks the index over afterwards.
"""

from __future__ import annotations

from stackyard.core.errors import Problem

from . import ddl

_DEEDS = ("i", "u", "d")


class Mirror:
    """The mirror of one index. Every method but `settle` is called within a transaction."""

    def __init__(self, plan: ddl.IndexPlan) -> None:
        self.plan = plan
        self._target = ddl.table_name(plan.table)
        self._base = ddl.named(plan.table, plan.name)
        self._name = ddl.quoted(f"{self._base}_mirror")
        self._noted = ddl.quoted(f"{self._base}_noted")
        self._columns = [column for column, _ in plan.columns if column != "id"]

    @property
    def is_there(self) -> bool:
        """Whether it was begun and is not over."""
        sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = %s"
        return bool(ddl.run(sql, [self._name.strip('"')]))

    @property
    def is_handed_over(self) -> bool:
        """Whether the table has the index."""
        sql = "SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = %s AND tbl_name = %s"
        return bool(ddl.run(sql, [self._base, self._target.strip('"')]))

    def begin(self) -> None:
        """The empty mirror with its index, and the triggers that keep it."""
        self.drop()
        types = ddl.types_of(self.plan.table)
        columns = "".join(f", {ddl.quoted(column)} {types[column]}" for column in self._columns)
        ddl.run(f"CREATE TABLE {self._name} (id INTEGER PRIMARY KEY{columns}) STRICT")
        # Not unique until the end: who writes must not be refused for an index that may never be.
        ddl.run(ddl.index_text(self.plan, self._name, unique=False))
        note = ""
        if self.plan.unique:
            ddl.run(f"CREATE TABLE {self._noted} (id INTEGER PRIMARY KEY) STRICT")
            note = f" INSERT OR IGNORE INTO {self._noted} (id) VALUES (NEW.id);"
        values = ", ".join(["NEW.id", *(f"NEW.{ddl.quoted(column)}" for column in self._columns)])
        gone = f"DELETE FROM {self._name} WHERE id = "
        put = f"{gone}NEW.id; INSERT INTO {self._name} VALUES ({values});{note}"
        changed = ", ".join(["id", *map(ddl.quoted, self._columns)])
        self._trigger("i", "INSERT", put)
        self._trigger("u", f"UPDATE OF {changed}", f"{gone}OLD.id; {put}")
        self._trigger("d", "DELETE", f"{gone}OLD.id;")

    def _trigger(self, deed: str, event: str, body: str) -> None:
        name = ddl.quoted(f"{self._base}_mirror_{deed}")
        ddl.run(f"CREATE TRIGGER {name} AFTER {event} ON {self._target} FOR EACH ROW BEGIN {body} END")

    def copy(self, first: int, last: int) -> None:
        """Bring the records with ids from `first` to `last`; what the triggers brought already stays."""
        columns = ", ".join(["id", *map(ddl.quoted, self._columns)])
        ddl.run(
            f"INSERT OR IGNORE INTO {self._name} SELECT {columns} FROM {self._target} WHERE id BETWEEN %s AND %s",
            [first, last],
        )

    def forget_noted(self) -> None:
        """From now on, note whose values change: a question about all of them is asked next."""
        if self.plan.unique:
            ddl.run(f"DELETE FROM {self._noted}")

    def _has_doubles(self) -> bool:
        """Whether a record whose values changed since `forget_noted` has the same as another."""
        same = " AND ".join(f"a.{ddl.quoted(c)} = b.{ddl.quoted(c)}" for c, _ in self.plan.columns)
        sql = (
            f"SELECT 1 FROM {self._noted} n JOIN {self._name} a ON a.id = n.id"
            f" JOIN {self._name} b ON {same} AND b.id <> a.id LIMIT 1"
        )
        return bool(ddl.run(sql))

    def hand_over(self) -> None:
        """Give the index to the table. Problem `CONFLICT` when it is to be unique and values have come twice meanwhile."""
        if self.plan.unique and self._has_doubles():
            raise Problem("CONFLICT", "The same values came twice meanwhile.")
        self._drop_triggers()
        version = int(ddl.run("PRAGMA schema_version")[0][0])
        ddl.run("PRAGMA writable_schema = ON")
        text = ddl.index_text(self.plan, self._target, unique=self.plan.unique)
        ddl.run(
            "UPDATE sqlite_schema SET tbl_name = %s, sql = %s WHERE type = 'index' AND name = %s",
            [self._target.strip('"'), text, self._base],
        )
        ddl.run(f"PRAGMA schema_version = {version + 1}")

    @staticmethod
    def settle() -> None:
        """After the transaction of `hand_over`, also a failed one: this connection reads the schema anew."""
        ddl.run("PRAGMA writable_schema = RESET")

    def is_sound(self) -> bool:
        """Whether the table and its indexes agree, every entry looked at: a second a million records, nobody waits."""
        found = ddl.run(f"PRAGMA integrity_check({self._target})")
        return [str(row[0]) for row in found] == ["ok"]

    def rebuild(self) -> None:
        """Build the index the slow way."""
        ddl.run(f"REINDEX {ddl.quoted(self._base)}")

    def empty(self, first: int, last: int) -> None:
        """Delete from the mirror, which has no index any more, the records with ids from `first` to `last`."""
        ddl.run(f"DELETE FROM {self._name} WHERE id BETWEEN %s AND %s", [first, last])

    def drop(self) -> None:
        """Take away whatever of it is there; the index too, as long as it is the mirror's."""
        self._drop_triggers()
        ddl.run(f"DROP TABLE IF EXISTS {self._name}")
        ddl.run(f"DROP TABLE IF EXISTS {self._noted}")

    def _drop_triggers(self) -> None:
        for deed in _DEEDS:
            ddl.run(f"DROP TRIGGER IF EXISTS {ddl.quoted(f'{self._base}_mirror_{deed}')}")
