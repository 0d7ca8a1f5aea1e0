"""YAML as documents are spelled in files: what is read, what is refused, and that writing is stable."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from stackyard.core import yaml
from stackyard.core.yaml import InvalidYaml, dump, load

CONTRACT_ENDPOINT = """\
name: get_customer_data
method: GET
path: /customers/{customer_id}
description: One customer by id.
auth: [api_key]
inputs:
  customer_id: {type: int}
stack:
  - query_all_records:
      table: customers
      where: {id: !expr 'input.customer_id'}
      return: single
    as: customer
  - precondition:
      if: !expr 'customer != null'
      status: 404
      code: CUSTOMER_NOT_FOUND
      message: !expr '"No customer found with ID " ~ input.customer_id'
      suggestion: Please check the customer ID and try again
response: !expr 'customer'
"""

CONTRACT_TABLE = """\
name: customers
fields:
  name: text
  email: {type: email, required: true, unique: true}
  company: {type: reference, table: companies, on_delete: set_null}
  tags: {type: list, of: text}
indexes:
  - {fields: [name]}
"""


def faults(text: str) -> list[str]:
    with pytest.raises(InvalidYaml) as caught:
        load(text)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize("text", [CONTRACT_ENDPOINT, CONTRACT_TABLE])
def test_the_contracts_own_examples_are_written_as_they_were_read(text):
    assert dump(load(text).data) == text


def test_words_times_and_dates_stay_text():
    read = load(
        "a: off\nb: no\nc: 12:30\nd: 2026-01-01\ne: 2026-01-23T10:00:00Z\nf: yes\ng: 1_000\nh: on"
    ).data
    assert read == {
        "a": "off",
        "b": "no",
        "c": "12:30",
        "d": "2026-01-01",
        "e": "2026-01-23T10:00:00Z",
        "f": "yes",
        "g": "1_000",
        "h": "on",
    }


def test_a_version_directive_does_not_change_what_words_mean():
    assert load("%YAML 1.1\n---\na: off\nb: 0755\n").data == {"a": "off", "b": 755}


def test_numbers_follow_yaml_1_2():
    read = load("[1, -7, 0o17, 0x1F, 1.50, 1e3, .5, +4, '5', 0.1]").data
    assert read == [1, -7, 15, 31, 1.5, 1000.0, 0.5, 4, "5", 0.1]
    assert [type(v) for v in read[:2]] == [int, int]


def test_expressions_are_read_from_every_style_and_written_single_quoted():
    assert load("!expr input.a").data == {"$expr": "input.a"}
    assert load('a: !expr "x ~ \\"y\\""').data == {"a": {"$expr": 'x ~ "y"'}}
    assert load("a: {$expr: b}").data == load("a: !expr 'b'").data
    assert dump({"a": {"$expr": "it's"}}) == "a: !expr 'it''s'\n"


def test_a_key_named_expr_that_is_no_expression_stays_a_map():
    for data in ({"a": {"$expr": 5}}, {"a": {"$expr": "x", "b": 1}}, {"a": {"$literal": {"$expr": "x"}}}):
        assert load(dump(data)).data == data


def test_text_of_several_lines_is_a_literal_block():
    assert dump({"note": "one\ntwo: 2\n\nthree\n"}) == "note: |\n  one\n  two: 2\n\n  three\n"
    assert dump({"a": [{"$expr": "x\n+ 1"}]}) == "a:\n  - !expr |-\n    x\n    + 1\n"


def test_every_doubled_key_is_reported_with_its_line():
    assert faults("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n") == [
        'line 4, column 3: the key "c" is there twice',
        'line 5, column 1: the key "a" is there twice',
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1, 2\nb: 3\n", "line 2"),
        ("a: b: c", "line 1, column 5: mapping values are not allowed here"),
        ("ok: 1\n\tbad: 2", "line 2"),
        ("a: 1\nb: \x07", "line 2, column 4: the character U+0007 is not allowed"),
        ("a: &x 1\nb: *x", "line 1, column 4: anchors"),
        ("a: *x", "line 1, column 4: aliases"),
        ("a: !!python/object:os.system x", "the tag"),
        ("a: !Expr 'x'", "there is !expr"),
        ("a: !expr {b: 1}", "the tag !expr"),
        ("? [a]\n: 1", "a key must be plain text"),
        ("a: .nan", "is not a number that JSON has"),
        ("a: -.inf", "is not a number that JSON has"),
        ("a: 1e999", "too large"),
        ("a: 99999999999999999999", "at most 64 bits"),
        ("a: 1\n---\nb: 2", "line 2, column 1: one file holds one document"),
    ],
)
def test_what_documents_may_not_hold_is_refused_with_its_line(text, said):
    assert said in " / ".join(faults(text))


def test_a_bomb_of_aliases_fails_cleanly():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "anchors" in faults("\n".join(lines))[0]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000,
        "- " * 20_000,
        "{a: " * 5_000,
        "x" * 600_000,
        "\n".join(f"k{n}: 1" for n in range(60_000)),
    ],
)
def test_depth_and_size_are_capped_quickly(text):
    started = time.perf_counter()
    assert len(faults(text)) == 1
    assert time.perf_counter() - started < 10


def test_an_empty_text_is_null_and_has_no_position():
    read = load("# only a comment\n")
    assert read.data is None
    assert read.position(("a",)) is None


def test_positions_lead_to_keys_entries_and_the_nearest_parent():
    read = load(CONTRACT_ENDPOINT)
    assert read.position(("method",)) == (2, 1)
    assert read.position(("stack", 0)) == (9, 5)
    assert read.position(("stack", 0, "query_all_records", "where", "id")) == (11, 15)
    assert read.value_position(("stack", 0, "query_all_records", "where", "id")) == (11, 19)
    assert read.position(("stack", 1, "precondition", "nothing", 3)) == (14, 5)
    assert read.position(("absent",)) == (1, 1)


def test_values_json_does_not_have_are_not_written():
    for value in (object(), float("nan"), {1: 2}, {"a": (1, 2)}):
        with pytest.raises(TypeError):
            dump(value)


def test_structure_takes_lines_and_leaves_share_one():
    data = {"a": {"b": 1}, "c": [{"d": {"e": 1, "f": {"g": 2}}}], "h": [], "i": {}, "j": [[1, 2], ["x"]]}
    assert dump(data) == (
        "a:\n  b: 1\nc:\n  - d:\n      e: 1\n      f: {g: 2}\nh: []\ni: {}\nj:\n  - [1, 2]\n  - [x]\n"
    )


def test_a_map_that_does_not_fit_a_line_takes_several():
    data = {"a": {"b": {"key": "x" * 60, "other": "y" * 60}}}
    assert dump(data) == f"a:\n  b:\n    key: {'x' * 60}\n    other: {'y' * 60}\n"


texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.text("ab:#-?,[]{}&*!|>'\"%@` \n\t~0.$", max_size=12),
    st.sampled_from(
        ["off", "null", "~", "12:30", "2026-01-01", "1e3", "a\nb", " a", "a ", "---", "...", "=", "<<"]
    ),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    texts.map(lambda text: {"$expr": text}),
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=25,
)


@given(documents)
@settings(max_examples=400, deadline=None)
@example({"k" * 1500: 1, "a": {"b" * 2000: [1]}})
@example({"a": "x\ny\n"})
@example("x\ny")
@example([[["a\nb"]]])
def test_what_is_written_reads_back_equal(data):
    text = dump(data)
    assert load(text).data == data
    assert dump(load(text).data) == text


def _plain_expressions(loader: YAML) -> YAML:
    loader.constructor.add_constructor("!expr", lambda _made, node: {"$expr": node.value})
    return loader


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9999, 9999) | st.text("abc: #-'\"\n,{}[]é", max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text("abc:- #", max_size=5), inner, max_size=3)
        ),
        max_leaves=15,
    )
)
@settings(max_examples=200, deadline=None)
def test_another_reader_reads_the_same(data):
    assert _plain_expressions(YAML(typ="safe", pure=True)).load(dump(data)) == data


def test_equal_data_gives_equal_bytes():
    data = load(CONTRACT_ENDPOINT).data
    assert yaml.dump(data).encode() == yaml.dump(load(dump(data)).data).encode()


@pytest.mark.parametrize(
    ("text", "column", "place"),
    [
        ("a: !expr 'x + y'", 5, (1, 15)),
        ("a: !expr x + y", 5, (1, 14)),
        ("a: {b: 1, c: !expr '\"it''s\" ~ y'}", 10, (1, 31)),
        ("a: !expr |\n  x\n  + y", 3, (1, 4)),
        ("a: {$expr: 'x + y'}", 5, (1, 17)),
        ('a: !expr "\\"x\\" ~ y"', 7, (1, 19)),
        ("a: !expr 'x'", 99, (1, 13)),
    ],
)
def test_a_column_of_an_expression_is_found_in_its_line(text, column, place):
    path = ("a", "c") if "c:" in text else ("a",)
    assert load(text).expression_position(path, column) == place
