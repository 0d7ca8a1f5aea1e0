"""The oracle of the stack compiler: walks a document's lines one by one. Only the flow and variables, no tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core.errors import Problem
from stackyard.core.expressions import operations as op
from stackyard.core.expressions import parse
from stackyard.stacks.raising import raise_problem
from stackyard.stacks.steps.for_ import count_of
from stackyard.stacks.steps.for_each import items_of
from stackyard.stacks.steps.try_catch import caught
from stackyard.stacks.steps.update_variable import changed, path_of
from stackyard.stacks.values import LITERAL, expression_of

from .expression_oracle import walk


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


class Walker:
    """Runs one document."""

    def __init__(self, document: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
        self.document = document
        self.names: dict[str, Any] = {"input": inputs}

    def run(self) -> Any:
        """The response."""
        try:
            self.lines(self.document["lines"])
        except _Return as returned:
            return returned.value
        return self.value(self.document.get("response"))

    def value(self, value: Any) -> Any:
        source = expression_of(value)
        if source is not None:
            return walk(parse(source), _Names(self.names))
        if isinstance(value, dict):
            return value[LITERAL] if set(value) == {LITERAL} else {k: self.value(v) for k, v in value.items()}
        return [self.value(part) for part in value] if isinstance(value, list) else value

    def lines(self, lines: Any, names: Mapping[str, Any] | None = None) -> None:
        before = {name: self.names[name] for name in names or {} if name in self.names}
        self.names.update(names or {})
        try:
            for line in lines or []:
                if not line.get("disabled"):
                    getattr(self, f"do_{line['step']}")(line.get("params", {}))
        finally:
            for name in names or {}:
                self.names.pop(name, None)
            self.names.update(before)

    def do_set_variable(self, params: Any) -> None:
        self.names[params["name"]] = self.value(params.get("value"))

    def do_update_variable(self, params: Any) -> None:
        found = path_of(params["path"])
        assert found is not None
        name, keys = found
        now = self.names.get(name)
        parts = tuple(walk(key, _Names(self.names)) for key in keys)
        self.names[name] = changed(now, parts, self.value(params.get("value")))

    def do_condition(self, params: Any) -> None:
        branches = [(params["if"], params.get("then"))]
        branches += [(b["if"], b.get("then")) for b in params.get("else_if", [])]
        for condition, lines in branches:
            if op.truth(self.value(condition)):
                return self.lines(lines)
        return self.lines(params.get("else"))

    def do_switch(self, params: Any) -> None:
        subject = self.value(params["value"])
        for case in params["cases"]:
            if op.equal(subject, self.value(case["when"])):
                return self.lines(case.get("do"))
        return self.lines(params.get("default"))

    def _loop(self, turns: Any, params: Any) -> None:
        for names in turns:
            try:
                self.lines(params.get("do"), names)
            except _Continue:
                continue
            except _Break:
                break

    def do_for_each(self, params: Any) -> None:
        items = items_of(self.value(params["in"]))
        self._loop(({params.get("item", "item"): x, "index": i} for i, x in enumerate(items)), params)

    def do_for(self, params: Any) -> None:
        self._loop(({"index": i} for i in count_of(self.value(params["count"]))), params)

    def do_while(self, params: Any) -> None:
        def turns() -> Any:
            while op.truth(self.value(params["if"])):
                yield {}

        self._loop(turns(), params)

    def do_break(self, params: Any) -> None:
        raise _Break

    def do_continue(self, params: Any) -> None:
        raise _Continue

    def do_return(self, params: Any) -> None:
        raise _Return(self.value(params.get("value")))

    def do_group(self, params: Any) -> None:
        self.lines(params.get("do"))

    def do_throw(self, params: Any) -> None:
        defaults = {"status": 400, "code": "ERROR", "message": ""}
        raise_problem(
            *(
                self.value(params.get(k, defaults.get(k)))
                for k in ("status", "code", "message", "suggestion", "details")
            )
        )

    def do_precondition(self, params: Any) -> None:
        if not op.truth(self.value(params["if"])):
            defaults = {"status": 400, "code": "PRECONDITION_FAILED", "message": "A precondition is not met."}
            raise_problem(
                *(
                    self.value(params.get(k, defaults.get(k)))
                    for k in ("status", "code", "message", "suggestion")
                )
            )

    def do_try_catch(self, params: Any) -> None:
        try:
            self.lines(params.get("try"))
        except Problem as problem:
            self.lines(params.get("catch"), {"error": {**caught(problem, lambda _: None), "line": None}})
        finally:
            self.lines(params.get("finally"))


class _Names(dict[str, Any]):
    """A variable that no way has set yet is null, as in the compiled function."""

    def __missing__(self, name: str) -> Any:
        return None
