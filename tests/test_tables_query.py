"""Queries: what can be asked, and every fault of what can't. No database."""

from __future__ import annotations

from typing import Any

import pytest

from stackyard.core import types as t
from stackyard.core.errors import Faults
from stackyard.tables.definitions import FieldDef, Schema, TableDef
from stackyard.tables.field_type import make_type
from stackyard.tables.query import Query, Slot, check_query

SPECS: dict[str, Any] = {
    "name": {"type": "text", "required": True},
    "price": "decimal",
    "count": "int",
    "tags": {"type": "list", "of": "text"},
    "parts": {"type": "list", "of": {"type": "object", "fields": {"n": "int"}}},
    "meta": "json",
    "address": {"type": "object", "fields": {"city": "text", "zip": "int"}},
    "active": "bool",
}
HIDDEN = {"secret": "private", "hash": "internal"}


def make_schema() -> Schema:
    """A schema without a database: the language is pure."""
    fields = {
        "id": FieldDef(0, "id", "id", make_type("int"), required=True, unique=True),
        "created_at": FieldDef(0, "created_at", "created_at", make_type("timestamp"), required=True),
    }
    for number, (name, spec) in enumerate(SPECS.items(), 1):
        required = isinstance(spec, dict) and spec.get("required", False)
        fields[name] = FieldDef(number, name, f"c{number}", make_type(spec), required=required)
    for number, (name, access) in enumerate(HIDDEN.items(), 90):
        fields[name] = FieldDef(number, name, f"c{number}", make_type("text"), access=access)
    items = TableDef(1, "items", "d1", None, fields)
    return Schema(1, 1, {"items": items})


SCHEMA = make_schema()


def faults(**parts: Any) -> list[tuple[str, str]]:
    found = Faults()
    check_query(SCHEMA, Query("items", **parts), found)
    return [(fault.dotted, fault.code) for fault in found.found]


FAULTS: list[tuple[Any, list[tuple[str, str]]]] = [
    ({"nmae": 1, "cuont": 2}, [("where.nmae", "unknown_field"), ("where.cuont", "unknown_field")]),
    ([{"name": 1}], [("where", "type")]),
    ("name", [("where", "type")]),
    (Slot(0), [("where", "type")]),
    ({"count": "x"}, [("where.count", "type")]),
    ({"count": [1, 2]}, [("where.count", "operator")]),
    ({"count": {"a": 1}}, [("where.count.a", "operator")]),
    ({"count": {}}, [("where.count", "operator")]),
    ({"count": {"$optional": True}}, [("where.count", "operator")]),
    ({"count": {"$gtt": 1}}, [("where.count.$gtt", "operator")]),
    ({"count": {"$like": "1%"}}, [("where.count.$like", "operator")]),
    ({"count": {"$gt": None}}, [("where.count.$gt", "type")]),
    ({"count": {"$in": 5}}, [("where.count.$in", "type")]),
    ({"count": {"$in": [1, "x"]}}, [("where.count.$in", "type")]),
    ({"count": {"$between": [1]}}, [("where.count.$between", "type")]),
    (
        {"count": {"$between": ["a", "b"]}},
        [("where.count.$between.0", "type"), ("where.count.$between.1", "type")],
    ),
    ({"count": {"$exists": "yes"}}, [("where.count.$exists", "type")]),
    ({"count": {"$search": "x"}}, [("where.count.$search", "operator")]),
    ({"name": {"$near": [1, 2]}}, [("where.name.$near", "operator")]),
    ({"name": {"$like": "a\\"}}, [("where.name.$like", "pattern")]),
    ({"name": {"$contains": "x" * 5_001}}, [("where.name.$contains", "length")]),
    ({"name": {"$eq": "a\0"}}, [("where.name.$eq", "characters")]),
    ({"tags": "a"}, [("where.tags", "operator")]),
    ({"tags": {"$has": 5}}, [("where.tags.$has", "type")]),
    ({"tags": {"$has_any": "a"}}, [("where.tags.$has_any", "type")]),
    ({"parts": {"$has": {"n": 1}}}, [("where.parts.$has", "operator")]),
    ({"meta": {"a": 1}}, [("where.meta.a", "operator")]),
    ({"meta.a": {"$in": [1, "x"]}}, [("where.meta.a.$in", "type")]),
    ({"meta.a": {"$eq": {"b": 1}}}, [("where.meta.a.$eq", "type")]),
    ({'meta.a"b': 1}, [('where.meta.a"b', "path")]),
    ({"meta.a[0]": 1}, [("where.meta.a[0]", "path")]),
    ({"meta.": 1}, [("where.meta.", "path")]),
    ({"name.a": 1}, [("where.name.a", "path")]),
    ({"address.zip": "x"}, [("where.address.zip", "type")]),
    ({"address.zip": {"$like": "1"}}, [("where.address.zip.$like", "operator")]),
    ({"$xor": []}, [("where.$xor", "operator")]),
    ({"$or": {"name": "a"}}, [("where.$or", "type")]),
    ({"$or": [{"nmae": 1}, 5]}, [("where.$or.0.nmae", "unknown_field"), ("where.$or.1", "type")]),
    ({"$not": [1]}, [("where.$not", "type")]),
    ({"count": {"$gt": {"$field": "nmae"}}}, [("where.count.$gt.$field", "unknown_field")]),
    ({"count": {"$gt": {"$field": "name"}}}, [("where.count.$gt", "type")]),
    ({"count": {"$field": 5}}, [("where.count", "type")]),
    ({"count": {"$eq": Slot(0, type=t.TEXT)}}, [("where.count.$eq", "type")]),
    ({"count": {"$eq": 1, "$optional": "yes"}}, [("where.count.$optional", "type")]),
]


@pytest.mark.parametrize(("where", "expected"), FAULTS)
def test_faults_of_conditions_have_places(where: Any, expected: list[tuple[str, str]]) -> None:
    assert faults(where=where) == expected


OTHER_FAULTS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"sort": ["-nmae", "tags"]}, [("sort.0", "unknown_field"), ("sort.1", "type")]),
    ({"sort": 5}, [("sort", "type")]),
    ({"sort": ["id"] * 9}, [("sort", "range")]),
    ({"fields": ["nmae"]}, [("fields.0", "unknown_field")]),
    ({"fields": []}, [("fields", "type")]),
    ({"return_": "all"}, [("return", "value")]),
    ({"return_": "count", "page": 1, "totals": True}, [("page", "value"), ("totals", "value")]),
    ({"return_": "count", "lock": True}, [("lock", "value")]),
    (
        {"page": 0, "per_page": 1001, "offset": -1},
        [("page", "range"), ("per_page", "range"), ("offset", "range")],
    ),
    ({"page": "1"}, [("page", "type")]),
    ({"cursor": "", "page": 1}, [("cursor", "value")]),
    ({"cursor": "", "sort": "random"}, [("cursor", "value")]),
    ({"cursor": 5}, [("cursor", "type")]),
    ({"totals": "all"}, [("totals", "value")]),
    ({"addons": 5}, [("addons", "type")]),
    ({"addons": [5, {"table": "itms"}]}, [("addons.0", "type"), ("addons.1.table", "unknown_table")]),
    (
        {"addons": [{"table": "items", "mach": {}}]},
        [("addons.0.mach", "unknown_key"), ("addons.0.match", "required")],
    ),
    ({"addons": [{"table": "items", "match": {"name": "id"}}]}, [("addons.0.match.name", "type")]),
    ({"addons": [{"table": "items", "match": {"tags": "tags"}}]}, [("addons.0.match.tags", "type")]),
    ({"addons": [{"table": "items", "match": {"id": "oops"}}]}, [("addons.0.match.id", "unknown_field")]),
    ({"addons": [{"table": "items", "match": {"id": "id"}, "as": "name"}]}, [("addons.0.as", "taken")]),
    ({"addons": [{"table": "items", "match": {"id": "id"}, "as": "a b"}]}, [("addons.0.as", "name")]),
    (
        {"addons": [{"table": "items", "match": {"id": "id"}, "as": "x", "return": "count", "addons": [{}]}]},
        [("addons.0.addons.0.table", "type")],
    ),
    (
        {"addons": [{"table": "items", "match": {"id": "id"}, "as": "x", "sort": "random"}]},
        [("addons.0.sort", "value")],
    ),
]


@pytest.mark.parametrize(("parts", "expected"), OTHER_FAULTS)
def test_faults_of_the_other_parts_have_places(
    parts: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert faults(**parts) == expected


def test_an_unknown_table_is_one_fault_among_others() -> None:
    found = Faults()
    assert check_query(SCHEMA, Query("itmes", page=0), found) == t.ANY
    assert [fault.dotted for fault in found.found] == ["table", "page"]
    assert 'Did you mean "items"?' in found.found[0].message


def test_faults_say_what_there_is() -> None:
    found = Faults()
    check_query(SCHEMA, Query("items", where={"active": {"$gt": True}, "cuont": 1, "tags": ["a"]}), found)
    active, count, tags = (fault.message for fault in found.found)
    assert active == '"$gt" is not available for a bool field. Available: $eq, $exists, $in, $ne, $nin.'
    assert count == 'items has no field "cuont". Did you mean "count"?'
    assert "$in" in tags


@pytest.mark.parametrize("name", ["secret", "hash"])
def test_what_callers_send_cannot_touch_hidden_fields(name: str) -> None:
    addon = {"table": "items", "match": {"id": "id"}, "as": "x"}
    for parts in (
        {"where": {name: "a"}},
        {"where": {"$or": [{"$not": {name: {"$exists": True}}}]}},
        {"where": {"name": {"$field": name}}},
        {"sort": [name]},
        {"fields": ["id", name]},
        {"addons": [{**addon, "fields": [name]}]},
        {"addons": [{**addon, "sort": name}]},
        {"addons": [{**addon, "match": {name: "name"}}]},
        {"addons": [{**addon, "match": {"name": name}}]},
    ):
        found = Faults()
        check_query(SCHEMA, Query("items", public_only=True, **parts), found)
        assert [fault.code for fault in found.found] == ["unknown_field"], parts
        assert name not in found.found[0].message.replace(f'"{name}"', "")
        assert faults(**parts) == []


def test_two_hundred_conditions_and_ten_levels_are_the_most() -> None:
    many = {"$or": [{"count": n} for n in range(200)]}
    assert faults(where=many) == []
    assert faults(where={"$and": [many, {"count": 1}]}) == [("where", "range")]
    deep: Any = {"count": 1}
    for _ in range(9):
        deep = {"$not": deep}
    assert faults(where=deep) == []
    assert [code for _, code in faults(where={"$not": deep})] == ["depth"]
    for _ in range(3_000):
        deep = {"$not": deep}
    assert [code for _, code in faults(where=deep)] == ["depth"]


def test_the_result_type_says_what_comes() -> None:
    def type_of(**parts: Any) -> t.Type:
        found = Faults()
        type_ = check_query(SCHEMA, Query("items", **parts), found)
        assert not found.found
        return type_

    record = SCHEMA.table("items").record_type()
    assert record.fields is not None
    assert "secret" not in record.fields
    assert (record.fields["name"], record.fields["price"]) == (t.TEXT, t.DECIMAL.or_null())
    assert type_of() == t.list_of(record)
    assert type_of(return_="single") == record.or_null()
    assert (type_of(return_="count"), type_of(return_="exists")) == (t.INT, t.BOOL)
    page = type_of(per_page=Slot(0), totals=True).fields
    assert page is not None
    assert (page["items"], page["itemsTotal"]) == (t.list_of(record), t.INT)
    addon = {
        "table": "items",
        "match": {"id": "count"},
        "as": "other",
        "return": "single",
        "fields": ["name"],
    }
    with_addon = type_of(return_="single", fields=["id"], addons=[addon]).fields
    assert with_addon == {"id": t.INT, "other": t.object_of({"name": t.TEXT}).or_null()}
