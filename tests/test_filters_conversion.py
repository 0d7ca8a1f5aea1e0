"""Values and the formats they travel in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.filtering import piped, refused


def test_texts_become_numbers_by_how_they_begin() -> None:
    assert piped('" -12.7kg" | to_int') == -12
    assert piped('"1e3" | to_int') == 1000
    assert piped('"12.50 EUR" | to_decimal') == Decimal("12.50")
    assert piped("0.1 | to_decimal") == Decimal("0.1")
    for source in (
        '"kg 12" | to_int',
        '"" | to_decimal',
        "null | to_int",
        '"1e999" | to_decimal',
        "digits | to_int",
    ):
        assert refused(source, digits="9" * 70)


def test_truth_is_spelled_in_few_ways() -> None:
    assert [piped(f"{v} | to_bool") for v in ('"Yes"', '" on "', "2", "true")] == [True] * 4
    assert [piped(f"{v} | to_bool") for v in ('"no"', '""', "0.0", "false")] == [False] * 4
    assert refused('"maybe" | to_bool')


def test_a_timestamp_as_text_and_number() -> None:
    moment = piped('"2026-01-23T10:00:00.123Z" | to_timestamp')
    assert piped("moment | to_text", moment=moment) == "2026-01-23T10:00:00.123Z"
    assert piped("moment | to_int", moment=moment) == 1769162400123
    assert piped("{at: moment} | json_encode", moment=moment) == '{"at":"2026-01-23T10:00:00.123Z"}'


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_what_is_encoded_is_decoded(format: str) -> None:
    value = {"a": [1, 2.5, None, True, "é\n\"'"], "b": {"c": {}}, "no": "yes"}
    assert piped(f"value | {format}_encode | {format}_decode", value=value) == value


def test_decimals_leave_json_as_they_are() -> None:
    assert piped("[price] | json_encode", price=Decimal("19.90")) == "[19.90]"


@pytest.mark.parametrize("text", ["{", "NaN", '{"a":1,"a":2}', "1e999", "", "[" * 70 + "]" * 70])
def test_broken_json_is_refused(text: str) -> None:
    message = refused("text | json_decode", text=text).message
    assert message.startswith("json_decode: the text ") or "number" in message or "key" in message


@pytest.mark.parametrize("text", ["a: [", "a: &x 1\nb: *x", "a: !!python/object:os.system 1", "a: 1\na: 2"])
def test_yaml_that_is_not_plain_data_is_refused(text: str) -> None:
    assert "not valid YAML" in refused("text | yaml_decode", text=text).message


def test_xml_keeps_the_order_of_elements_and_texts() -> None:
    xml = "<?xml version='1.0' encoding='ISO-8859-1'?><r>\n <i n='1'>é &lt; ü</i>\n <e/>x<i/></r>"
    assert piped("xml | xml_decode | get('r.value')", xml=xml) == [
        {"i": {"@attributes": {"n": "1"}, "value": "é < ü"}},
        {"e": {"@attributes": {}, "value": ""}},
        "x",
        {"i": {"@attributes": {}, "value": ""}},
    ]


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        ('<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r>&b;</r>', "document type"),
        ('<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>', "document type"),
        ("<r>", "not valid XML"),
        ("", "not valid XML"),
        ("<r>&unknown;</r>", "not valid XML"),
        ("<a>" * 200 + "</a>" * 200, "nested too deep"),
    ],
)
def test_xml_that_is_broken_or_tricky_is_refused(xml: str, reason: str) -> None:
    assert reason in refused("xml | xml_decode", xml=xml).message


def test_csv_there_and_back() -> None:
    rows: list[dict[str, Any]] = [{"id": 1, "note": 'said "hi",\nleft'}, {"note": None, "id": 2}]
    text = piped("['id', 'note'] | csv_create(rows)", rows=rows)
    assert text == 'id,note\n1,"said ""hi"",\nleft"\n2,\n'
    assert piped("text | csv_parse", text=text) == [
        {"id": "1", "note": 'said "hi",\nleft'},
        {"id": "2", "note": ""},
    ]
    assert piped("rows | csv_encode(';')", rows=rows).splitlines()[-1] == "2;"


def test_csv_faults_name_the_line() -> None:
    assert "line 3" in refused('"a,b\\n1,2\\n1,2,3" | csv_parse').message
    assert "twice" in refused('"a,a\\n1,2" | csv_parse').message
    assert refused('"a" | csv_parse(",,")')
    assert refused('"a" | csv_parse(",", ",")')
    assert "no column" in refused("[{a: 1}, {b: 2}] | csv_encode").message
    assert piped('"\\ufeffa,b\\r\\n\\r\\n1\\r\\n" | csv_parse') == [{"a": "1", "b": None}]


def test_bytes_that_are_no_text_are_refused() -> None:
    assert refused('"ff" | hex2bin').message == "hex2bin: what it decodes to is not text (UTF-8)"
    assert refused('"abc" | hex2bin')
    assert refused('"*" | base64_decode')
    assert piped('"aGVs\\nbG8" | base64_decode') == "hello"
    assert piped('"é?>" | base64_encode_urlsafe | base64_decode_urlsafe') == "é?>"


def test_urls_are_taken_apart_and_changed() -> None:
    url = "https://us%40er:p%3Aw@[::1]:8443/a%20b?x=1&y=%C3%A9+z#f"
    assert piped("url | url_parse", url=url) == {
        "scheme": "https",
        "user": "us@er",
        "password": "p:w",
        "host": "::1",
        "port": 8443,
        "path": "/a%20b",
        "query": "x=1&y=%C3%A9+z",
        "fragment": "f",
    }
    assert piped("url | url_getarg('y')", url=url) == "é z"
    assert piped("url | url_addarg('x', true) | url_getarg('x')", url=url) == "true"
    assert not piped("url | url_delarg('x') | url_hasarg('x')", url=url)
    assert refused('"http://[::1" | url_parse')
    assert refused('"http://a:99999/" | url_parse')
    assert refused('"%ff" | url_decode')
