"""Lists and objects: order, sets, paths; nothing that is piped in is changed."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest

from tests.filtering import piped, refused


def test_nothing_piped_in_is_changed() -> None:
    rows = [{"id": 2, "tags": ["a"]}, {"id": 1, "tags": []}, None]
    before = copy.deepcopy(rows)
    for change in (
        'sort("id")',
        "reverse",
        "push(1)",
        'set("0.tags.0", "z")',
        'unset("0.tags")',
        'append("b", "0.tags")',
        "array_upmerge({id: 1}, {id: 9})",
        "merge([1])",
        "filter_null",
        'unset("-1")',
    ):
        piped(f"rows | {change}", rows=rows)
        assert rows == before


def test_sorting_keeps_the_order_of_equals_and_puts_nulls_last() -> None:
    rows = [{"n": 2, "k": "a"}, {"n": None, "k": "b"}, {"n": 1, "k": "c"}, {"n": 2, "k": "d"}, {"k": "e"}]
    assert "".join(row["k"] for row in piped('rows | sort("n")', rows=rows)) == "cadbe"
    assert "".join(row["k"] for row in piped('rows | sort("n", null, false)', rows=rows)) == "adcbe"
    assert "".join(row["k"] for row in piped("rows | sort(r => r.k, 'text', false)", rows=rows)) == "edcba"


def test_orders_of_texts() -> None:
    names = ["b10", "B2", "a", "b2"]
    assert piped("names | sort", names=names) == ["B2", "a", "b10", "b2"]
    assert piped('names | sort("", "itext")', names=names) == ["a", "b10", "B2", "b2"]
    assert piped('names | sort("", "natural")', names=names) == ["B2", "a", "b2", "b10"]
    assert piped('names | sort("", "inatural")', names=names) == ["a", "B2", "b2", "b10"]
    assert piped('["10", "9", "1.5"] | sort("", "number")') == ["1.5", "9", "10"]
    assert piped("mixed | sort", mixed=[0.2, Decimal("0.1"), 0]) == [0, Decimal("0.1"), 0.2]


def test_what_has_no_order_is_refused_with_a_way_out() -> None:
    assert "have no order" in refused('[1, "a"] | sort').message
    assert "sort(" in str(refused("[{a: 1}, {a: 2}] | sort").suggestion)
    assert 'Did you mean "natural"' in refused('["a"] | sort("", "naturel")').message
    assert refused('["x"] | sort("", "number")')


def test_equal_means_what_the_operator_means() -> None:
    assert piped("list | unique", list=[1, 1.0, Decimal(1), True, "1", None, False, 0]) == [
        1,
        True,
        "1",
        None,
        False,
        0,
    ]
    assert piped("list | unique | count", list=[0.1, Decimal("0.1"), Decimal("0.10")]) == 1
    assert piped("[{a: 1, b: [2]}, {b: [2.0], a: 1}] | unique | count") == 1
    assert piped("[true, 2] | diff([1, 2])") == [True]
    assert piped("list | intersect([0.1])", list=[Decimal("0.1")]) == [Decimal("0.1")]


def test_groups_by_a_path_or_a_function() -> None:
    rows = [{"n": 1, "t": "a"}, {"n": 2, "t": None}, {"n": 3, "t": ["x"]}, {"n": 4, "t": True}]
    assert list(piped('rows | index_by("t")', rows=rows)) == ["a", "true"]
    assert piped("[1, 2, 3] | index_by(n => n % 2 == 0 ? 'even' : 'odd')") == {"odd": [1, 3], "even": [2]}


def test_paths_read_and_set_through_objects_and_lists() -> None:
    value: dict[str, Any] = {"a": {"b": [{"c": 1}, {"c": 2}]}, "x.y": 5, "n": None}
    assert piped('value | get("a.b.1.c")', value=value) == 2
    assert piped('value | get("a.b.-1.c")', value=value) == 2
    assert piped('value | get(["x.y"])', value=value) == 5
    assert piped('value | get("a.z.q", "none")', value=value) == "none"
    assert piped('value | get("n", "none")', value=value) is None
    assert piped('null | get("a", 1)') == 1
    assert piped("[10, 20] | get(1)") == 20
    assert piped('value | set("a.b.1.c", 9) | get("a.b")', value=value) == [{"c": 1}, {"c": 9}]
    assert piped('value | set("a.b.2", 9) | get("a.b") | count', value=value) == 3
    assert piped('null | set("a.b", 1)') == {"a": {"b": 1}}
    assert piped('value | unset("a.b.0") | get("a.b")', value=value) == [{"c": 2}]
    assert piped('value | unset("q.r.s") | count', value=value) == 3


def test_paths_that_lead_nowhere_are_refused() -> None:
    assert "no place" in refused('[1] | set("5", 2)').message
    assert refused('{a: "text"} | set("a.b", 1)')
    assert refused('{} | set("", 1)')
    assert refused("{} | set(path, 1)", path=".".join("a" * 101))
    assert refused('{a: 1} | append(2, "a")')


def test_merging_objects_at_every_level() -> None:
    left = {"a": {"x": 1, "l": [1]}, "b": 1}
    right = {"a": {"y": 2, "l": [2]}, "b": {"z": 1}}
    wanted = {"a": {"x": 1, "y": 2, "l": [1, 2]}, "b": {"z": 1}}
    assert piped("left | merge_recursive(right)", left=left, right=right) == wanted
    assert refused("[1] | merge({})")


@pytest.mark.parametrize("value", ["", None, 0, 0.0, Decimal(0), "0", False, [], {}])
def test_these_are_empty(value: object) -> None:
    assert piped("value | is_empty", value=value)
    assert piped("[value, 1] | filter_empty", value=value) == [1]
    assert piped('{} | set_ifnotempty("k", value)', value=value) == {}
    assert piped("value | first_notempty(7)", value=value) == 7


@pytest.mark.parametrize("value", [" ", "00", True, 1, -1, [0], {"a": None}, "false"])
def test_these_are_not_empty(value: object) -> None:
    assert not piped("value | is_empty", value=value)


def test_functions_over_lists_must_decide() -> None:
    for name in ("filter", "some", "every", "find", "findIndex"):
        problem = refused(f"[1] | {name}(n => n)")
        assert problem.message == f"{name}: expected the function to give true or false, got 1"


def test_functions_over_lists_stop_where_they_know() -> None:
    assert piped("[1, 2, 0] | some(n => 2 / n == 1)")
    assert not piped("[2, 0] | every(n => 2 / n > 1)")
    assert piped("[1, 2, 0] | findIndex(n => 2 / n == 1)") == 1
    assert piped("[] | every(n => false)")
    assert piped("[1] | find(n => n == 2)") is None


def test_functions_see_names_outside_and_each_other() -> None:
    orders = [{"total": 120, "items": [1, 2]}, {"total": 80, "items": [3]}]
    assert (
        piped("orders | filter(o => o.total > least) | map(o => o.total) | sum", orders=orders, least=100)
        == 120
    )
    assert piped("orders | map(o => o.items | map(i => i * o.total)) | flatten | sum", orders=orders) == 600
    assert piped("orders | reduce((sum, o, i) => sum + o.total * i, 0)", orders=orders) == 80
