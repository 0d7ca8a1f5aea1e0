"""Hypothesis strategies for workspaces as files: tables, functions, groups and endpoints that are right."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff"), max_size=20
)
descriptions = st.one_of(st.just(""), texts, st.just("Two lines.\nThe second: #1, 'quoted'.\n"))


def named(values: st.SearchStrategy[Any], most: int = 4) -> st.SearchStrategy[dict[str, Any]]:
    """A map of different names (without regard to case) to values."""
    return st.dictionaries(names, values, max_size=most)


def _without_nothing(spec: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if value is not None}


def _spec(kind: str, **options: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    optional = {key: st.none() | strategy for key, strategy in options.items()}
    return st.fixed_dictionaries({"type": st.just(kind), **optional}).map(_without_nothing)


flat_types = st.one_of(
    _spec("text", max_length=st.integers(20, 200), trim=st.booleans(), pattern=st.just("^[a-z: #']*$")),
    _spec("int", min=st.integers(-9, 0), max=st.integers(0, 9)),
    _spec("decimal", precision=st.integers(10, 18), scale=st.integers(0, 6), min=st.just(0.5)),
    _spec("float", max=st.floats(0, 1e9)),
    _spec("bool"),
    _spec("date"),
    _spec("timestamp"),
    _spec("uuid"),
    _spec("email"),
    st.lists(texts.filter(bool), min_size=1, max_size=3, unique=True).map(
        lambda values: {"type": "enum", "values": values}
    ),
)
nested_types = st.recursive(
    flat_types | st.sampled_from(["text", "json"]),
    lambda inner: st.one_of(
        st.builds(lambda of: {"type": "list", "of": of}, inner),
        st.builds(lambda fields: {"type": "object", "fields": fields}, named(inner, 3).filter(bool)),
    ),
    max_leaves=4,
)


@st.composite
def fields(draw: st.DrawFn, tables: list[str]) -> Any:
    """One field: its type in the short form, or a map with options."""
    spec = draw(st.one_of(flat_types, nested_types, st.sampled_from(["text", "int", "json"])))
    if tables and draw(st.booleans()):
        spec = {"type": "reference", "table": draw(st.sampled_from(tables))}
        if draw(st.booleans()):
            spec["on_delete"] = draw(st.sampled_from(["restrict", "cascade"]))
    if isinstance(spec, str):
        return spec
    spec = dict(spec)
    if draw(st.booleans()):
        spec["required"] = draw(st.booleans())
    if spec["type"] in ("int", "email", "uuid") and draw(st.booleans()):
        spec["unique"] = draw(st.booleans())
    if draw(st.booleans()):
        spec["access"] = draw(st.sampled_from(["public", "private", "internal"]))
    if spec["type"] in ("int", "bool") and draw(st.booleans()):
        spec["default"] = 0 if spec["type"] == "int" else draw(st.booleans())
    if draw(st.booleans()):
        spec["description"] = draw(descriptions)
    return spec


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """Table documents by name, referring to each other."""
    found = draw(st.lists(names, max_size=3, unique=True))
    documents = {}
    for name in found:
        reserved = {"id", "created_at"}
        own = {k: v for k, v in draw(named(fields(found))).items() if k not in reserved}
        document: dict[str, Any] = {"name": name, "fields": own}
        indexed = [key for key, spec in own.items() if spec in ("text", "int")]
        if indexed and draw(st.booleans()):
            document["indexes"] = [
                {"fields": [draw(st.sampled_from(indexed)), draw(st.sampled_from(["id", "-created_at"]))]}
            ]
        if draw(st.booleans()):
            document["description"] = draw(descriptions)
        documents[name] = document
    return documents


data = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.floats(-9, 9) | texts,
    lambda inner: st.lists(inner, max_size=3) | named(inner, 3),
    max_leaves=6,
)
values = data | st.sampled_from(
    [{"$expr": "now"}, {"$expr": '"it\'s" ~ "\\n"'}, {"$literal": {"$expr": 1}}, {"a": {"$expr": "[1,\n 2]"}}]
)


def _words(line: dict[str, Any], note: str | None, disabled: bool | None) -> dict[str, Any]:
    return {**line, **_without_nothing({"note": note or None, "disabled": disabled or None})}


lines = st.recursive(
    st.one_of(
        st.builds(lambda name, value: {"set_variable": {"name": f"v_{name}", "value": value}}, names, values),
        st.builds(lambda value: {"debug_log": {"value": value}}, values),
        st.just({"precondition": {"if": {"$expr": "1 < 2"}, "status": 404, "message": "No: never"}}),
    ),
    lambda inner: st.one_of(
        st.builds(
            lambda do, title: {"group": {"title": title, "do": do}}, st.lists(inner, max_size=2), texts
        ),
        st.builds(
            lambda then, other: {"condition": {"if": {"$expr": "now == now"}, "then": then, "else": other}},
            st.lists(inner, max_size=2),
            st.lists(inner, max_size=2),
        ),
        st.builds(lambda do: {"for_each": {"in": [1, 2], "do": do}}, st.lists(inner, max_size=2)),
    ),
    max_leaves=4,
)
stacks = st.lists(st.builds(_words, lines, st.none() | texts, st.none() | st.booleans()), max_size=3)
inputs = named(nested_types, 3)


@st.composite
def functions(draw: st.DrawFn) -> dict[str, Any]:
    """Function documents by name."""
    return {
        name: {"name": name, "description": draw(descriptions), "inputs": draw(inputs), "stack": draw(stacks)}
        for name in draw(st.lists(names, max_size=2, unique=True))
    }


@st.composite
def endpoints(draw: st.DrawFn, group: str) -> dict[str, Any]:
    """Endpoint documents by file, each with its own path."""
    documents = {}
    for number, name in enumerate(draw(st.lists(names, max_size=3, unique=True))):
        method = draw(st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]))
        document = {
            "name": name,
            "method": method,
            "path": f"/e{number}",
            "auth": draw(st.sampled_from([["public"], ["api_key"], ["api_key", "public"]])),
            "description": draw(descriptions),
            "stack": draw(stacks),
            "response": draw(values),
        }
        if method in ("POST", "PUT", "PATCH"):
            document["inputs"] = draw(inputs)
        if draw(st.booleans()):
            document["limit_per_second"] = draw(st.integers(1, 50))
        if draw(st.booleans()):
            document["active"] = draw(st.booleans())
        documents[f"apis/{group}/{name}.yaml"] = document
    return documents


@st.composite
def workspaces(draw: st.DrawFn) -> dict[str, Any]:
    """Documents by file, `workspace.yaml` among them."""
    files: dict[str, Any] = {
        "workspace.yaml": {
            "name": "generated",
            "description": draw(descriptions),
            "timezone": draw(st.sampled_from(["UTC", "Europe/Berlin"])),
            "variables": {
                name.upper(): draw(st.one_of(texts, st.just({"secret": True})))
                for name in draw(st.lists(names, max_size=2, unique=True))
            },
        }
    }
    for name, document in draw(tables()).items():
        files[f"tables/{name}.yaml"] = document
    for name, document in draw(functions()).items():
        files[f"functions/{name}.yaml"] = document
    for name in draw(st.lists(names, max_size=2, unique=True)):
        files[f"apis/{name}.yaml"] = {
            "name": name,
            "canonical": f"generated-{name}",
            "mount": draw(st.none() | st.just(f"generated/{name}")),
            "docs": draw(st.sampled_from(["public", "off"])),
            "sunset_at": draw(st.none() | st.just("2026-06-30T12:00:00+02:00")),
        }
        files.update(draw(endpoints(name)))
    return files


junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from(
        [
            0.5,
            "",
            "x",
            "a b",
            "-",
            "$expr",
            "null",
            [],
            {},
            [[]],
            [None],
            {"": None},
            {"$expr": "1 +"},
            {"$expr": 5},
        ]
    ),
    st.sampled_from(
        [{"a": {"b": []}}, ["x", 1], {"type": "list"}, {"type": "reference"}, {"type": "enum", "values": 5}]
    ),
)


@st.composite
def spoilt(draw: st.DrawFn) -> dict[str, Any]:
    """A workspace in which something somewhere was replaced by something else."""
    files = copy.deepcopy(draw(workspaces()))
    for _ in range(draw(st.integers(1, 3))):
        at: Any = files
        key: Any = draw(st.sampled_from(sorted(files)))
        for _ in range(draw(st.integers(0, 6))):
            inside = at[key]
            keys = (
                list(inside)
                if isinstance(inside, dict)
                else range(len(inside))
                if isinstance(inside, list)
                else ()
            )
            if not keys:
                break
            at, key = inside, draw(st.sampled_from(list(keys)))
        at[key] = copy.deepcopy(draw(junk))
    return files
