"""Templates: text with expressions in it, in a closed language and within a budget."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from stackyard.core.errors import Problem
from stackyard.core.templates import Template, template


def made(text: str, escapes: bool = True, **data: Any) -> str:
    """What a template makes of its data."""
    return template(text).render(data, escapes)


def problem(text: str, **data: Any) -> Problem:
    """The Problem a template ends in."""
    with pytest.raises(Problem) as caught:
        made(text, **data)
    return caught.value


ANN = {"name": "Ann", "orders": [{"total": 12.5}, {"total": Decimal("7.10")}], "city": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("Hello {{ c.name }}!", "Hello Ann!"),
        ("{{c.name|to_upper}}", "ANN"),
        ("{{ c.city }}{{ c.nothing }}{{ c.orders[9].total }}", ""),
        ("{{ c.city ?? 'nowhere' }}", "nowhere"),
        ("{{ 1 + 2 * 3 }}", "7"),
        ("{{ c.orders | map(o => o.total) | sum }}", "19.6"),
        ("{{ c.orders[1].total }}", "7.10"),
        ("{% for o in c.orders %}{{ index }}:{{ o.total }};{% endfor %}", "0:12.5;1:7.10;"),
        ("{% for o in [] %}x{% else %}none{% endfor %}", "none"),
        ("{% for o in c.city %}x{% else %}none{% endfor %}", "none"),
        (
            "{% for a in [1,2] %}{% for b in [3,4] %}{{ a * b }},{% endfor %}{{ index }};{% endfor %}",
            "3,4,0;6,8,1;",
        ),
        ("{% if c.name == 'Ann' %}yes{% endif %}", "yes"),
        ("{% if false %}1{% elif c.city == null %}2{% else %}3{% endif %}", "2"),
        ("{% if false %}1{% elseif false %}2{% else %}3{% endif %}", "3"),
        ("{% set n = 2 %}{% set n = n + 1 %}{{ n }}", "3"),
        ("{% set n = 0 %}{% for x in [1, 2] %}{% set n = n + x %}{% endfor %}{{ n }}", "3"),
        ("a {# nothing {{ at }} all #} b", "a  b"),
        ("a \n {{- 1 -}} \n b", "a1b"),
        ("a\n{%- if true -%}\nb\n{%- endif -%}\nc", "abc"),
        ("{{ '}}' }}{{ \"%}\" }}{% if '%}' == '%}' %}x{% endif %}", "}}%}x"),
        ("{{ {a: {b: 1}}.a.b }}", "1"),
        ("{{ '{{' }} } %} }}", "{{ } %} }}"),
        ("{{ '\\'\"' | raw }}", "'\""),
        ("{{ [1, {a: null}] | raw }}", '[1,{"a":null}]'),
        ("{{ when }}", "2026-01-23T10:00:00.000Z"),
        ("{{ when | format_timestamp('d.m.Y') }}", "23.01.2026"),
        ("{{ true }}", "true"),
    ],
)
def test_a_template_gives_its_text(text: str, expected: str) -> None:
    assert made(text, c=ANN, when=datetime(2026, 1, 23, 10, tzinfo=UTC)) == expected


def test_values_are_escaped_in_html_and_only_there() -> None:
    evil = "<script>alert('x')</script>&"
    assert made("<p>{{ v }}</p>", v=evil) == ("<p>&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&amp;</p>")
    assert made("{{ v | raw }}", v=evil) == evil
    assert made("{{ v }}", escapes=False, v=evil) == evil
    assert made("{{ v }}", v=[evil, 1]).count("<") == 0
    assert made('<a title="{{ v }}">', v='" onclick="x') == '<a title="&quot; onclick=&quot;x">'


def test_data_is_not_read_as_a_template_and_stays_as_it_was() -> None:
    data = {"v": "{{ w }}", "w": "secret", "list": [1]}
    assert (
        made("{{ v }}{% set v = 2 %}{% for w in list %}{{ w }}{% endfor %}{{ w }}", **data)
        == "{{ w }}1secret"
    )
    assert data == {"v": "{{ w }}", "w": "secret", "list": [1]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\n{{ 1 + }}", "Line 2"),
        ("{{ x | no_such_filter }}", "no_such_filter"),
        ("{{ x | substr }}", "substr"),
        ("{{ x", "not closed"),
        ("{% if true", "not closed"),
        ("{{ 'x }}", "not closed"),
        ("{# x", "not closed"),
        ("{% if true %}x", "endif"),
        ("{% for a in b %}x", "endfor"),
        ("{% for a in b %}{% endif %}", "endif"),
        ("{% endif %}", "endif"),
        ("{% else %}", "else"),
        ("{% for 1 in b %}{% endfor %}", "for name in list"),
        ("{% for a, b in c %}{% endfor %}", "for name in list"),
        ("{% set x %}", "set name = value"),
        ("{% set x == 1 %}", "set name = value"),
        ("{% include 'x' %}", "include"),
        ("{% extends '/etc/passwd' %}", "extends"),
        ("{% load static %}", "load"),
        ("{% raw %}", "raw"),
        ("{%%}", "no meaning"),
        ("{% if true %}" * 21 + "{% endif %}" * 21, "20 levels"),
        ("x" * 200_001, "200,000"),
    ],
)
def test_a_template_that_cannot_be_read_says_why(text: str, told: str) -> None:
    refused = problem(text, x="x", b=[], c=[])
    assert (refused.code, refused.status) == ("TEMPLATE_INVALID", 422)
    assert told in refused.message


def test_all_faults_are_told_at_once() -> None:
    refused = problem("{{ 1 + }}\n{{ x | nope }}\n{% if 1 %}{{ ) }}{% endif %}", x=1)
    assert [detail.message[:6] for detail in refused.details] == ["Line 1", "Line 2", "Line 3"]


def test_a_name_that_is_not_in_the_data_is_an_error_with_its_line() -> None:
    refused = problem("a\nb {{ custmer.name }}", customer=ANN)
    assert (
        refused.message
        == 'Line 2 of the template: There is no "custmer" in the data. Did you mean "customer"?'
    )
    assert made("{% if false %}{{ nobody }}{% endif %}") == ""


@pytest.mark.parametrize(
    "text",
    [
        "{{ 1 / 0 }}",
        "{% if 1 %}x{% endif %}",
        "{% for x in 5 %}{% endfor %}",
        "{% for x in {a: 1} %}{% endfor %}",
        "{{ 'a' < 1 }}",
    ],
)
def test_what_cannot_be_computed_says_its_line(text: str) -> None:
    refused = problem(f"\n{text}")
    assert refused.status == 422
    assert "ine 2" in refused.message


# Attempts at the engine, as published against template engines of other products.
ATTACKS = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ config }}",
    "{{ self._TemplateReference__context }}",
    "{{ request.application.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__ }}",
    "{{ x.__class__ }}",
    "{{ x.format }}",
    "{{ '%s' % x }}",
    "{{ x | attr('__class__') }}",
    "{{ x['__init__'] }}",
    "{{ constructor.constructor('return process')() }}",
    "{{ range(99999999) }}",
    "{% import os %}",
    "{% for x in x.__class__.__base__.__subclasses__() %}{% endfor %}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{{= 7*7 }}",
    "{php}echo 1;{/php}",
    "*{7*7}",
    "{{7*'7'}}",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_but_the_data_can_be_reached(attack: str) -> None:
    try:
        text = made(attack, x="text")
    except Problem:
        return
    assert text == attack


BOMBS = (
    "{% for a in x %}{% for b in x %}{% for c in x %}{% for d in x %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in x %}{% for b in x %}" + "y" * 10_000 + "{% endfor %}{% endfor %}",
    "{% set s = 'ab' %}" + "{% set s = s ~ s %}" * 40 + "{{ s }}",
    "{% set s = t %}" + "".join(f"{{% set s{n} = s ~ s %}}" for n in range(5_000)),
    "{{ 'x' | repeat(1000000000) }}",
    "{{ 1 | range(1000000000) }}",
    "{% for a in x %}{{ t }}{% endfor %}",
    "{{ shared }}",
    "{% set l = [shared, shared, shared] %}" * 1000,
    "{{ '" + "a" * 100_000 + "' | replace('a', t) }}",
    "{{ x | map(a => x | map(b => x | map(c => x))) }}",
)


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_ended_in_time(bomb: str) -> None:
    shared: Any = "x" * 100
    for _ in range(40):
        shared = [shared, shared]
    began = time.monotonic()
    refused = problem(bomb, x=list(range(1000)), t="z" * 1_000_000, shared=shared)
    assert refused.code in {"BUDGET_EXCEEDED", "EXPRESSION_FAILED", "TEMPLATE_INVALID"}
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("piece", ["{{", "{%", "{#", "{{ '", "{{ {", "{% if ", "}}", "{{-", "{%%}", '{{ "\\'])
def test_reading_takes_time_in_proportion_to_its_length(piece: str) -> None:
    began = time.monotonic()
    with suppress(Problem):
        Template(piece * (200_000 // len(piece)))
    assert time.monotonic() - began < 5


def test_what_is_written_has_at_most_ten_megabytes() -> None:
    text = "x" * 1_000_000
    assert len(made("{{ t }}" * 9, t=text)) == 9_000_000
    assert problem("{{ t }}" * 11, t=text).code == "BUDGET_EXCEEDED"


def test_the_template_in_the_docs_renders() -> None:
    page = (Path(__file__).resolve().parents[1] / "docs/reaching-out.md").read_text()
    text = page.split("## Templates")[1].split("```")[1]
    order = {"lines": [{"title": "Tea", "price": Decimal("3.5")}], "total": 120, "gift": False}
    shown = made(text, customer=ANN, order=order)
    assert "Hello Ann," in shown
    assert "1. Tea: 3.50" in shown
    assert "Thank you!" in shown
    assert "{" not in shown
