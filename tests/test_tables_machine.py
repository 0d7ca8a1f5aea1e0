"""The store against a model of plain dictionaries, in random orders of random deeds (`make fuzz` looks further)."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from stackyard.core.errors import Problem
from stackyard.tables import changes
from stackyard.tables.conversions.starting import retype
from stackyard.tables.models import Field
from stackyard.tables.query import Query
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.factories import make_workspace
from tests.record_model import aggregated, converted, in_order, meets

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LETTERS = st.characters(codec="utf-8", exclude_characters="\0")
PLAIN = "aAbBzZ09 %_\\*?[]'\"-äÄ"
TEXTS = st.one_of(st.text(PLAIN, max_size=6), st.text(LETTERS, max_size=8))
INTS = st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "int": INTS,
    "decimal": st.decimals(-(10**15), 10**15, places=2).map(lambda d: d if d else Decimal("0.00")),
    "float": st.floats(allow_nan=False, allow_infinity=False).map(lambda f: f or 0.0),
    "bool": st.booleans(),
    "timestamp": st.integers(-(10**13), 10**14).map(lambda ms: EPOCH + timedelta(milliseconds=ms)),
    "date": st.dates().map(lambda day: day.isoformat()),
    "uuid": st.uuids().map(str),
    "list": st.lists(st.integers(-2, 2), max_size=3),
}
SPECS: dict[str, dict[str, Any]] = {"list": {"type": "list", "of": "int"}}
NUMBERS = ("int", "decimal", "float")
KINDS = sorted(VALUES)
CONVERTED = ["int", "decimal", "float", "text", "bool"]
ORDER = ("$gt", "$gte", "$lt", "$lte")


class StoreMachine(RuleBasedStateMachine):
    """One table whose fields come, go and change their names, and its records."""

    names = Bundle("names")

    @initialize()
    def begin(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.workspace = make_workspace("machine")
        self.table = changes.create_table(
            self.workspace, "t", fields={"key": {"type": "int", "unique": True}}
        )
        self.fields: dict[str, str] = {"key": "int"}
        self.records: dict[int, dict[str, Any]] = {}
        self.count = 0
        self.reload()

    def teardown(self) -> None:
        if hasattr(self, "atomic"):
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def reload(self) -> None:
        self.store = Store(load_schema(self.workspace.pk))

    def field(self, name: str) -> Field:
        return self.table.fields.get(name=name, hidden_at=None)

    def values(self, data: st.DataObject, names: list[str]) -> dict[str, Any]:
        return {name: data.draw(st.none() | VALUES[self.fields[name]], name) for name in names}

    def some_names(self, data: st.DataObject) -> list[str]:
        return data.draw(st.lists(st.sampled_from(sorted(self.fields)), unique=True))

    def taken(self, key: Any, by: int | None = None) -> bool:
        return key is not None and any(r["key"] == key for n, r in self.records.items() if n != by)

    def keep(self, record: dict[str, Any]) -> None:
        assert record["created_at"].microsecond % 1000 == 0
        self.records[record["id"]] = record

    @precondition(lambda self: len(self.fields) < 8)
    @rule(target=names, kind=st.sampled_from(KINDS), required=st.booleans(), data=st.data())
    def add_field(self, kind: str, required: bool, data: st.DataObject) -> str:
        self.count += 1
        name = f"f{self.count}"
        default = data.draw(VALUES[kind]) if required else None
        written = default.isoformat() if isinstance(default, datetime) else default
        written = str(default) if isinstance(default, Decimal) else written
        spec = {"type": kind, **SPECS.get(kind, {})}
        if required:
            spec |= {"required": True, "default": written}
        changes.add_field(self.table, name, spec)
        self.fields[name] = kind
        for record in self.records.values():
            record[name] = default
        if required:
            changes.edit_field(self.field(name), required=False, default=None)
        self.reload()
        return name

    @rule(target=names, name=consumes(names))
    def rename_field(self, name: str) -> str:
        self.count += 1
        new = f"g{self.count}"
        changes.rename_field(self.field(name), new)
        self.fields = {new if old == name else old: kind for old, kind in self.fields.items()}
        for number, record in self.records.items():
            self.records[number] = {new if old == name else old: value for old, value in record.items()}
        self.reload()
        return new

    @rule(name=consumes(names))
    def hide_field(self, name: str) -> None:
        changes.hide_field(self.field(name))
        del self.fields[name]
        for record in self.records.values():
            del record[name]
        self.reload()

    @rule(name=names)
    def index_field(self, name: str) -> None:
        if self.fields[name] != "list" and self.table.indexes.filter(hidden_at=None).count() < 5:
            changes.add_index(self.table, [name, "-key"])
            self.reload()

    @rule(name=names, kind=st.sampled_from(CONVERTED), on_bad=st.sampled_from(["null", "refuse"]))
    def retype_field(self, name: str, kind: str, on_bad: str) -> None:
        if self.fields[name] in (kind, "list"):
            return
        after, refused = converted(self.records, name, self.fields[name], kind)
        if refused and on_bad == "refuse":
            with pytest.raises(Problem, match="can't become"):
                retype(self.field(name), {"type": kind}, on_bad=on_bad)
            return
        assert retype(self.field(name), {"type": kind}, on_bad=on_bad) is None
        self.fields[name] = kind
        for number, value in after.items():
            self.records[number][name] = value
        self.reload()

    @rule(data=st.data())
    def add(self, data: st.DataObject) -> None:
        values = self.values(data, self.some_names(data))
        if self.taken(values.get("key")):
            with pytest.raises(Problem) as caught:
                self.store.add("t", values)
            assert caught.value.code == "CONFLICT"
            return
        record = self.store.add("t", values)
        assert {k: record[k] for k in self.fields} == {**dict.fromkeys(self.fields), **values}
        assert record["id"] > max(self.records, default=0)
        self.keep(record)

    @rule(data=st.data(), size=st.integers(0, 5))
    def add_many(self, data: st.DataObject, size: int) -> None:
        items = [self.values(data, [n for n in self.some_names(data) if n != "key"]) for _ in range(size)]
        records = self.store.add_many("t", items)
        assert len(records) == size
        for record, item in zip(records, items, strict=True):
            assert {k: record[k] for k in self.fields} == {**dict.fromkeys(self.fields), **item}
            self.keep(record)

    @rule(data=st.data(), whole=st.booleans())
    def change(self, data: st.DataObject, whole: bool) -> None:
        number = data.draw(st.sampled_from([*sorted(self.records), 10**9]))
        values = self.values(data, self.some_names(data))
        deed = self.store.edit if whole else self.store.patch
        if number not in self.records or self.taken(values.get("key"), number):
            with pytest.raises(Problem) as caught:
                deed("t", number, values)
            assert caught.value.code == ("CONFLICT" if number in self.records else "NOT_FOUND")
            return
        before = self.records[number]
        kept = dict.fromkeys(self.fields) if whole else {}
        after = {**before, **kept, **values}
        assert deed("t", number, values) == after
        self.records[number] = after

    @rule(data=st.data(), key=st.integers(-3, 3))
    def upsert(self, data: st.DataObject, key: int) -> None:
        values = self.values(data, [name for name in self.some_names(data) if name != "key"])
        record = self.store.upsert("t", key, values, "key")
        before = next((r for r in self.records.values() if r["key"] == key), None)
        if before is not None:
            assert record == {**before, **values}
        else:
            assert record["id"] not in self.records
        self.keep(record)

    @precondition(lambda self: self.records)
    @rule(data=st.data(), by=st.integers(-3, 3))
    def increment(self, data: st.DataObject, by: int) -> None:
        number = data.draw(st.sampled_from(sorted(self.records)))
        name = data.draw(
            st.sampled_from([n for n, kind in self.fields.items() if kind in ("int", "decimal")])
        )
        held = self.records[number][name] or 0
        most = 2**63 if self.fields[name] == "int" else Decimal(10) ** 16
        after = {**self.records[number], name: held + by}
        if not -most <= held + by < most or (name == "key" and self.taken(held + by, number)):
            with pytest.raises(Problem):
                self.store.increment("t", number, name, by)
            return
        assert self.store.increment("t", number, name, by) == after
        self.records[number] = after

    @rule(data=st.data())
    def patch_many(self, data: st.DataObject) -> None:
        """All of them or, where one is not there, none."""
        numbers = data.draw(
            st.lists(st.sampled_from([*sorted(self.records), 10**9]), max_size=4, unique=True)
        )
        names = [name for name in self.some_names(data) if name != "key"]
        items = [{"id": number, **self.values(data, names)} for number in numbers]
        if 10**9 in numbers:
            with pytest.raises(Problem):
                self.store.patch_many("t", items)
            return
        after = [{**self.records[item["id"]], **item} for item in items]
        assert self.store.patch_many("t", items) == after
        self.records.update({record["id"]: record for record in after})

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from([*sorted(self.records), 10**9]))
        if number in self.records:
            self.store.delete("t", number)
            del self.records[number]
        else:
            with pytest.raises(Problem):
                self.store.delete("t", number)

    @rule(data=st.data())
    def delete_many(self, data: st.DataObject) -> None:
        where = data.draw(self.wheres(1))
        gone = [number for number, record in self.records.items() if meets(where, record)]
        assert self.store.delete_many("t", where) == len(gone)
        for number in gone:
            del self.records[number]

    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        with pytest.raises(ZeroDivisionError):
            self.fail_in_the_middle()
        assert self.store.query(Query("t", return_="count")) == len(self.records)

    def fail_in_the_middle(self) -> None:
        with self.store.transaction():
            self.store.add("t", {})
            self.store.delete_many("t", {})
            raise ZeroDivisionError

    def wheres(self, depth: int) -> st.SearchStrategy[dict[str, Any]]:
        one = st.sampled_from(sorted(self.fields)).flatmap(lambda name: self.conditions(name))
        if depth == 0:
            return one
        below = self.wheres(depth - 1)
        groups = st.sampled_from(["$and", "$or", "$nor"])
        return st.one_of(
            one,
            st.tuples(groups, st.lists(below, max_size=3)).map(lambda pair: {pair[0]: pair[1]}),
            below.map(lambda where: {"$not": where}),
            st.lists(one, max_size=2).map(lambda parts: {k: v for part in parts for k, v in part.items()}),
        )

    def conditions(self, name: str) -> st.SearchStrategy[dict[str, Any]]:
        held = [record[name] for record in self.records.values() if record[name] is not None]
        values = VALUES[self.fields[name]]
        values = st.one_of(values, st.sampled_from(held)) if held else values
        maybe = st.none() | values
        if self.fields[name] == "list":
            return self.list_conditions(name)
        asked = [
            maybe,
            maybe.map(lambda v: {"$ne": v}),
            st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(maybe, max_size=4)).map(
                lambda p: {p[0]: p[1]}
            ),
            st.booleans().map(lambda flag: {"$exists": flag}),
        ]
        if self.fields[name] != "bool":
            asked.append(st.tuples(st.sampled_from(ORDER), values).map(lambda p: {p[0]: p[1]}))
            asked.append(st.lists(values, min_size=2, max_size=2).map(lambda pair: {"$between": pair}))
        if self.fields[name] == "text":
            # Letters whose lower case both databases agree on.
            words = st.text(PLAIN, max_size=3)
            asked.append(
                words.map(lambda w: {"$like": w if (len(w) - len(w.rstrip("\\"))) % 2 == 0 else w + "\\"})
            )
            ops = st.sampled_from(["$contains", "$starts_with", "$ends_with"])
            asked.append(st.tuples(ops, words).map(lambda p: {p[0]: p[1]}))
        return st.one_of(asked).map(lambda condition: {name: condition})

    def list_conditions(self, name: str) -> st.SearchStrategy[dict[str, Any]]:
        items = st.integers(-2, 2)
        some = st.sampled_from(["$has_any", "$has_all"])
        asked = st.one_of(
            st.none(),
            st.just({"$ne": None}),
            items.map(lambda item: {"$has": item}),
            st.tuples(some, st.lists(items, max_size=2)).map(lambda p: {p[0]: p[1]}),
        )
        return asked.map(lambda condition: {name: condition})

    def plain_names(self) -> list[str]:
        return sorted(name for name, kind in self.fields.items() if kind != "list")

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        where = data.draw(self.wheres(2))
        names = st.sampled_from([*self.plain_names(), "id", "created_at"])
        signed = st.tuples(st.sampled_from(["", "-"]), names).map("".join)
        sort = data.draw(st.lists(signed, max_size=3, unique_by=lambda name: name.removeprefix("-")))
        found = [dict(r) for r in in_order([r for r in self.records.values() if meets(where, r)], sort)]
        assert self.store.query(Query("t", where=where, sort=sort)) == found
        assert self.store.query(Query("t", where=where, return_="count")) == len(found)
        assert self.store.query(Query("t", where=where, return_="exists")) is bool(found)
        first = self.store.query(Query("t", where=where, sort=sort, return_="single"))
        assert first == (found[0] if found else None)
        self.ask_pages(where, sort, found, data.draw(st.integers(1, 4)))

    def ask_pages(self, where: Any, sort: list[str], found: list[dict[str, Any]], size: int) -> None:
        by_number: list[Any] = []
        page: int | None = 1
        while page is not None:
            answer = self.store.query(
                Query("t", where=where, sort=sort, page=page, per_page=size, totals=True)
            )
            by_number += answer["items"]
            assert answer["itemsTotal"] == len(found)
            page = answer["nextPage"]
        past = Query("t", where=where, sort=sort, page=len(found) + 2, per_page=size, totals=True)
        answer = self.store.query(past)
        assert (answer["items"], answer["itemsTotal"]) == ([], len(found))
        by_cursor: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = self.store.query(Query("t", where=where, sort=sort, cursor=cursor, per_page=size))
            by_cursor += answer["items"]
            cursor = answer["nextCursor"]
        assert by_number == by_cursor == found

    @rule(data=st.data())
    def work_out(self, data: st.DataObject) -> None:
        where = data.draw(self.wheres(1))
        groups = data.draw(st.lists(st.sampled_from(self.plain_names()), max_size=2, unique=True))
        measures = {f"m{n}": data.draw(self.measures()) for n in range(data.draw(st.integers(1, 3)))}
        records = [record for record in self.records.values() if meets(where, record)]
        found = aggregated(records, groups, measures)
        answer = self.store.query(Query("t", where=where, group_by=groups, aggregate=measures))
        assert answer == (found if groups else found[0])

    def measures(self) -> st.SearchStrategy[Any]:
        numbers = [name for name, kind in self.fields.items() if kind in NUMBERS]
        ordered = [name for name in self.plain_names() if self.fields[name] != "bool"]
        of = [
            st.tuples(st.sampled_from(["sum", "avg"]), st.sampled_from(numbers)),
            st.tuples(st.sampled_from(["min", "max"]), st.sampled_from(ordered)),
            st.tuples(st.just("count_distinct"), st.sampled_from(self.plain_names())),
            st.tuples(st.just("count"), st.sampled_from(sorted(self.fields))),
        ]
        return st.just("count") | st.one_of(of).map(lambda pair: {pair[0]: pair[1]})

    @rule()
    def look(self) -> None:
        for number, record in self.records.items():
            assert self.store.get("t", number) == record
        assert self.store.get("t", 10**9) is None


@pytest.mark.django_db(databases=["default", "history"])
def test_the_store_does_what_the_model_does() -> None:
    thorough = os.environ.get("STACKYARD_FUZZ") == "1"
    profile = settings(
        max_examples=400 if thorough else 12,
        stateful_step_count=50 if thorough else 20,
        deadline=None,
        derandomize=not thorough,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(StoreMachine, settings=profile)  # type: ignore[no-untyped-call]
