"""The operators' table: every field type with every operator and hostile operands, alike on both databases.

What is expected is worked out without a database: what a type's operators are said below once more, whether an operand can be
meant by it says the type, and which records meet it the model. An operand comes as a literal and at run time alike.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from stackyard.core.errors import Problem
from stackyard.tables.field_type import FieldType, Refused, make_type
from stackyard.tables.query import Query, Slot
from stackyard.tables.store import Store
from stackyard.tables.where import OPERATORS
from tests.factories import make_store
from tests.record_model import Record, meets
from tests.test_tables_places import metres

pytestmark = pytest.mark.django_db(databases=["default", "history"])

FILE = {
    "access": "public",
    "path": "/vault/AbCdEfGhIjKlMnOpQrStUvWx/tea",
    "name": "tea",
    "size": 1,
    "meta": {},
}
KINDS = {"file": "image", "attachment": "attachment", "image": "image", "audio": "audio", "video": "video"}
MIMES = {"image": "image/png", "audio": "audio/mpeg", "video": "video/mp4", "attachment": "application/pdf"}
UUID = "0a0a0a0a-ffff-4fff-8fff-00000000000f"
AT = datetime(2026, 1, 23, 10, 0, 0, 123000, tzinfo=UTC)
SPECS: dict[str, Any] = {
    "enum": {"type": "enum", "values": ["open", "a%b"]},
    "list": {"type": "list", "of": "text"},
    "object": {"type": "object", "fields": {"n": "int", "s": "text"}},
    "reference": {"type": "reference", "table": "t"},
}
HELD: dict[str, list[Any]] = {
    "int": [0, 2**63 - 1, -(2**63)],
    "float": [0.1, -1e308, 2.0**53],
    "decimal": [Decimal("0.10"), Decimal("-19.99"), Decimal("9999999999999999.99")],
    "text": ["' OR 1=1 --", "Ärger\n%", "\\"],
    "email": ["ann@example.com", "b_b@example.com", "ü@example.com"],
    "enum": ["open", "a%b", "open"],
    "uuid": [UUID, "00000000-0000-0000-0000-000000000000", UUID],
    "bool": [True, False, True],
    "timestamp": [AT, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)],
    "date": ["2024-02-29", "0001-01-01", "9999-12-31"],
    "json": [{"a": 1}, [], "text"],
    "list": [["a", "' OR 1=1 --"], [], ["%"]],
    "object": [{"n": 1, "s": "a"}, {"n": None, "s": None}, {"n": -1, "s": "%"}],
    "geo_point": [{"lat": 52.5, "lng": 13.4}, {"lat": 0.0, "lng": 180.0}, {"lat": -90.0, "lng": 0.0}],
    "password": ["correct horse", "battery staple", "' OR 1=1 --"],
    "reference": [1, 1, 3],
    **{name: [{**FILE, "type": kind, "mime": MIMES[kind]}] * 3 for name, kind in KINDS.items()},
}
EQUALITY = {"$eq", "$ne", "$in", "$nin", "$exists"}
ORDER = EQUALITY | {"$gt", "$gte", "$lt", "$lte", "$between"}
PATTERNS = {"$like", "$ilike", "$contains", "$starts_with", "$ends_with", "$regex"}
TAKES: dict[str, set[str]] = {
    **dict.fromkeys(("int", "float", "decimal", "uuid", "timestamp", "date", "reference"), ORDER),
    **dict.fromkeys(("text", "email", "enum"), ORDER | PATTERNS | {"$search"}),
    "bool": EQUALITY,
    **dict.fromkeys(("json", "object", *KINDS), EQUALITY & {"$exists"}),
    "list": {"$has", "$has_any", "$has_all", "$exists"},
    "geo_point": {"$near", "$within", "$exists"},
    "password": set(),
}
HOSTILE: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**400, 1.5, 1e308),
    *(float("nan"), float("inf"), Decimal("0.105"), Decimal("NaN"), AT),
    *("", "a", "1", "NULL", "\0", "\ud800", "' OR 1=1 --", '"; DROP TABLE d1; --', "%", "_", "\\", "(", "^.*$"),
    *("x" * 5_001, " ".join(map(str, range(21))), UUID, UUID.upper(), "2024-02-29", "2023-02-29", "2026-01-23T10:00:00.123Z"),
    *("ANN@example.com", "🫖", "ü", {}, {"a": 1}, {"$eq": 1}, [], [None], [[]], [True]),
    *(["a"], [0, "a"], ["a", "b"], [-1, 1], ["open", None], [1.5, 2**70], ["2024-01-01", "2024-12-31"], ["\0", "%"]),
    *({"lat": 52.5, "lng": 13.4, "distance": d} for d in (0, 1e7, -1, float("nan"), "1; --")),
    *({"south": s, "west": w, "north": 90, "east": -179} for s, w in ((-90, 170), (91, 0), (None, 0))),
]  # fmt: skip


def operators_store() -> tuple[Store, list[Record]]:
    """A table with a field of each type, three records and one of nulls; and what the model knows of them."""
    store = make_store(t={name: SPECS.get(name, name) for name in HELD})
    rows = [{name: values[n] for name, values in HELD.items()} for n in range(3)]
    for row in [{**rows[0], "reference": None}, rows[1], {**rows[2], "reference": 1}, {}]:
        store.add("t", row)
    store.patch("t", 1, {"reference": 1})
    return store, store.query(Query("t"))


def answer(store: Store, where: Any, values: tuple[Any, ...] = ()) -> list[int] | str:
    """The ids that are found, or `refused`, which is a 400 that names the place and is no crash."""
    try:
        return [r["id"] for r in store.query(Query("t", where=where, fields=["id"]), values)]
    except Problem as problem:
        told = (problem.code, problem.status, {detail.field.split(".")[0] for detail in problem.details})
        return "refused" if told == ("INVALID_INPUT", 400, {"where"}) else str(told)


def expected(records: list[Record], name: str, op: str, operand: Any) -> list[int] | str:
    """What the answer must be."""
    if op not in TAKES[name] and not (operand is None and op in ("$eq", "$ne") and name != "password"):
        return "refused"
    try:
        meant = as_meant(name, op, operand)
    except Refused:
        return "refused"
    return [r["id"] for r in records if is_met(r, name, op, meant)]


def as_meant(name: str, op: str, operand: Any) -> Any:
    """The operand as the type takes it. Raises `Refused`."""
    kind = make_type(SPECS.get(name, {"type": name, **({"table": "t"} if name == "reference" else {})}))
    refused = Refused()
    if operand is None and op in ("$eq", "$ne"):
        return None
    if op == "$exists":
        kind = make_type("bool")
    elif op in ("$near", "$within"):
        return place_meant(op, operand)
    elif op in ("$in", "$nin", "$has_any", "$has_all", "$between"):
        if not isinstance(operand, list) or (op == "$between" and (len(operand) != 2 or None in operand)):
            raise refused
        of = kind.of if op.startswith("$has") else kind  # type: ignore[attr-defined]
        if None in operand and op.startswith("$has"):
            raise refused
        return [None if one is None else of.operand(one) for one in operand]
    elif op == "$has":
        kind = kind.of  # type: ignore[attr-defined]
    elif op in PATTERNS | {"$search"}:
        kind = make_type("text") if op == "$search" else kind
        text = kind.operand(operand) if operand is not None else None
        if text is None or len(text) > 5_000 or (op == "$search" and len(text.split()) > 20):
            raise refused
        if (op in ("$like", "$ilike") and text == "\\") or (
            op == "$regex" and (text in ("\\", "(") or len(text) > 1000)
        ):
            raise refused
        return text
    if operand is None:
        raise refused
    return kind.operand(operand)


def place_meant(op: str, operand: Any) -> Any:
    """A circle or a box. Raises `Refused`."""
    wanted = {"lat", "lng", "distance"} if op == "$near" else {"south", "west", "north", "east"}
    if not isinstance(operand, dict) or set(operand) != wanted:
        raise Refused()
    numbers = [n for n in operand.values() if isinstance(n, int | float) and n == n]
    if len(numbers) < len(operand) or operand.get("distance", 0) < 0 or operand.get("south", 0) > 90:
        raise Refused()
    return operand


def is_met(record: Record, name: str, op: str, meant: Any) -> bool:
    """Whether the model finds a record."""
    held = record.get(name)
    if op == "$search":
        return held is not None and all(word.lower() in held.lower() for word in meant.split())
    if op == "$near":
        return (
            held is not None
            and metres((meant["lat"], meant["lng"]), (held["lat"], held["lng"])) <= meant["distance"] + 0.001
        )
    if op == "$within":
        return (
            held is not None
            and held["lat"] >= meant["south"]
            and (held["lng"] >= meant["west"] or held["lng"] <= meant["east"])
        )
    if op == "$regex" and held is not None:
        return re.search(meant, held) is not None
    return meets({name: {op: meant}}, record)


def test_the_table_has_every_type_and_operator() -> None:
    assert set(HELD) == set(TAKES) == set(FieldType.all())
    said = set().union(*TAKES.values())
    assert said == set(OPERATORS) - {"$not", "$optional", "$field"}


def test_every_type_answers_every_operator_alike_whatever_the_operand() -> None:
    store, records = operators_store()
    wrong = []
    for name in HELD:
        for op in sorted(set().union(*TAKES.values())):
            for operand in HOSTILE:
                want = expected(records, name, op, operand)
                found = [answer(store, {name: {op: operand}})]
                if op in TAKES[name] and op != "$between":
                    found.append(answer(store, {name: {op: Slot(0)}}, (operand,)))
                # What is null only at run time is compared with nothing, and that is false.
                late = [] if operand is None and op not in ("$eq", "$ne") else want
                if found != [want, late][: len(found)]:
                    wrong.append((name, op, str(operand)[:40], found, want))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("access", ["private", "internal"])
def test_a_hidden_name_is_refused_as_one_that_is_not_there(access: str) -> None:
    hidden: dict[str, Any] = {
        f"zzqx_{name}": {
            **({"type": name} | SPECS.get(name, {}) if name in SPECS else {"type": name}),
            "access": access,
        }
        for name in HELD
    }
    store = make_store(t={"name": "text", "count": "int", **hidden})
    store.add("t", {"name": "a"})
    for name in hidden:
        for parts in (
            *({"where": {name: {op: 1}}} for op in (*sorted(set().union(*TAKES.values())), "$bogus")),
            {"where": {name: None}},
            {"where": {f"{name}.a.0": 1}},
            {"where": {"$or": [{"$not": {name: {"$exists": True}}}]}},
            {"where": {"count": {"$gt": {"$field": name}}}},
            *({"sort": [sort]} for sort in (name, f"-{name}", f"{name}.a")),
            {"fields": ["id", name]},
            {"aggregate": {"most": {"max": name}}},
            {"group_by": [name], "aggregate": {"n": "count"}},
            {"computed": {"more": f"{name} ?? 1"}},
        ):
            assert told(store, parts, name) == told(store, absent(parts, name), "zzqx_absent"), parts


def absent(parts: Any, name: str) -> Any:
    """The same question about a field that is not there."""
    if isinstance(parts, dict):
        return {absent(key, name): absent(value, name) for key, value in parts.items()}
    if isinstance(parts, list):
        return [absent(one, name) for one in parts]
    return parts.replace(name, "zzqx_absent") if isinstance(parts, str) else parts


def told(store: Store, parts: dict[str, Any], name: str) -> Any:
    """Every fault of a question from outside, without the name in it."""
    with pytest.raises(Problem) as caught:
        store.query(Query("t", public_only=True, **parts))
    details = [(one.field, one.code, one.message) for one in caught.value.details]
    return absent([caught.value.code, [list(map(str, one)) for one in details]], name)
