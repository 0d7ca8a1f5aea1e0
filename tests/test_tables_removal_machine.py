"""Deletions against a model: who goes along, who is emptied, and who is told, whatever refers to whom."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from stackyard.core.errors import Problem
from stackyard.tables import changes, watching
from stackyard.tables.query import Query
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.factories import make_workspace

RULES = ("cascade", "set_null", "restrict")
TABLES = ("a", "b")
Key = tuple[str, int]


class RemovalMachine(RuleBasedStateMachine):
    """Two tables whose records refer to each other and to themselves by every rule."""

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.listeners = list(watching._listeners)
        workspace = make_workspace("machine")
        made = {name: changes.create_table(workspace, name, fields={"n": "int"}) for name in TABLES}
        # (table, field) to (table referred to, rule)
        self.fields: dict[tuple[str, str], tuple[str, str]] = {}
        for table in TABLES:
            for target in TABLES:
                for rule_ in data.draw(st.lists(st.sampled_from(RULES), max_size=2, unique=True)):
                    name = f"{rule_}_{target}"
                    spec = {"type": "reference", "table": target, "on_delete": rule_}
                    changes.add_field(made[table], name, spec)
                    self.fields[table, name] = (target, rule_)
        self.store = Store(load_schema(workspace.pk))
        self.names = {self.store.schema.table(name).id: name for name in TABLES}
        self.records: dict[Key, dict[str, int | None]] = {}
        self.told: list[tuple[str, str, int]] = []
        watching._listeners.append(self)

    def teardown(self) -> None:
        if hasattr(self, "listeners"):
            watching._listeners[:] = self.listeners
        if hasattr(self, "atomic"):
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def watches(self, workspace_id: int) -> frozenset[int]:
        return frozenset(self.names)

    def changed(self, workspace_id: int, table: Any, action: str, old: Any, new: Any) -> None:
        self.told.append((action, table.name, (new or old)["id"]))

    def own(self, table: str) -> list[str]:
        return [name for of, name in self.fields if of == table]

    def ids(self, table: str) -> list[int]:
        return [number for of, number in self.records if of == table]

    @rule(data=st.data(), table=st.sampled_from(TABLES), size=st.integers(1, 4))
    def add(self, data: st.DataObject, table: str, size: int) -> None:
        items = [
            {name: self.some(data, self.fields[table, name][0]) for name in self.own(table)}
            for _ in range(size)
        ]
        for record, item in zip(self.store.add_many(table, items), items, strict=True):
            self.records[table, record["id"]] = item

    def some(self, data: st.DataObject, target: str) -> int | None:
        return data.draw(st.none() | st.sampled_from(self.ids(target))) if self.ids(target) else None

    @rule(data=st.data())
    def point(self, data: st.DataObject) -> None:
        """Let a record refer to another, so that circles come to be."""
        if not self.records or not self.fields:
            return
        table, number = data.draw(st.sampled_from(sorted(self.records)))
        for name in self.own(table):
            chosen = self.some(data, self.fields[table, name][0])
            self.store.patch(table, number, {name: chosen})
            self.records[table, number][name] = chosen

    @rule(data=st.data(), many=st.booleans())
    def delete(self, data: st.DataObject, many: bool) -> None:
        if not self.records:
            return
        table, number = data.draw(st.sampled_from(sorted(self.records)))
        asked = {number} | (set(data.draw(st.lists(st.sampled_from(self.ids(table))))) if many else set())
        gone = self.going({(table, one) for one in asked})
        self.told.clear()
        if self.is_held(gone):
            with pytest.raises(Problem, match="refer to it by"):
                self.store.delete_many(table, {"id": {"$in": list(asked)}})
            assert self.told == []
            return
        if many:
            assert self.store.delete_many(table, {"id": {"$in": list(asked)}}) == len(asked)
        else:
            self.store.delete(table, number)
        emptied = [
            (of, name)
            for of, record in self.records.items()
            for name, target in record.items()
            if of not in gone
            and target is not None
            and self.fields[of[0], name][1] == "set_null"
            and (self.fields[of[0], name][0], target) in gone
        ]
        for of, name in emptied:
            self.records[of][name] = None
        for one in gone:
            del self.records[one]
        assert sorted(t for t in self.told if t[0] == "delete") == sorted(("delete", *one) for one in gone)
        assert {t[1:] for t in self.told if t[0] == "edit"} >= {of for of, _ in emptied}

    def going(self, gone: set[Key]) -> set[Key]:
        """What goes when these go: all that refers to them by cascade, to any depth."""
        while True:
            more = {
                of
                for of, record in self.records.items()
                for name, target in record.items()
                if target is not None
                and self.fields[of[0], name][1] == "cascade"
                and (self.fields[of[0], name][0], target) in gone
            }
            if more <= gone:
                return gone
            gone = gone | more

    def is_held(self, gone: set[Key]) -> bool:
        return any(
            of not in gone
            and target is not None
            and self.fields[of[0], name][1] == "restrict"
            and (self.fields[of[0], name][0], target) in gone
            for of, record in self.records.items()
            for name, target in record.items()
        )

    @rule()
    def look(self) -> None:
        for table in TABLES:
            found = {
                (table, r["id"]): {name: r[name] for name in self.own(table)}
                for r in self.store.query(Query(table))
            }
            assert found == {key: record for key, record in self.records.items() if key[0] == table}
            assert self.store.dangling(table) == []


@pytest.mark.django_db(databases=["default", "history"])
def test_deletions_do_what_the_model_does() -> None:
    thorough = os.environ.get("STACKYARD_FUZZ") == "1"
    profile = settings(
        max_examples=300 if thorough else 12,
        stateful_step_count=40 if thorough else 15,
        deadline=None,
        derandomize=not thorough,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(RemovalMachine, settings=profile)  # type: ignore[no-untyped-call]
