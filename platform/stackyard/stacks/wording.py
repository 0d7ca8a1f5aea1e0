"""What changed between two documents, in words: the list that is read before publishing."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from .document import walk_lines
from .step import Step


@dataclass(frozen=True, slots=True)
class WordedChange:
    """One change: `what` is added, removed, changed or moved; `line_id` is the line it is about, if it is about one."""

    what: str
    text: str
    line_id: str | None = None

    def as_value(self) -> dict[str, Any]:
        """JSON for the console."""
        return {"what": self.what, "text": self.text, "line_id": self.line_id}


@dataclass(frozen=True, slots=True)
class _Placed:
    """A line with its number in reading order (from 1) and the block it stands in."""

    number: int
    line: Mapping[str, Any]
    block: tuple[str, ...]
    own: Mapping[str, Any]


def changes_in_words(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[WordedChange]:
    """Everything that differs: settings first, then inputs, lines in reading order, the response."""
    return [*_settings(old, new), *_inputs(old, new), *_lines(old, new), *_response(old, new)]


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[WordedChange]:
    for key in dict.fromkeys([*old, *new]):
        if key in ("format", "inputs", "lines", "response") or old.get(key) == new.get(key):
            continue
        name = key.replace("_", " ").capitalize()
        before, after = _shown(old.get(key)), _shown(new.get(key))
        what = "added" if key not in old else "removed" if key not in new else "changed"
        yield WordedChange(
            what, _("%(name)s: %(old)s → %(new)s") % {"name": name, "old": before, "new": after}
        )


def _inputs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[WordedChange]:
    before, after = _map(old.get("inputs")), _map(new.get("inputs"))
    words = {
        "added": _("Input %(name)s added"),
        "removed": _("Input %(name)s removed"),
        "changed": _("Input %(name)s changed"),
    }
    for name in dict.fromkeys([*before, *after]):
        if name in before and name in after and before[name] == after[name]:
            continue
        what = "added" if name not in before else "removed" if name not in after else "changed"
        yield WordedChange(what, words[what] % {"name": name})


def _response(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[WordedChange]:
    if old.get("response") != new.get("response"):
        yield WordedChange("changed", _("Response changed"))


def _lines(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[WordedChange]:
    before, after = _placed(old), _placed(new)
    moved = _moved(before, after)
    for line_id, place in before.items():
        if line_id not in after:
            yield WordedChange("removed", _("%(line)s removed") % {"line": _named(place)}, line_id)
    for line_id, place in after.items():
        if line_id not in before:
            yield WordedChange("added", _("%(line)s added") % {"line": _named(place)}, line_id)
            continue
        if line_id in moved:
            yield WordedChange("moved", _("%(line)s moved") % {"line": _named(place)}, line_id)
        parts = list(_changed_parts(before[line_id], place))
        if parts:
            text = _("%(line)s: %(parts)s changed") % {"line": _named(place), "parts": ", ".join(parts)}
            yield WordedChange("changed", text, line_id)


def _placed(document: Mapping[str, Any]) -> dict[str, _Placed]:
    found: dict[str, _Placed] = {}
    ids: dict[tuple[Any, ...], str] = {}
    for number, (line, path, _depth) in enumerate(walk_lines(document.get("lines")), start=1):
        line_id = str(line.get("id"))
        ids[path] = line_id
        # The path of the block: which line it belongs to, and which of its blocks it is.
        block = path[:-1]
        cut = next((length for length in range(len(block), 0, -1) if block[:length] in ids), 0)
        owner = ids.get(block[:cut], "")
        name = (owner, *(str(part) for part in block[cut:] if isinstance(part, str)))
        found[line_id] = _Placed(number, line, name, _own(line))
    return found


def _own(line: Mapping[str, Any]) -> dict[str, Any]:
    """The line without the lines in it."""
    kind, params = Step.all().get(str(line.get("step"))), _map(line.get("params"))
    made = {key: value for key, value in line.items() if key not in ("params", "id")}
    parameters = {p.name: p for p in kind.parameters} if kind is not None else {}
    for name, value in params.items():
        parameter = parameters.get(name)
        if parameter is None or parameter.shown_as not in ("lines", "branches"):
            made[f"params.{name}"] = value
        elif parameter.shown_as == "branches" and isinstance(value, list):
            test = parameter.facts()["test"]
            made[f"params.{name}"] = [part.get(test) for part in value if isinstance(part, dict)]
    return made


def _moved(before: Mapping[str, _Placed], after: Mapping[str, _Placed]) -> set[str]:
    """Lines that stand in another block, or out of order in their own."""
    common = [line_id for line_id in after if line_id in before]
    found = {line_id for line_id in common if before[line_id].block != after[line_id].block}
    for block in {after[line_id].block for line_id in common}:
        new = [i for i in common if i not in found and after[i].block == block]
        old = [i for i in before if i in after and i not in found and before[i].block == block]
        if new == old:
            continue
        kept = difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
        still = {new[at] for match in kept for at in range(match.b, match.b + match.size)}
        found |= set(new) - still
    return found


def _changed_parts(before: _Placed, after: _Placed) -> Iterator[str]:
    kind = Step.all().get(str(after.line.get("step")))
    words = {"as": _("result's name"), "note": _("note"), "disabled": _("switch"), "step": _("kind")}
    for key in dict.fromkeys([*before.own, *after.own]):
        if before.own.get(key) == after.own.get(key):
            continue
        name = key.removeprefix("params.")
        parameter = kind.parameter(name) if kind is not None and name != key else None
        yield _(parameter.label) if parameter is not None else words.get(key, name)


def _named(place: _Placed) -> str:
    kind = Step.all().get(str(place.line.get("step")))
    label = _(kind.label) if kind is not None else str(place.line.get("step"))
    result = place.line.get("as") or _map(place.line.get("params")).get("name")
    named = f"{label} → {result}" if isinstance(result, str) and result else label
    return _("Step %(number)d, %(name)s") % {"number": place.number, "name": named}


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "\N{EN DASH}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    text = str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
