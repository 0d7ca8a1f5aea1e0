"""Text: case and places beyond ASCII, regular expressions on RE2, formats, HTML."""

from __future__ import annotations

import time

import pytest

from tests.filtering import piped, refused


def test_places_hold_beyond_ascii() -> None:
    assert piped('"İstanbul Straße" | iindex("STR")') == 9
    assert piped('"ÉCOLE" | istarts_with("é")')
    assert piped('"ÄÖÜ" | icontains("öü")')


def test_parts_of_a_text_from_both_ends() -> None:
    assert piped('"abcdef" | substr(-3, 2)') == "de"
    assert piped('"abcdef" | substr(1, -1)') == "bcde"
    assert piped('"abcdef" | substr(4, -4)') == ""
    assert piped('"abc" | substr(9)') == ""
    assert piped('"abc" | substr(-9, 2)') == "ab"


def test_joining_writes_values_as_the_operator_does() -> None:
    assert piped('[1, 2.5, null, true, [1], "x"] | join(",")') == "1,2.5,,true,[1],x"


def test_a_pattern_is_an_argument_and_the_text_is_piped() -> None:
    assert piped('"abc" | regex_matches("^a")')
    assert not piped('"^a" | regex_matches("abc")')


def test_a_pattern_re2_does_not_know_is_refused_with_its_reason() -> None:
    problem = refused('"abc" | regex_matches("(a)\\\\1")')
    assert "not a regular expression" in problem.message
    assert "Backreferences" in str(problem.suggestion)
    assert refused('"abc" | regex_matches(long)', long="a" * 1001)
    assert refused('"abc" | regex_matches("(")')


def test_a_group_that_took_no_part_is_null() -> None:
    assert piped('"b" | regex_get_first_match("(a)?(b)")') == ["b", None, "b"]
    assert piped('"b" | regex_replace("(a)?(b)", "[$1$2]")') == "[b]"


def test_replacements_know_groups_and_dollars() -> None:
    assert piped('"a1" | regex_replace("([a-z])([0-9])", "${2}0$1 $$1")') == "10a $1"
    assert "asks for group 3" in refused('"a" | regex_replace("(a)", "$3")').message
    assert piped('"abc" | regex_replace("", "-")') == "-a-b-c-"


def test_a_quoted_text_is_found_as_it_is() -> None:
    odd = r"a.b*c+(d)[e]{f}^$|\?"
    assert piped("odd | regex_matches('^' ~ (odd | regex_quote) ~ '$')", odd=odd)


def test_no_pattern_takes_long() -> None:
    text = "a" * 1_000_000
    began = time.monotonic()
    assert not piped('text | regex_matches("^(a+)+$!")', text=text)
    assert refused('text | regex_matches("(((a|b){1,9}){1,9}){1,9}c")', text=text)
    assert refused('text | regex_get_all_matches("a.*b|a")', text=text)
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ('"%05d|%-5d|%+d" | sprintf(42, 42, 42)', "00042|42   |+42"),
        ('"%05d" | sprintf(-42)', "-0042"),
        ('"%.3f|%8.2f" | sprintf(1.0005, 3.14159)', "1.001|    3.14"),
        ("\"%'*10s|%-10s|\" | sprintf('ab', 'cd')", "********ab|cd        |"),
        ('"%x %X %o %b %c %e" | sprintf(255, 255, 8, 5, 65, 12345.678)', "ff FF 10 101 A 1.234568e+04"),
        ('"%.2s%%" | sprintf("abc")', "ab%"),
        ('"%s %s" | sprintf(null, true)', " true"),
        ('"%d" | sprintf(2.9)', "2"),
    ],
)
def test_formats_are_filled_as_printf_does(source: str, written: str) -> None:
    assert piped(source) == written


@pytest.mark.parametrize(
    "source", ['"%s" | sprintf', '"%q" | sprintf(1)', '"%" | sprintf(1)', '"%d" | sprintf("1")']
)
def test_a_format_that_cannot_be_filled_is_refused(source: str) -> None:
    assert refused(source).message.startswith("sprintf: ")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a < b and c > d", "a < b and c > d"),
        ("<a title=\"x > y\" href='z'>link</a>!", "link!"),
        ("<script>var a = '<b>';</script>seen<style>p {}</style>", "seen"),
        ("<!-- <b>no</b> -->yes", "yes"),
        ("<b", ""),
        ("x<br/>y", "xy"),
        ("&lt;b&gt;", "&lt;b&gt;"),
        ("<scripts>kept</scripts>", "kept"),
    ],
)
def test_tags_are_taken_out_of_html(html: str, text: str) -> None:
    assert piped("html | strip_html", html=html) == text


@pytest.mark.parametrize("piece", ["<a", '<a ="', "<!--", "<script>", "<a ='\">", "<<<<"])
def test_broken_html_takes_no_longer(piece: str) -> None:
    began = time.monotonic()
    try:
        piped("html | strip_html", html=piece * 20_000)
    finally:
        assert time.monotonic() - began < 3


def test_escapes_go_there_and_back() -> None:
    text = 'tab\tline\n"quoted" \\ é 😀'
    assert piped("text | text_escape | text_unescape", text=text) == text
    assert piped("text | escape == (text | text_escape)", text=text)
    assert piped('"\\\\ud83d\\\\ude00" | text_unescape') == "😀"
    assert refused('"\\\\ud83d" | text_unescape')


def test_accents_go_and_other_scripts_stay() -> None:
    assert piped('"Žluťoučký œuvre Ørsted" | unaccent') == "Zlutoucky oeuvre Orsted"
    assert piped('"한국 हिन्दी" | unaccent') == "한국 हिन्दी"
