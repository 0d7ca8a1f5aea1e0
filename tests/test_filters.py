"""Every filter, walked: described, typed, with examples that are true; and no value that breaks one."""

from __future__ import annotations

import pytest

from stackyard.core.expressions import evaluate_text
from stackyard.core.expressions.operations import equal
from stackyard.core.filter import Filter, filters

FAMILIES = {"math", "comparison", "text", "array", "object", "conversion", "date", "higher-order", "lambda"}
ALL = [pytest.param(entry, id=name) for name, entry in sorted(filters().items())]


@pytest.mark.parametrize("entry", ALL)
def test_a_filter_says_what_it_does_and_its_examples_are_true(entry: Filter) -> None:
    assert entry.family in FAMILIES
    assert entry.help.endswith(".")
    assert entry.examples
    for example in entry.examples:
        given, wanted = evaluate_text(example.source), evaluate_text(example.result)
        assert equal(given, wanted), f"{example.source} is {given!r}, not {wanted!r}"


@pytest.mark.parametrize("entry", ALL)
def test_a_filter_has_a_type_for_its_result(entry: Filter) -> None:
    given = [entry.value, *(parameter.type for parameter in entry.parameters)]
    assert entry.call.__annotations__["return"]
    assert entry.result(given).name
    assert entry.result(given[:1]).name
