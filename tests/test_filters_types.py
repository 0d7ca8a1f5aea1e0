"""What the check knows of a pipeline before it runs."""

from __future__ import annotations

import pytest

from stackyard.core import types as t
from stackyard.core.expressions import parse
from stackyard.core.expressions.check import Checker
from stackyard.core.expressions.scope import Binding, Scope

ORDER = t.object_of(
    {
        "total": t.DECIMAL,
        "name": t.TEXT,
        "note": t.TEXT.or_null(),
        "at": t.TIMESTAMP,
        "day": t.DATE,
        "items": t.list_of(t.object_of({"quantity": t.INT})),
    }
)


def checked(source: str) -> tuple[t.Type, list[str]]:
    """The type of an expression over `orders` and the messages of its faults."""
    messages: list[str] = []
    scope = Scope({"orders": Binding("v0", t.list_of(ORDER))})
    checker = Checker(scope, lambda level, code, message, at: messages.append(message))
    return checker.type_of(parse(source)), messages


@pytest.mark.parametrize(
    ("source", "type_"),
    [
        ("orders | filter(o => o.total > 100) | map(o => o.total) | sum", t.DECIMAL),
        ("orders | map(o => o.name | to_upper)", t.list_of(t.TEXT)),
        ("orders | map(o => o.name | strlen) | avg", t.NUMBER.or_null()),
        ("orders | map(o => {n: o.name}) | first", t.object_of({"n": t.TEXT}).or_null()),
        ("orders | find(o => o.total > 1)", ORDER.or_null()),
        ("orders | sort('total') | first", ORDER.or_null()),
        ("orders | map(o => o.note) | filter_null", t.list_of(t.TEXT)),
        ("orders | map((o, i) => i)", t.list_of(t.INT)),
        ("orders | map(o => o.items | map(i => i.quantity) | sum)", t.list_of(t.INT)),
        ("orders | some(o => o.total > 1)", t.BOOL),
        ("orders | reduce((sum, o) => sum + o.total, 0) | round", t.INT),
        ("orders | map(o => o.at) | array_max", t.TIMESTAMP.or_null()),
        ("orders | count", t.INT),
        ("orders | map(o => o.total | round(2))", t.list_of(t.DECIMAL)),
        ("orders | push({total: 1}) | count", t.INT),
        ("'a,b' | split(',')", t.list_of(t.TEXT)),
        ("null | first_notnull('x')", t.TEXT.or_null()),
        ("{a: 1} | merge({b: 'x'})", t.object_of({"a": t.INT, "b": t.TEXT})),
        ("{a: 1} | values", t.list_of(t.INT)),
        ("2 | transform(v => v ~ '!')", t.TEXT),
        ("'2026-01-01' | to_timestamp", t.TIMESTAMP),
        ("2 | add(1.5)", t.FLOAT),
        ("orders | map(o => o.day | substr(0, 4))", t.list_of(t.TEXT)),
    ],
)
def test_a_pipeline_has_the_type_of_what_it_makes(source: str, type_: t.Type) -> None:
    assert checked(source) == (type_, [])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("orders | map(o => o.nmae)", "nmae"),
        ("orders | to_upper", '"to_upper" works on text'),
        ("'a' | substr('b')", '"start" of "substr" takes int, not text.'),
        ("orders | map(1)", '"map" takes a function: write map(o => …).'),
        ("orders | map('total')", '"map" takes a function: write map(o => …).'),
        ("orders | reduce((sum, o) => sum + o.name, 0)", "text"),
        ("orders | map(o => o.name) | sum", '"sum" works on list of'),
        ("orders | map((a, b, c) => a)", '"map" gives 2 values'),
        ("1 | fill", '"fill" takes 1 argument (count), not 0.'),
    ],
)
def test_a_pipeline_that_cannot_work_says_why(source: str, message: str) -> None:
    messages = checked(source)[1]
    assert len(messages) == 1
    assert message in messages[0]


def test_a_path_or_a_function_may_stand_where_something_is_named() -> None:
    for by in ("'total'", "0", "['total']", "o => o.total", "null"):
        assert checked(f"orders | sort({by}, 'number')")[1] == []
    assert checked("'%s %d' | sprintf('a', 1, 2, 3)")[1] == []
