"""Inputs: what a caller sent becomes typed values, or every fault at once."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from stackyard.core.errors import Detail, Faults, Problem
from stackyard.stacks.inputs import InputSet, check_inputs


def faults_of(inputs: dict[str, Any], values: dict[str, Any], lenient: Any = ()) -> dict[str, str]:
    with pytest.raises(Problem) as caught:
        InputSet(inputs).bind(values, lenient)
    assert caught.value.code == "INVALID_INPUT"
    assert caught.value.status == 400
    details: list[Detail] = caught.value.details
    return {detail.field: detail.code for detail in details}


def test_values_are_typed() -> None:
    inputs = InputSet(
        {
            "age": "int",
            "price": "decimal",
            "since": "timestamp",
            "day": {"type": "date"},
            "vip": "bool",
            "kind": {"type": "enum", "values": ["a", "b"]},
            "meta": "json",
        }
    )
    bound = inputs.bind(
        {
            "age": 3,
            "price": 1.5,
            "since": "2026-01-23T11:00:00+01:00",
            "day": "2026-01-23",
            "vip": True,
            "kind": "b",
            "meta": [1],
        }
    )
    assert bound == {
        "age": 3,
        "price": Decimal("1.5"),
        "since": datetime(2026, 1, 23, 10, tzinfo=UTC),
        "day": "2026-01-23",
        "vip": True,
        "kind": "b",
        "meta": [1],
    }


def test_every_fault_is_found_at_once() -> None:
    inputs = {
        "age": {"type": "int", "min": 18},
        "email": {"type": "email", "required": True},
        "name": {"type": "text", "max_length": 3},
        "code": {"type": "text", "pattern": "[A-Z]+"},
        "tags": {"type": "text", "list": True, "max_items": 2},
        "note": "text",
    }
    sent = {
        "age": 17,
        "name": "Anna",
        "code": "a1",
        "tags": ["a", "b", "c"],
        "note": None,
        "nmae": "x",
        "more": 1,
    }
    assert faults_of(inputs, sent) == {
        "age": "range",
        "email": "required",
        "name": "length",
        "code": "pattern",
        "tags": "length",
        "note": "null",
        "nmae": "unknown",
        "more": "unknown",
    }


def test_an_unknown_key_names_the_nearest_input() -> None:
    with pytest.raises(Problem) as caught:
        InputSet({"customer": "text"}).bind({"custmer": "x"})
    assert 'Did you mean "customer"?' in caught.value.details[0].message


def test_unknown_keys_can_be_ignored() -> None:
    assert InputSet({"a": "int"}, unknown="ignore").bind({"a": 1, "b": 2}) == {"a": 1}


def test_what_is_left_out_stays_out_unless_it_has_a_default() -> None:
    inputs = InputSet(
        {"a": "int", "b": {"type": "int", "default": 7}, "c": {"type": "timestamp", "default": "now"}}
    )
    bound = inputs.bind({})
    assert bound.keys() == {"b", "c"}
    assert bound["b"] == 7
    assert isinstance(bound["c"], datetime)


def test_null_is_taken_only_where_it_is_allowed() -> None:
    assert InputSet({"a": {"type": "int", "nullable": True}}).bind({"a": None}) == {"a": None}
    assert faults_of({"a": "int"}, {"a": None}) == {"a": "null"}


def test_a_required_text_must_not_be_empty() -> None:
    name = {"type": "text", "required": True, "trim": True}
    assert faults_of({"name": name}, {"name": "  "}) == {"name": "required"}
    assert InputSet({"name": {**name, "min_length": 0}}).bind({"name": ""}) == {"name": ""}
    assert InputSet({"name": "text"}).bind({"name": ""}) == {"name": ""}


def test_texts_are_read_leniently_only_out_of_urls_and_forms() -> None:
    inputs = {
        "n": "int",
        "yes": "bool",
        "o": {"type": "object", "fields": {"a": "int"}},
        "l": {"type": "int", "list": True},
    }
    texts = {"n": "12", "yes": "on", "o": '{"a": 1}', "l": "[1, 2]"}
    assert InputSet(inputs).bind(texts, lenient=set(texts)) == {
        "n": 12,
        "yes": True,
        "o": {"a": 1},
        "l": [1, 2],
    }
    assert faults_of(inputs, texts) == {"n": "type", "yes": "type", "o": "type", "l.0": "type"}


def test_an_empty_form_field_counts_as_left_out_except_for_text() -> None:
    inputs = InputSet({"n": "int", "t": "text", "d": {"type": "int", "default": 5}})
    assert inputs.bind({"n": "", "t": "", "d": ""}, lenient={"n", "t", "d"}) == {"t": "", "d": 5}


def test_a_single_value_binds_as_a_list_of_one() -> None:
    for spec in ({"type": "int", "list": True}, {"type": "list", "of": "int"}):
        assert InputSet({"ids": spec}).bind({"ids": 3}) == {"ids": [3]}
        assert InputSet({"ids": spec}).bind({"ids": ["3", "4"]}, lenient={"ids"}) == {"ids": [3, 4]}


def test_fields_of_objects_are_inputs_with_paths_of_their_own() -> None:
    item = {
        "type": "object",
        "list": True,
        "fields": {"product": {"type": "int", "required": True}, "note": "text"},
    }
    assert InputSet({"items": item}).bind({"items": {"product": 1}}) == {"items": [{"product": 1}]}
    assert faults_of({"items": item}, {"items": [{"product": 1}, {"note": 2, "x": 1}, 7]}) == {
        "items.1.product": "required",
        "items.1.note": "type",
        "items.1.x": "unknown",
        "items.2": "type",
    }


def test_types_tell_what_may_be_null() -> None:
    types = InputSet(
        {
            "a": {"type": "int", "required": True},
            "b": "int",
            "c": {"type": "int", "default": 1},
            "d": {"type": "text", "list": True},
        }
    ).types()
    assert {name: str(type_) for name, type_ in types.items()} == {
        "a": "int",
        "b": "int or null",
        "c": "int",
        "d": "list of text or null",
    }


def test_the_json_schema_says_what_may_be_sent() -> None:
    schema = InputSet(
        {
            "a": {"type": "int", "required": True, "min": 1, "description": "How many."},
            "b": {"type": "enum", "values": ["x"], "nullable": True},
            "c": {"type": "text", "list": True, "max_items": 3},
        }
    ).json_schema()
    assert schema["required"] == ["a"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["a"] == {"type": "integer", "minimum": 1, "description": "How many."}
    assert schema["properties"]["b"] == {"type": ["string", "null"], "enum": ["x", None]}
    assert schema["properties"]["c"] == {"type": "array", "items": {"type": "string"}, "maxItems": 3}


def test_sensitive_values_are_hidden_at_any_depth() -> None:
    inputs = InputSet(
        {
            "name": "text",
            "password": {"type": "text", "sensitive": True},
            "card": {
                "type": "object",
                "fields": {"number": {"type": "text", "sensitive": True}, "owner": "text"},
            },
        }
    )
    sent = {"name": "Ann", "password": "hunter2", "card": {"number": "4111", "owner": "Ann"}, "other": 1}
    shown = str(inputs.mask(sent))
    assert "hunter2" not in shown
    assert "4111" not in shown
    assert "Ann" in shown
    assert list(inputs.secrets_in(sent)) == ["hunter2", "4111"]


@pytest.mark.parametrize(
    ("spec", "where"),
    [
        (7, ()),
        ({"type": "intt"}, ("type",)),
        ({}, ("type",)),
        ({"type": "int", "mim": 1}, ("mim",)),
        ({"type": "int", "min": "a"}, ("min",)),
        ({"type": "int", "required": "yes"}, ("required",)),
        ({"type": "int", "in": "cookie"}, ("in",)),
        ({"type": "int", "max_items": 3}, ("max_items",)),
        ({"type": "int", "default": "x"}, ("default",)),
        ({"type": "int", "default": 3, "required": True}, ("default",)),
        ({"type": "text", "pattern": "("}, ("pattern",)),
        ({"type": "text", "description": 1}, ("description",)),
        ({"type": "text", "fields": {}}, ("fields",)),
        ({"type": "object", "fields": {"a": {"type": "x"}}}, ("fields", "a", "type")),
        ({"type": "reference", "table": "customrs"}, ("table",)),
    ],
)
def test_faults_in_how_an_input_is_written_are_placed(spec: Any, where: tuple[str, ...]) -> None:
    faults = Faults()
    check_inputs({"x": spec}, faults, tables={"customers": None})
    assert [fault.path for fault in faults.errors] == [("inputs", "x", *where)]


def test_a_name_that_expressions_cannot_read_is_refused() -> None:
    faults = Faults()
    check_inputs({"first name": "text", "ok": "text"}, faults)
    assert [fault.path for fault in faults.errors] == [("inputs", "first name")]


def test_an_example_must_fit_and_is_shown_in_the_schema() -> None:
    faults = Faults()
    check_inputs({"n": {"type": "int", "min": 1, "example": 0}, "ok": {"type": "int", "example": 7}}, faults)
    assert [(fault.dotted, fault.code) for fault in faults.found] == [("inputs.n.example", "example")]
    assert InputSet({"ok": {"type": "int", "example": 7}}).json_schema()["properties"]["ok"]["examples"] == [
        7
    ]
    hidden = InputSet({"key": {"type": "text", "example": "x", "sensitive": True}}).json_schema()
    assert "examples" not in hidden["properties"]["key"]
