"""Field types: what they take, what they refuse and in which words. No database."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackyard.core.errors import Faults, Problem
from stackyard.core.types import json_schema
from stackyard.tables.field_type import FieldType, Refused, make_type

DIALECTS = ("sqlite", "postgresql")
NOON = datetime(2026, 1, 23, 12, 0, tzinfo=UTC)

# type and options, value given, value read
TAKEN: list[tuple[Any, Any, Any]] = [
    ("int", 12, 12),
    ("int", 3.0, 3),
    ("int", 2**63 - 1, 2**63 - 1),
    ({"type": "int", "min": 1, "max": 3}, 3, 3),
    ("text", "", ""),
    ({"type": "text", "trim": True, "lower": True, "max_length": 3}, "  ABC ", "abc"),
    ({"type": "text", "pattern": "[a-z]+"}, "abc", "abc"),
    ("decimal", 12.5, Decimal("12.50")),
    ("decimal", "12.50", Decimal("12.50")),
    ("decimal", -0.0, Decimal("0.00")),
    ({"type": "decimal", "precision": 5, "scale": 3}, 99.999, Decimal("99.999")),
    ({"type": "decimal", "scale": 0}, 7, Decimal(7)),
    ("float", 1, 1.0),
    ("float", Decimal("0.1"), 0.1),
    ("bool", True, True),
    ("timestamp", "2026-01-23T13:00:00.000+01:00", NOON),
    ("timestamp", "2026-01-23 12:00Z", NOON),
    ("timestamp", 1769169600000, NOON),
    ("timestamp", NOON + timedelta(microseconds=999), NOON),
    ("timestamp", NOON.astimezone(timezone(timedelta(hours=5))), NOON),
    ("date", "2024-02-29", "2024-02-29"),
    ("date", NOON.date(), "2026-01-23"),
    ("uuid", "6FA459EAEE8A3CA4894EDB77E160355E", "6fa459ea-ee8a-3ca4-894e-db77e160355e"),
    ("email", " Ann@Example.COM ", "ann@example.com"),
    ({"type": "enum", "values": ["a", "b"]}, "b", "b"),
    ("json", {"a": [1, None, NOON, Decimal("1.5")]}, {"a": [1, None, "2026-01-23T12:00:00.000Z", 1.5]}),
    ("object", {"any": 1}, {"any": 1}),
    ({"type": "object", "fields": {"a": "int", "b": "text"}}, {"b": "x"}, {"a": None, "b": "x"}),
    ({"type": "list", "of": "int"}, [1, 2.0], [1, 2]),
    (
        {"type": "list", "of": {"type": "object", "fields": {"p": "decimal"}}},
        [{"p": 1}],
        [{"p": Decimal("1.00")}],
    ),
    ({"type": "reference", "table": 1}, 7, 7),
]
# type and options, value given, (path, code) of every fault
REFUSED: list[tuple[Any, Any, list[tuple[str, str]]]] = [
    ("int", "12", [("", "type")]),
    ("int", True, [("", "type")]),
    ("int", 1.5, [("", "type")]),
    ("int", math.inf, [("", "type")]),
    ("int", 2**63, [("", "range")]),
    ({"type": "int", "min": 1}, 0, [("", "range")]),
    ("text", 5, [("", "type")]),
    ("text", "a\0b", [("", "characters")]),
    ("text", "a\ud800", [("", "characters")]),
    ({"type": "text", "min_length": 2}, "a", [("", "length")]),
    ({"type": "text", "max_length": 2}, "abc", [("", "length")]),
    ({"type": "text", "pattern": "[a-z]+"}, "abc1", [("", "pattern")]),
    ("decimal", 1.234, [("", "scale")]),
    ("decimal", "1e16", [("", "range")]),
    ("decimal", "NaN", [("", "type")]),
    ("decimal", "1_0", [("", "type")]),
    ("decimal", "9" * 100, [("", "type")]),
    ("float", "1.5", [("", "type")]),
    ("float", math.nan, [("", "range")]),
    ("float", 10**400, [("", "range")]),
    ("bool", 1, [("", "type")]),
    ("bool", "true", [("", "type")]),
    ("timestamp", "2026-01-23T12:00:00", [("", "type")]),
    ("timestamp", "2026-02-30T12:00:00Z", [("", "type")]),
    ("timestamp", "yesterday", [("", "type")]),
    ("timestamp", True, [("", "type")]),
    ("timestamp", 1e300, [("", "range")]),
    ("timestamp", "0001-01-01T00:00:00+10:00", [("", "range")]),
    ("date", "2026-2-3", [("", "type")]),
    ("date", "2026-02-30", [("", "type")]),
    ("date", 20260203, [("", "type")]),
    ("uuid", "6fa459ea", [("", "type")]),
    ("email", "ann", [("", "format")]),
    ("email", "a@b", [("", "format")]),
    ("email", "a b@c.de", [("", "format")]),
    ("email", "a@@b.de", [("", "format")]),
    ("email", f"{'a' * 64}@{'b' * 200}.de", [("", "format")]),
    ({"type": "enum", "values": ["a", "b"]}, "c", [("", "value")]),
    ("json", {"a": object()}, [("a", "type")]),
    ("json", {"a": [1, math.nan]}, [("a.1", "range")]),
    ("json", {"a": "\0"}, [("a", "characters")]),
    ("json", 2**64, [("", "range")]),
    ("json", "x" * 1_000_001, [("", "size")]),
    ("object", [1], [("", "type")]),
    (
        {"type": "object", "fields": {"a": {"type": "int", "required": True}, "b": "text"}},
        {"b": 1, "c": 2},
        [("c", "unknown_key"), ("a", "required"), ("b", "type")],
    ),
    ({"type": "list", "of": "int"}, [1, "x", None], [("1", "type"), ("2", "type")]),
    ({"type": "list", "of": "int", "max_items": 1}, [1, 2], [("", "length")]),
    ({"type": "list", "of": "int", "min_items": 1}, [], [("", "length")]),
    ({"type": "list", "of": "int"}, {"0": 1}, [("", "type")]),
    ({"type": "reference", "table": 1}, 0, [("", "range")]),
]
# type, text of a form or a query, value read
LENIENT: list[tuple[Any, str, Any]] = [
    ("int", " -12 ", -12),
    ("decimal", " 1.5 ", Decimal("1.50")),
    ("float", "2e3", 2000.0),
    ("bool", "on", True),
    ("bool", "0", False),
    ("timestamp", "1769169600000", NOON),
    ("date", " 2026-01-23 ", "2026-01-23"),
    ("json", '{"a": 1}', {"a": 1}),
    ("object", '{"a": 1}', {"a": 1}),
    ({"type": "list", "of": "int"}, "[1, 2]", [1, 2]),
    ({"type": "reference", "table": 1}, "7", 7),
]


def refused(type_: FieldType, value: Any, lenient: bool = False) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        type_.parse(value, lenient)
    return [(fault.dotted, fault.code) for fault in caught.value.faults]


@pytest.mark.parametrize(("spec", "given", "read"), TAKEN)
def test_a_type_takes_its_values(spec: Any, given: Any, read: Any) -> None:
    value = make_type(spec).parse(given)
    assert (value, type(value)) == (read, type(read))


@pytest.mark.parametrize(("spec", "given", "faults"), REFUSED)
def test_a_type_refuses_others_with_every_fault(spec: Any, given: Any, faults: list[tuple[str, str]]) -> None:
    assert refused(make_type(spec), given) == faults


@pytest.mark.parametrize("name", sorted(FieldType.all()))
def test_null_is_no_value_of_any_type_but_json(name: str) -> None:
    options = {"enum": {"values": ["a"]}, "list": {"of": "int"}, "reference": {"table": 1}}.get(name, {})
    if name == "json":
        assert FieldType.get(name)().parse(None) is None
    else:
        assert refused(FieldType.get(name)(options), None)[0] == ("", "type")


@pytest.mark.parametrize(("spec", "text", "read"), LENIENT)
def test_lenient_reading_takes_the_texts_of_forms(spec: Any, text: str, read: Any) -> None:
    assert make_type(spec).parse(text, lenient=True) == read


@pytest.mark.parametrize("spec", [entry[0] for entry in LENIENT if entry[0] != "json"])
def test_lenient_reading_still_refuses_nonsense(spec: Any) -> None:
    assert refused(make_type(spec), "nonsense", lenient=True)


@pytest.mark.parametrize(("spec", "given", "read"), TAKEN)
def test_values_survive_both_databases_json_and_csv(spec: Any, given: Any, read: Any) -> None:
    type_ = make_type(spec)
    for dialect in DIALECTS:
        raw = type_.bind(read, dialect)
        if type_.name not in ("date", "uuid") or dialect == "sqlite":
            assert type_.load(raw, dialect) == read
        assert type_.column(dialect)
    assert type_.from_json(type_.to_json(read)) == read
    if read != "":
        assert type_.from_csv(type_.csv_text(read)) == read
    assert type_.from_csv("") is None


def test_messages_name_what_came() -> None:
    with pytest.raises(Refused, match='expected an integer, got "abc"'):
        make_type("int").parse("abc")
    with pytest.raises(Refused, match=r"expected text, got \[1, 2\]"):
        make_type("text").parse([1, 2])
    with pytest.raises(Refused, match="expected one of open, closed"):
        make_type({"type": "enum", "values": ["open", "closed"]}).parse("opened")


def test_an_operand_is_not_held_to_the_limits() -> None:
    assert make_type({"type": "int", "min": 1}).operand(-5) == -5
    assert make_type({"type": "text", "max_length": 1, "lower": True}).operand("ANN") == "ann"
    assert make_type("email").operand("ANN@") == "ann@"
    assert make_type("decimal").operand(Decimal("0.001")) == Decimal("0.001")
    assert make_type({"type": "enum", "values": ["a"]}).operand("gone") == "gone"


OPTION_FAULTS: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("text", {"max_lenght": 3}, [("max_lenght", "unknown_key")]),
    ("text", {"max_length": "3", "pattern": 5}, [("max_length", "type"), ("pattern", "type")]),
    ("text", {"pattern": "("}, [("pattern", "pattern")]),
    ("text", {"min_length": 3, "max_length": 2}, [("min_length", "range")]),
    ("text", {"lower": True, "upper": True}, [("upper", "value")]),
    ("int", {"min": 5, "max": 1}, [("min", "range")]),
    ("int", {"min": 1.5}, [("min", "type")]),
    ("decimal", {"precision": 19}, [("precision", "range")]),
    ("decimal", {"precision": 2, "scale": 3}, [("scale", "range")]),
    ("enum", {}, [("values", "required")]),
    ("enum", {"values": ["a", "a"]}, [("values", "type")]),
    ("list", {}, [("of", "required")]),
    ("list", {"of": "txet"}, [("of.type", "value")]),
    ("list", {"of": {"type": "text", "max": 1}}, [("of.max", "unknown_key")]),
    ("list", {"of": "reference"}, [("of", "value")]),
    ("object", {"fields": {"a": "int", "b": {"type": "enum"}}}, [("fields.b.values", "required")]),
    ("object", {"fields": {}}, [("fields", "type")]),
    ("reference", {}, [("table", "required")]),
    ("reference", {"table": 1, "on_delete": "explode"}, [("on_delete", "value")]),
]


@pytest.mark.parametrize(("name", "options", "expected"), OPTION_FAULTS)
def test_faults_of_options_come_all_at_once(
    name: str, options: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    faults = Faults()
    FieldType.get(name).read_options(options, faults)
    assert [(fault.dotted, fault.code) for fault in faults.found] == expected


def test_a_misspelt_option_is_shown_the_nearest() -> None:
    with pytest.raises(Problem, match='Did you mean "max_length"'):
        FieldType.get("text")({"max_lenght": 3})


@pytest.mark.parametrize("spec", [entry[0] for entry in TAKEN])
def test_the_json_schema_agrees_with_the_value_type(spec: Any) -> None:
    type_ = make_type(spec)
    assert type_.json_schema().get("type") == json_schema(type_.value_type).get("type")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(value=json_values, spec=st.sampled_from([entry[0] for entry in TAKEN]), lenient=st.booleans())
def test_whatever_comes_is_read_or_refused(value: Any, spec: Any, lenient: bool) -> None:
    type_ = make_type(spec)
    try:
        read = type_.parse(value, lenient)
    except Refused:
        return
    assert type_.parse(read) == read
    for dialect in DIALECTS:
        type_.bind(read, dialect)
