"""Every operator on every type with values that like to cause trouble, against the model: both databases answer alike."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from stackyard.core.errors import Problem
from stackyard.tables import changes
from stackyard.tables.query import Query
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.factories import make_workspace
from tests.record_model import in_order, meets

pytestmark = pytest.mark.django_db(databases=["default", "history"])

TEXTS = [
    "",
    "a",
    "A",
    "10",
    "9",
    "ä",
    "Ä",
    "Straße",
    "É",
    "%",
    "_",
    "a%b",
    "a_b",
    "a\\b",
    "*",
    "a[b]c",
    "?",
    "'",
    '"; DROP TABLE d1; --',
    "line\nbreak",
    "tab\t",
    " lead",
    "trail ",
    "日本",
    "😀",
    "null",
    "\u200b",
    "%s",
    "?1",
    "$1",
]
INTS = [0, 1, -1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)]
DECIMALS = [
    Decimal("0.00"),
    Decimal("0.10"),
    Decimal("-0.30"),
    Decimal("19.99"),
    Decimal("9999999999999999.99"),
]
FLOATS = [0.0, 0.1, 0.30000000000000004, -1.5, 1e308, 5e-324, 2.0**53]
TIMES = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 23, 10, 0, 0, 123000, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
]
VALUES: dict[str, list[Any]] = {
    "text": TEXTS,
    "int": INTS,
    "decimal": DECIMALS,
    "float": FLOATS,
    "bool": [True, False],
    "timestamp": TIMES,
    "date": ["0001-01-01", "1999-12-31", "2024-02-29", "9999-12-31"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    "email": ["ann@example.com", "b_b@example.com", "ü@example.com"],
    "enum": ["open", "closed", "a%b"],
}
SPECS: dict[str, Any] = {"enum": {"type": "enum", "values": ["open", "closed", "a%b"]}}
ORDERED = ["$gt", "$gte", "$lt", "$lte"]
PATTERNS = ["$like", "$ilike", "$contains", "$starts_with", "$ends_with"]
# Operands that no record holds, but a comparison can still be made with.
OTHERS: dict[str, list[Any]] = {
    "decimal": [Decimal("0.105"), Decimal("1e30"), Decimal("-1e30"), 0, 19.99],
    "float": [Decimal("0.1"), 1, -(2**70)],
    "int": [2.0],
    "text": ["a%", "%b", "_", "__", "\\%", "\\_", "a\\\\b", "%%", "[", "a[b", "**", "Ä%", "ß", "z" * 4000],
}


def make_store(values: dict[str, list[Any]] = VALUES) -> Store:
    """A table `t` with a field of each type and a record for each value (and one of nulls)."""
    workspace = make_workspace()
    changes.create_table(workspace, "t", fields={name: SPECS.get(name, name) for name in values})
    store = Store(load_schema(workspace.pk))
    longest = max(map(len, values.values()))
    rows = [
        {name: held[n] if n < len(held) else None for name, held in values.items()} for n in range(longest)
    ]
    store.add_many("t", [*rows, {}])
    return store


def ids(store: Store, where: Any) -> list[int]:
    return [record["id"] for record in store.query(Query("t", where=where, fields=["id"]))]


def expected(records: list[dict[str, Any]], where: Any) -> list[int]:
    return [record["id"] for record in records if meets(where, record)]


def questions(kind: str, values: list[Any]) -> list[Any]:
    operands = [*values, *OTHERS.get(kind, [])]
    if kind in ("text", "email", "enum"):
        asked = [
            {op: text} for op in PATTERNS for text in operands if not text.endswith("\\") or op != "$like"
        ]
    else:
        asked = []
    if kind != "bool":
        asked += [{op: value} for op in ORDERED for value in operands]
        asked += [{"$between": [values[0], values[-1]]}, {"$between": [values[-1], values[0]]}]
    asked += [{op: value} for op in ("$eq", "$ne") for value in [*operands, None]]
    asked += [{"$not": question} for question in asked[:10]]
    lists = [[], [None], values[:2], [values[-1], None], values * 50]
    asked += [{op: items} for op in ("$in", "$nin") for items in lists]
    return [*asked, {"$exists": True}, {"$exists": False}]


def test_each_type_answers_each_operator_as_the_model_does() -> None:
    store = make_store()
    records = store.query(Query("t"))
    wrong = []
    for kind, values in VALUES.items():
        for question in questions(kind, values):
            where = {kind: question}
            if ids(store, where) != expected(records, where):
                wrong.append((where, ids(store, where), expected(records, where)))
    assert not wrong


def test_values_come_back_as_they_went_in() -> None:
    store = make_store()
    for record, number in zip(store.query(Query("t")), range(100), strict=False):
        for kind, values in VALUES.items():
            held = values[number] if number < len(values) else None
            assert (record[kind], type(record[kind])) == (held, type(held))


def test_the_order_is_the_models() -> None:
    store = make_store()
    records = store.query(Query("t"))
    for kind in VALUES:
        for sort in ([kind], [f"-{kind}"], [kind, "-id"], ["created_at", f"-{kind}"]):
            found = [record["id"] for record in store.query(Query("t", sort=sort))]
            assert found == [record["id"] for record in in_order(records, sort)], sort


DOCUMENTS: list[Any] = [
    {"a": 1, "b": {"c": "x"}},
    {"a": 1.5, "b": {"c": None}},
    {"a": "1", "b": []},
    {"a": True},
    {"a": None},
    {"a": [1, "x", True, None, 2.5]},
    {"a": {"0": "zero"}},
    {"a": ["first", {"deep": 7}]},
    [1, 2],
    "text",
    0,
    False,
    {},
    {"a": 10**15, "ä ö": "umlaut", "x'y": 1},
    None,
]
JSON_QUESTIONS: list[Any] = [
    *(
        {"j.a": {op: value}}
        for op in ("$eq", "$ne", *ORDERED)
        for value in (1, 1.5, "1", Decimal("1.5"), 10**15)
    ),
    *({"j.a": {op: value}} for op in ("$eq", "$ne") for value in (True, False, None)),
    *({"j.a": {op: items}} for op in ("$in", "$nin") for items in ([1, 1.5], ["1", None], [True], [])),
    *({"j.b.c": {op: "X%"}} for op in ("$like", "$ilike")),
    {"j.b.c": {"$contains": "X"}},
    {"j.b.c": {"$regex": "^x$"}},
    *(
        {path: {"$exists": flag}}
        for path in ("j.a", "j.b", "j.b.c", "j.a.0", "j.a.1.deep")
        for flag in (True, False)
    ),
    {"j.a.0": 1},
    {"j.a.0": "first"},
    {"j.a.0": "zero"},
    {"j.a.1.deep": {"$gte": 7}},
    {"j.0": 1},
    {"j.ä ö": "umlaut"},
    {"j.x'y": 1},
    {"j": None},
    {"j": {"$ne": None}},
    {"$not": {"j.a": {"$gt": 1}}},
    *({"j.a": {"$has": value}} for value in (1, "x", True, False, 2.5, "first", 1.0)),
    {"j.a": {"$has_any": ["x", 99]}},
    {"j.a": {"$has_all": ["x", 1]}},
    {"j.a": {"$has_all": ["x", 99]}},
    {"j.a": {"$has_all": []}},
    {"j.a": {"$has_any": []}},
]


def test_paths_into_json_answer_as_the_model_does() -> None:
    workspace = make_workspace()
    changes.create_table(workspace, "t", fields={"j": "json"})
    store = Store(load_schema(workspace.pk))
    store.add_many("t", [{"j": document} for document in DOCUMENTS])
    records = store.query(Query("t"))
    assert [record["j"] for record in records] == DOCUMENTS
    for where in JSON_QUESTIONS:
        assert ids(store, where) == expected(records, where), where


def test_lists_and_objects_answer_as_the_model_does() -> None:
    workspace = make_workspace()
    fields = {
        "words": {"type": "list", "of": "text"},
        "prices": {"type": "list", "of": "decimal"},
        "times": {"type": "list", "of": "timestamp"},
        "flags": {"type": "list", "of": "bool"},
        "o": {
            "type": "object",
            "fields": {
                "n": "int",
                "price": "decimal",
                "at": "timestamp",
                "on": "bool",
                "tags": {"type": "list", "of": "text"},
            },
        },
    }
    changes.create_table(workspace, "t", fields=fields)
    store = Store(load_schema(workspace.pk))
    store.add_many(
        "t",
        [
            {"words": ["a", "ä", '"'], "prices": [0.1, "19.99"], "times": [TIMES[3]], "flags": [True]},
            {"words": [], "prices": [], "times": [], "flags": [False]},
            {"o": {"n": 1, "price": "0.30", "at": TIMES[3], "on": True, "tags": ["x"]}},
            {"o": {"n": 2**62, "price": "10", "at": TIMES[1], "on": False, "tags": []}},
            {"o": {}},
            {},
        ],
    )
    records = store.query(Query("t"))
    assert records[0]["prices"] == [Decimal("0.10"), Decimal("19.99")]
    assert records[3]["o"]["at"] == TIMES[1]
    asked: list[Any] = [
        *({"words": {"$has": word}} for word in ("a", "ä", '"', "b")),
        *(
            {"words": {op: items}}
            for op in ("$has_any", "$has_all")
            for items in ([], ["a"], ["a", "b"], ["b"])
        ),
        *({"prices": {"$has": price}} for price in (0.1, Decimal("19.990"), 20)),
        *({"times": {"$has": moment}} for moment in TIMES),
        *({"flags": {"$has": flag}} for flag in (True, False)),
        *({"words": {"$exists": flag}} for flag in (True, False)),
        *({"o.n": {op: number}} for op in ("$eq", "$ne", *ORDERED) for number in (1, 2, 2**62)),
        *(
            {"o.price": {op: price}}
            for op in ("$eq", "$ne", *ORDERED)
            for price in (0.3, Decimal("0.30"), 10, "9.99")
        ),
        *({"o.at": {op: moment}} for op in ("$eq", "$ne", *ORDERED) for moment in TIMES),
        *({"o.on": {op: flag}} for op in ("$eq", "$ne") for flag in (True, False, None)),
        {"o.tags": {"$has": "x"}},
        {"o.tags.0": "x"},
        {"o.n": {"$in": [1, None]}},
        {"o.n": {"$nin": [1, None]}},
    ]
    for where in asked:
        exact = {"9.99": Decimal("9.99")}
        answer = {
            k: {op: exact.get(str(v), v) for op, v in c.items()} if k == "o.price" else c
            for k, c in where.items()
        }
        assert ids(store, where) == expected(records, answer), where


def test_a_field_meets_another_field() -> None:
    workspace = make_workspace()
    changes.create_table(workspace, "t", fields={"a": "int", "b": "int", "c": "text"})
    store = Store(load_schema(workspace.pk))
    pairs = [(1, 1), (1, 2), (None, 1), (1, None), (None, None)]
    store.add_many("t", [{"a": a, "b": b} for a, b in pairs])
    records = store.query(Query("t"))
    for op in ("$eq", "$ne", *ORDERED):
        where = {"a": {op: {"$field": "b"}}}
        assert ids(store, where) == expected(records, where), op
    with pytest.raises(Problem, match="can't be compared"):
        ids(store, {"a": {"$field": "c"}})


PROBES = [
    ("^a.c$", ["abc", "a\nc", "ac", "xabc"]),
    ("(?s)^a.c$", ["abc", "a\nc"]),
    ("(?i)STRASSE|straße", ["Strasse", "STRASSE", "Straße"]),
    ("(?i)[a-c]+x", ["ABCX", "abcx", "dx"]),
    ("(?i)k", ["K", "\u212a"]),
    (r"^\d{2,3}$", ["12", "1", "1234", "١٢"]),
    (r"\bcat\b", ["cat", "a cat.", "concat", "cät cat"]),
    (r"^\w+$", ["abc_1", "äb", ""]),
    (r"^[^\d\s]+$", ["ab", "a b", "a1"]),
    (r"^[[:alpha:]]+$", ["ab", "ä", "1"]),
    (r"^(?:ab|cd){2}$", ["abcd", "ababab", "ab"]),
    (r"^\x{e4}\x41$", ["äA", "aA"]),
    (r"[*+?.\\\[\]{}()|^$-]", ["*", "a", "\\", "]", "-", "^"]),
    ("^$", ["", "a", "\n"]),
    ("a{,2}", ["a{,2}", "aa"]),
    ("😀+", ["😀😀", "x"]),
    ("(a*)*b", ["aaaab", "b", "a"]),
]


def test_regular_expressions_mean_the_same_everywhere() -> None:
    import re2

    workspace = make_workspace()
    changes.create_table(workspace, "t", fields={"s": "text"})
    store = Store(load_schema(workspace.pk))
    for pattern, texts in PROBES:
        store.delete_many("t", {})
        store.add_many("t", [{"s": text} for text in texts])
        found = {record["s"] for record in store.query(Query("t", where={"s": {"$regex": pattern}}))}
        assert found == {text for text in texts if re2.search(pattern, text)}, pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "[",
        "a**",
        "*",
        "a{300}",
        "(?m)^a",
        r"\pL",
        r"\1",
        "(?=a)",
        r"\Q",
        "[z-a]",
        "(" * 60,
        "((a{100}){100}){100}",
        "x" * 1001,
        "\\",
    ],
)
def test_a_pattern_without_a_meaning_on_both_is_a_fault(pattern: str) -> None:
    store = make_store({"text": ["a"]})
    with pytest.raises(Problem) as caught:
        ids(store, {"text": {"$regex": pattern}})
    assert (caught.value.code, caught.value.details[0].field) == ("INVALID_INPUT", "where.text.$regex")
