"""Templates and paths, without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.router import Router, Template, conflict, decode_path, overlaps, parse_template, split_path
from stackyard.core.errors import Faults, Problem


def template(text: str) -> Template:
    faults = Faults()
    made = parse_template(text, faults)
    assert made is not None, faults.found
    return made


def router(*routes: str) -> Router[str]:
    made: Router[str] = Router()
    for route in routes:
        method, path = route.split()
        made.add(method, path, route)
    return made


def where(made: Router[str], method: str, path: str) -> tuple[str, dict[str, str]] | None:
    match = made.match(method, split_path(path))
    return None if match is None else (match.target, dict(match.parameters))


def test_a_literal_wins_over_a_parameter_whatever_was_entered_first() -> None:
    made = router("GET /customers/{id}", "GET /customers/me", "GET /customers/{id}/orders")
    assert where(made, "GET", "/customers/me") == ("GET /customers/me", {})
    assert where(made, "GET", "/customers/7") == ("GET /customers/{id}", {"id": "7"})
    assert where(made, "GET", "/customers/me/orders") == ("GET /customers/{id}/orders", {"id": "me"})


def test_parameters_of_one_place_may_have_different_names() -> None:
    made = router("GET /a/{x}/one", "GET /a/{y}/two/{z}")
    assert where(made, "GET", "/a/1/one") == ("GET /a/{x}/one", {"x": "1"})
    assert where(made, "GET", "/a/1/two/2") == ("GET /a/{y}/two/{z}", {"y": "1", "z": "2"})


def test_head_answers_as_get_and_a_path_knows_its_methods() -> None:
    made = router("GET /a", "DELETE /a", "POST /a/{x}", "GET /a/b")
    assert where(made, "HEAD", "/a") == ("GET /a", {})
    assert made.methods(split_path("/a")) == ("GET", "HEAD", "DELETE", "OPTIONS")
    assert made.methods(split_path("/a/b")) == ("GET", "HEAD", "POST", "OPTIONS")
    assert made.methods(split_path("/b")) == ()


def test_the_root_of_a_group_is_a_path() -> None:
    made = router("GET /")
    assert where(made, "GET", "") == ("GET /", {})
    assert where(made, "GET", "/") == ("GET /", {})


@pytest.mark.parametrize("path", ["/a/b", "/a/b/", "a/b"])
def test_one_trailing_slash_is_ignored(path: str) -> None:
    assert split_path(path) == ["a", "b"]


@pytest.mark.parametrize(
    "path",
    ["/a//b", "//a", "/a//", "/a/./b", "/a/../b", "/..", "/a\\b", "/a\0b", "/a\nb", "/a\x7fb", "/a\x85b"],
)
def test_paths_in_no_normal_form_are_refused(path: str) -> None:
    with pytest.raises(Problem) as caught:
        split_path(path)
    assert caught.value.status == 400


def test_a_path_is_decoded_to_one_normal_form_and_only_once() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    assert decode_path(decomposed.encode().decode("latin-1")) == composed
    assert decode_path("/%2e%2e") == "/%2e%2e"
    with pytest.raises(Problem):
        decode_path("/\xff")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("customers", "begins with"),
        (7, "begins with"),
        ("/a//b", "empty segment"),
        ("/a/x{id}", "whole segment"),
        ("/a/{id}.json", "whole segment"),
        ("/a/{}", "not a parameter"),
        ("/a/{1a}", "not a parameter"),
        ("/{id}/{id}", "twice"),
        ("/a b", "character"),
        ("/a/..", "can't be a segment"),
        ("/a%20b", "character"),
        ("/" + "a" * 200, "at most"),
    ],
)
def test_a_template_that_cannot_be_is_refused_with_the_reason(text: object, word: str) -> None:
    faults = Faults()
    assert parse_template(text, faults) is None
    assert word in faults.found[0].message


@pytest.mark.parametrize(
    ("one", "other", "refused"),
    [
        ("/customers/{id}", "/customers/{name}", True),
        ("/customers/{id}", "/customers/me", False),
        ("/customers", "/customers/", True),
        ("/{a}/b", "/a/{b}", True),
        ("/{a}/b/c", "/a/{b}/{c}", True),
        ("/a/{b}/c", "/a/{b}/d", False),
        ("/a/{b}", "/a/{b}/c", False),
        ("/{a}/{b}", "/a/b", False),
    ],
)
def test_templates_of_equal_strength_conflict(one: str, other: str, refused: bool) -> None:
    assert (conflict(template(one), [template("/elsewhere"), template(other)]) is not None) is refused
    assert overlaps(template(other), template(one)) is refused


segments = st.sampled_from(["a", "b", "{x}"])
paths = st.lists(segments, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))


@given(st.lists(paths, max_size=12), st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4))
def test_the_router_finds_the_strongest_of_all_that_match(written: list[str], asked: list[str]) -> None:
    kept: list[Template] = []
    made: Router[str] = Router()
    for number, text in enumerate(written):
        # Each parameter needs a name of its own.
        named = "/".join(f"{{p{number}{i}}}" if s == "{x}" else s for i, s in enumerate(text.split("/")))
        one = template(named)
        if conflict(one, kept) is None:
            kept.append(one)
            made.add("GET", str(one), str(one))
    fits = [
        one
        for one in kept
        if len(one.segments) == len(asked)
        and all(s.is_parameter or s.text == a for s, a in zip(one.segments, asked, strict=True))
    ]
    found = made.match("GET", asked)
    if not fits:
        assert found is None
        return
    strongest = max(fits, key=lambda one: [not s.is_parameter for s in one.segments])
    assert found is not None
    assert found.target == str(strongest)
    assert list(found.parameters) == list(strongest.names)
