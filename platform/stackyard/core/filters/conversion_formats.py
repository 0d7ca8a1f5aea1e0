"""Filters between values and the formats they travel in: JSON, YAML, XML."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

import orjson

from .. import types as t
from .. import yaml
from ..body import parse_json
from ..errors import Problem
from ..filter import Budget, filter
from ..guards import Refusal
from .values import DEEPEST, json_text, utf8

_LONGEST_YAML = 500_000
_ELEMENT = 500


@filter("conversion")
def json_encode(budget: Budget, value: object) -> str:
    """A value as JSON.

    >>> {a: 1, b: [true, null]} | json_encode
    '{"a":1,"b":[true,null]}'
    """
    return json_text(budget, value)


@filter("conversion", result=lambda _given: t.ANY)
def json_decode(budget: Budget, value: str) -> object:
    """The value that JSON spells; a key given twice, NaN and numbers past 64 bits are refused.

    >>> '{"a":1,"b":[true,null]}' | json_decode
    {a: 1, b: [true, null]}
    """
    budget.room(len(value))
    try:
        return parse_json(utf8(value))
    except Problem as problem:
        said = problem.message[:1].lower() + problem.message[1:]
        raise Refusal(said.replace("the body", "the text", 1).rstrip(".")) from None


@filter("conversion")
def yaml_encode(budget: Budget, value: object) -> str:
    """A value as YAML, at most 500,000 characters.

    >>> {a: 1, b: ["x", "y"]} | yaml_encode
    "a: 1\\nb: [x, y]\\n"
    """
    text = json_text(budget, value)
    if len(text) > _LONGEST_YAML:
        raise Refusal(f"expected a value of at most {_LONGEST_YAML:,} characters")
    made = yaml.dump(orjson.loads(text))
    budget.room(len(made))
    return made


@filter("conversion", result=lambda _given: t.ANY)
def yaml_decode(budget: Budget, value: str) -> object:
    """The value that YAML 1.2 spells, at most 500,000 characters; anchors and tags are refused.

    >>> "a: 1\\nb: [x, y]" | yaml_decode
    {a: 1, b: ["x", "y"]}
    """
    budget.room(len(value))
    try:
        return yaml.load(value).data
    except yaml.InvalidYaml as invalid:
        raise Refusal(f"the text is not valid YAML: {invalid.message}") from None


@filter("conversion")
def xml_decode(budget: Budget, value: str) -> dict[str, object]:
    """The elements that XML spells: each an object with its `@attributes` and its `value`.

    The value is the text of an element, or where there are elements within it a list of those and the texts
    between them. A document type is refused, and with it every entity of its own.

    >>> '<a id="1"><b>x</b></a>' | xml_decode
    {a: {"@attributes": {id: "1"}, value: [{b: {"@attributes": {}, value: "x"}}]}}
    """
    reader = _XmlReader(budget)
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(utf8(value), True)
    except expat.ExpatError as error:
        said = expat.ErrorString(error.code)
        raise Refusal(
            f"the text is not valid XML: {said} (line {error.lineno}, column {error.offset + 1})"
        ) from None
    return reader.elements[0][0]  # type: ignore[no-any-return]


class _XmlReader:
    """Builds objects from the parser's calls. `elements` holds the content of every open element."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.elements: list[list[Any]] = [[]]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if len(self.elements) > DEEPEST:
            raise Refusal("the elements are nested too deep")
        self.budget.room(_ELEMENT + sum(len(k) + len(v) for k, v in attributes.items()))
        content: list[Any] = []
        self.elements[-1].append({name: {"@attributes": attributes, "value": content}})
        self.elements.append(content)

    def end(self, name: str) -> None:
        """An element ends: only text within it is its value; blanks between elements are none."""
        content = self.elements.pop()
        element = self.elements[-1][-1][name]
        if all(isinstance(part, str) for part in content):
            element["value"] = "".join(content)
        else:
            content[:] = [part for part in content if not isinstance(part, str) or part.strip()]

    def text(self, text: str) -> None:
        """Characters of the innermost open element."""
        self.budget.room(len(text))
        self.elements[-1].append(text)

    def doctype(self, *_declared: Any) -> None:
        """A document type, where entities that grow without end could be declared."""
        raise Refusal("a document type (<!DOCTYPE …>) is not read")
