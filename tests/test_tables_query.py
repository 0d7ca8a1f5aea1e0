"""Queries: shapes of the answer, slots, paging, addons, and every fault of what is asked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackyard.core import types as t
from stackyard.core.errors import Faults, Problem
from stackyard.tables import changes
from stackyard.tables.definitions import FieldDef, Schema, TableDef
from stackyard.tables.field_type import make_type
from stackyard.tables.query import Query, Slot, check_query
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.factories import make_workspace

database = pytest.mark.django_db(databases=["default", "history"])

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


WORDS = (
    "meta.a address.zip meta.0.b $and $or $not $nor $eq $ne $in $nin $gt $between $has $has_any $has_all $like $ilike "
    "$regex $contains $field $optional $exists x"
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(sorted(SPECS)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*SPECS, "id", "", *WORDS.split()]), inner, max_size=3)
    ),
    max_leaves=12,
)


@database
def test_whatever_is_asked_is_answered_or_a_fault() -> None:
    store = make_store()

    @given(where=anything, sort=anything)
    def ask(where: Any, sort: Any) -> None:
        try:
            found = store.query(Query("items", where=where, sort=sort))
        except Problem as problem:
            found, code = [], problem.code
        else:
            code = "INVALID_INPUT"
        assert (len(found) <= 10, code) == (True, "INVALID_INPUT")

    ask()


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


# With a database


def make_store() -> Store:
    """Ten items."""
    workspace = make_workspace()
    changes.create_table(workspace, "items", fields=SPECS)
    store = Store(load_schema(workspace.pk))
    store.add_many("items", [{"name": f"n{n}", "count": n, "price": n} for n in range(10)])
    return store


def names(found: Any) -> list[str]:
    return [record["name"] for record in (found["items"] if isinstance(found, dict) else found)]


def problem_of(store: Store, query: Query, values: Any = ()) -> Problem:
    with pytest.raises(Problem) as caught:
        store.query(query, values)
    return caught.value


@database
def test_values_come_at_run_time() -> None:
    store = make_store()
    where = {"count": {"$in": [Slot(0), 3]}, "price": {"$lt": Slot(1)}, "name": {"$ne": Slot(2)}}
    prepared = store.prepare(Query("items", where=where, sort=Slot(3), per_page=Slot(4)))
    assert names(prepared.run(store, [5, 9, "n3", "-count", 7])) == ["n5"]
    assert names(prepared.run(store, [5, 9, None, "-count,name", 7])) == ["n5", "n3"]
    assert names(prepared.run(store, [None, 9, None, None, None])) == ["n3"]
    with pytest.raises(Problem) as caught:
        prepared.run(store, [5, "x", 7, None, None])
    assert [(d.field, d.code) for d in caught.value.details] == [
        ("where.price.$lt", "type"),
        ("where.name.$ne", "type"),
    ]
    for values, field in (([1, 1, "", "oops", 1], "sort.0"), ([1, 1, "", "id", 0], "per_page")):
        with pytest.raises(Problem) as caught:
            prepared.run(store, values)
        assert caught.value.details[0].field == field


@database
def test_an_optional_condition_is_left_out_when_its_operand_is_null() -> None:
    store = make_store()
    by_both = {"count": {"$gte": Slot(0), "$lt": Slot(1), "$optional": True}}
    prepared = store.prepare(Query("items", where=by_both))
    assert names(prepared.run(store, [3, 5])) == ["n3", "n4"]
    assert names(prepared.run(store, [8, None])) == ["n8", "n9"]
    assert len(prepared.run(store, [None, None])) == 10
    either = store.prepare(
        Query("items", where={"$or": [{"count": Slot(0, optional=True)}, {"count": Slot(1, True)}]})
    )
    assert names(either.run(store, [2, None])) == ["n2"]
    assert len(either.run(store, [None, None])) == 10
    denied = store.prepare(Query("items", where={"$not": {"count": Slot(0, optional=True)}}))
    assert len(denied.run(store, [None])) == 10
    span = store.prepare(Query("items", where={"count": {"$between": [Slot(0), Slot(1)], "$optional": True}}))
    assert names(span.run(store, [None, 1])) == ["n0", "n1"]


@database
def test_a_null_that_is_not_optional_is_a_value() -> None:
    store = make_store()
    store.add("items", {"name": "none"})
    prepared = store.prepare(Query("items", where={"count": Slot(0)}))
    assert names(prepared.run(store, [None])) == ["none"]
    greater = store.prepare(Query("items", where={"count": {"$gt": Slot(0)}}))
    assert greater.run(store, [None]) == []


@database
def test_the_envelope_is_the_contracts() -> None:
    store = make_store()
    page = store.query(Query("items", page=2, per_page=4, fields=["id"]))
    assert page == {
        "itemsReceived": 4,
        "curPage": 2,
        "nextPage": 3,
        "prevPage": 1,
        "offset": 0,
        "perPage": 4,
        "items": [{"id": 5}, {"id": 6}, {"id": 7}, {"id": 8}],
    }
    last = store.query(Query("items", page=3, per_page=4, totals=True))
    assert (last["nextPage"], last["prevPage"], last["itemsTotal"], last["pageTotal"]) == (None, 2, 10, 3)
    beyond = store.query(Query("items", page=99, totals="capped"))
    assert (beyond["items"], beyond["nextPage"], beyond["itemsTotal"]) == ([], None, 10)
    assert "itemsTotalCapped" not in beyond
    moved = store.query(Query("items", page=1, per_page=2, offset=3))
    assert (names(moved), moved["offset"]) == (["n3", "n4"], 3)
    assert names(store.query(Query("items", offset=8))) == ["n8", "n9"]


@database
def test_a_capped_total_says_that_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store()
    monkeypatch.setattr("stackyard.tables.prepared.CAP", 9)
    page = store.query(Query("items", per_page=2, totals="capped"))
    assert (page["itemsTotal"], page["pageTotal"], page["itemsTotalCapped"]) == (9, 5, True)


@database
def test_a_bare_list_is_never_cut() -> None:
    store = make_store()
    store.add_many("items", [{"name": "x"}] * 9_990)
    assert len(store.query(Query("items", fields=["id"]))) == 10_000
    store.add("items", {"name": "one more"})
    found = problem_of(store, Query("items", fields=["id"]))
    assert (found.code, found.status) == ("RESULT_TOO_LARGE", 422)


@database
def test_random_is_an_order_of_its_own() -> None:
    store = make_store()
    store.add_many("items", [{"name": f"m{n}"} for n in range(200)])
    first, second = (names(store.query(Query("items", sort="random"))) for _ in range(2))
    assert first != second
    assert sorted(first) == sorted(second)


@database
def test_a_cursor_is_for_its_own_query_only() -> None:
    store = make_store()
    query = Query("items", where={"count": {"$gt": Slot(0)}}, sort="-price", cursor=Slot(1), per_page=3)
    first = store.query(query, [1, None])
    assert (names(first), first["curPage"]) == (["n9", "n8", "n7"], None)
    second = store.query(query, [1, first["nextCursor"]])
    assert names(second) == ["n6", "n5", "n4"]
    third = store.query(query, [1, second["nextCursor"]])
    assert (names(third), third["nextCursor"]) == (["n3", "n2"], None)
    cursor = first["nextCursor"]
    others = [
        (query, [2, cursor]),
        (query, [1, cursor[:-1]]),
        (query, [1, "nonsense"]),
        (query, [1, 5]),
        (Query("items", where={"count": {"$gt": 1}}, sort="price", cursor=cursor), ()),
        (Query("items", where={"count": {"$gte": 1}}, sort="-price", cursor=cursor), ()),
    ]
    for other, values in others:
        assert problem_of(store, other, values).details[0].field == "cursor"


@database
def test_a_cursor_goes_on_though_records_come_and_go() -> None:
    store = make_store()
    query = Query("items", sort="count", cursor=Slot(0), per_page=4)
    first = store.query(query, [""])
    store.delete("items", first["items"][-1]["id"])
    store.add("items", {"name": "early", "count": 0})
    assert names(store.query(query, [first["nextCursor"]])) == ["n4", "n5", "n6", "n7"]


def make_orders() -> Store:
    """Customers of companies, their orders and the orders' lines."""
    workspace = make_workspace()
    reference = {"type": "reference"}
    changes.create_table(workspace, "companies", fields={"name": "text"})
    changes.create_table(
        workspace, "customers", fields={"name": "text", "company": {**reference, "table": "companies"}}
    )
    changes.create_table(
        workspace, "orders", fields={"customer": {**reference, "table": "customers"}, "total": "decimal"}
    )
    changes.create_table(
        workspace, "lines", fields={"order": {**reference, "table": "orders"}, "product": "text"}
    )
    store = Store(load_schema(workspace.pk))
    store.add("companies", {"name": "Acme"})
    store.add_many("customers", [{"name": f"c{n}", "company": 1 if n % 2 else None} for n in range(4)])
    store.add_many("orders", [{"customer": 1 + n % 2, "total": n} for n in range(6)])
    store.add_many("lines", [{"order": 1 + n % 3, "product": f"p{n}"} for n in range(9)])
    return store


@database
def test_addons_take_one_statement_a_level() -> None:
    store = make_orders()
    heard: list[str] = []
    store.on_query = lambda sql, seconds, rows: heard.append(sql)
    lines = {"table": "lines", "match": {"order": "id"}, "fields": ["product"], "sort": "-product"}
    orders = {
        "table": "orders",
        "match": {"customer": "id"},
        "sort": "-total",
        "fields": ["total"],
        "addons": [lines],
    }
    company = {
        "table": "companies",
        "match": {"id": "company"},
        "as": "works_at",
        "return": "single",
        "fields": ["name"],
    }
    page = store.query(Query("customers", page=1, fields=["name"], addons=[orders, company]))
    assert len(heard) == 4
    first, second, third, _ = page["items"]
    assert [order["total"] for order in first["orders"]] == [4, 2, 0]
    assert first["orders"][1]["lines"] == [{"product": "p8"}, {"product": "p5"}, {"product": "p2"}]
    assert (first["works_at"], second["works_at"]) == (None, {"name": "Acme"})
    assert (third["orders"], set(third)) == ([], {"name", "orders", "works_at"})
    deep = {
        **orders,
        "addons": [{**lines, "addons": [{"table": "orders", "match": {"id": "order"}, "return": "single"}]}],
    }
    heard.clear()
    store.query(Query("customers", page=1, addons=[deep]))
    assert len(heard) == 4


@database
def test_addons_count_and_tell_the_first() -> None:
    store = make_orders()
    base = {"table": "orders", "match": {"customer": "id"}}
    addons = [
        {**base, "as": "how_many", "return": "count"},
        {**base, "as": "any", "return": "exists"},
        {**base, "as": "largest", "return": "single", "sort": "-total", "fields": ["total"]},
    ]
    found = store.query(Query("customers", addons=addons))
    assert [(r["how_many"], r["any"], r["largest"]) for r in found] == [
        (3, True, {"total": 4}),
        (3, True, {"total": 5}),
        (0, False, None),
        (0, False, None),
    ]


@database
def test_an_addon_may_match_by_several_fields() -> None:
    store = make_orders()
    addon = {
        "table": "orders",
        "match": {"customer": "customer", "total": "total"},
        "as": "same",
        "fields": ["id"],
    }
    found = store.query(Query("orders", addons=[addon]))
    assert [r["same"] for r in found] == [[{"id": r["id"]}] for r in found]


@database
def test_an_addon_is_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_orders()
    store.add_many("orders", [{"customer": 1}] * 9_995)
    found = problem_of(store, Query("customers", addons=[{"table": "orders", "match": {"customer": "id"}}]))
    assert found.code == "RESULT_TOO_LARGE"
