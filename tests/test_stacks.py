"""Function stacks: what the check says of a document, and what the compiled document does."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from stackyard.core import types as t
from stackyard.core import yaml
from stackyard.core.errors import Fault, Faults, Problem
from stackyard.core.principal import ANONYMOUS
from stackyard.stacks.catalogue import Catalogue, Signature
from stackyard.stacks.check import Checked, check_document
from stackyard.stacks.compiler import compile_stack
from stackyard.stacks.document import walk_lines
from stackyard.stacks.execution import DebugStop, Execution
from stackyard.stacks.runner import Plan
from stackyard.stacks.spelling import from_spelling, spelled_path, to_spelling
from stackyard.stacks.trace import Trace
from stackyard.tables.schema import Schema

FUZZ = os.environ.get("STACKYARD_FUZZ") == "1"
CATALOGUE = Catalogue(Schema(1, 1, {}), {}, {"CITY": False})


def document_of(text: str) -> dict[str, Any]:
    faults = Faults()
    document = from_spelling(yaml.load(text).data, faults)
    assert faults.found == []
    return document


def check(text: str) -> Checked:
    return check_document(document_of(text), CATALOGUE)


def execution(trace: Trace | None = None, seconds: float = 30) -> Execution:
    return Execution(
        1,
        CATALOGUE.schema,
        None,
        ANONYMOUS,
        None,
        time.monotonic() + seconds,
        datetime.now(UTC),
        trace,  # type: ignore[arg-type]
    )


def plan_of(document: dict[str, Any], traced: bool = False) -> Plan:
    trees = check_document(document, CATALOGUE).trees
    return Plan(document, compile_stack(document, CATALOGUE.schema, {}, trees, traced=traced))


def run(text: str, **inputs: Any) -> Any:
    return plan_of(document_of(text)).run(execution(), inputs)


def faults(text: str) -> list[tuple[str, str, int | None]]:
    return [(fault.dotted, fault.code, fault.column) for fault in check(text).faults]


def test_a_stack_runs_from_inputs_to_response() -> None:
    text = """
inputs: {prices: {type: json}}
stack:
  - set_variable: {name: total, value: 0}
  - for_each:
      in: !expr 'input.prices'
      item: price
      do:
        - condition:
            if: !expr 'price > 10'
            then: [{set_variable: {name: total, value: !expr 'total + price'}}]
response: {total: !expr 'total', count: 3}
"""
    assert run(text, prices=[5, 20, 30.5]) == {"total": 50.5, "count": 3}


def test_every_fault_is_reported_at_once_with_its_place() -> None:
    found = faults(
        """
stack:
  - set_variable: {name: 2bad, value: !expr 'nobody + 1'}
  - set_variable: {name: n, value: !expr '1 + "a"'}
  - set_status: {status: 99}
  - condition: {if: 1, then: [{break: {}}]}
  - precondition: {if: !expr 'n ==', code: ''}
  - update_variable: {path: 'm.x', value: 1}
response: !expr 'env.TOWN'
"""
    )
    assert found == [
        ("lines.0.params.value", "unknown_name", 1),
        ("lines.0.params.name", "name", None),
        ("lines.1.params.value", "type", 3),
        ("lines.2.params.status", "range", None),
        ("lines.3.params.if", "type", None),
        ("lines.3.params.then.0", "misplaced", None),
        ("lines.4.params.if", "syntax", 5),
        ("lines.4.params.code", "required", None),
        ("lines.5.params.path", "unknown_name", None),
        ("response", "unknown_field", 4),
    ]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ([], "type"),
        ({"format": 2}, "format"),
        ({"lines": 1}, "type"),
        ({"lines": [1]}, "line"),
        ({"lines": [{"step": "qeury_all_records"}]}, "unknown_step"),
        ({"lines": [{"step": "set_variable", "params": {"nane": "a", "value": 1}}]}, "unknown_parameter"),
        ({"lines": [{"step": "set_variable", "params": {}}]}, "missing_parameter"),
        ({"lines": [{"step": "break", "id": "a", "params": {}}] * 2}, "doubled_id"),
        ({"lines": [{"step": "return", "params": {"value": {"$expr": "1", "x": 2}}}]}, "mark"),
        ({"liens": []}, "unknown_key"),
        ({"lines": [{"step": "set_status", "as": "x", "params": {"status": 200}}]}, "no_result"),
        ({"lines": [{"step": "break", "v": 7, "params": {}}]}, "version"),
    ],
)
def test_a_malformed_document_is_a_fault_and_never_an_exception(document: Any, code: str) -> None:
    assert code in {fault.code for fault in check_document(document, CATALOGUE).faults}


def test_types_follow_the_flow() -> None:
    checked = check(
        """
inputs: {n: {type: int}}
stack:
  - condition:
      if: !expr 'input.n != null'
      then: [{set_variable: {name: kind, value: some}}]
      else: [{return: {value: null}}]
  - set_variable: {name: sum, value: 0}
  - for: {count: 3, do: [{set_variable: {name: sum, value: !expr 'sum + 0.5'}}]}
response: {kind: !expr 'kind', sum: !expr 'sum'}
"""
    )
    assert checked.faults == []
    assert checked.response == t.object_of({"kind": t.TEXT, "sum": t.FLOAT}).or_null()


def test_a_name_set_on_some_ways_only_is_a_warning() -> None:
    checked = check(
        """
stack:
  - condition: {if: !expr 'now > today', then: [{set_variable: {name: a, value: 1}}]}
response: !expr 'a'
"""
    )
    assert [(f.code, f.level) for f in checked.faults] == [("may_be_null", "warning")]
    assert checked.response == t.INT.or_null()


def test_a_precondition_on_null_narrows_the_type() -> None:
    checked = check(
        """
inputs: {who: {type: text}}
stack:
  - precondition: {if: !expr 'input.who != null', status: 404, code: NOBODY}
response: !expr 'input.who'
"""
    )
    assert checked.response == t.TEXT


def test_a_failure_knows_its_line_parameter_and_column() -> None:
    text = """
stack:
  - set_variable: {name: a, value: 1}
  - for: {count: 1, do: [{set_variable: {name: b, value: {c: !expr 'a + a / 0'}}, id: here}]}
"""
    with pytest.raises(Problem) as caught:
        run(text)
    place = caught.value.place
    assert place is not None
    assert (place.line, place.path, place.column) == ("here", "value.c", 7)


def test_a_loop_without_end_is_stopped_by_the_clock_and_no_catch_holds_it() -> None:
    text = """
stack:
  - try_catch:
      try: [{while: {if: true, do: []}}]
      catch: [{return: {value: caught}}]
"""
    began = time.monotonic()
    running = execution(seconds=0.2)
    running.steps_left = 10**12
    with pytest.raises(Problem) as caught:
        plan_of(document_of(text)).run(running, {})
    assert caught.value.code == "TIMEOUT"
    assert caught.value.status == 504
    assert time.monotonic() - began < 5


def test_a_loop_past_its_budget_is_stopped() -> None:
    with pytest.raises(Problem) as caught:
        run("stack: [{for: {count: 100000000, do: []}}]")
    assert caught.value.code == "BUDGET_EXCEEDED"


def test_a_changed_part_leaves_other_names_as_they_were() -> None:
    text = """
stack:
  - set_variable: {name: a, value: {list: [1, 2], n: 1}}
  - set_variable: {name: b, value: !expr 'a'}
  - update_variable: {path: 'a.list[1]', value: 9}
  - update_variable: {path: a.new.deep, value: true}
response: {a: !expr 'a', b: !expr 'b'}
"""
    assert run(text) == {"a": {"list": [1, 9], "n": 1, "new": {"deep": True}}, "b": {"list": [1, 2], "n": 1}}


def test_constants_are_made_anew_for_each_run() -> None:
    plan = plan_of(document_of("response: {list: [1]}"))
    first = plan.run(execution(), {})
    first["list"].append(2)
    assert plan.run(execution(), {}) == {"list": [1]}


def test_errors_are_caught_with_what_they_say() -> None:
    text = """
stack:
  - try_catch:
      try: [{throw: {status: 409, code: TAKEN, message: !expr '"no " ~ 2', suggestion: wait, details: {n: 1}}, id: t1}]
      catch: [{set_variable: {name: seen, value: !expr 'error'}}]
      finally: [{set_variable: {name: last, value: done}}]
response: {seen: !expr 'seen', last: !expr 'last'}
"""
    assert run(text) == {
        "seen": {
            "code": "TAKEN",
            "message": "no 2",
            "status": 409,
            "suggestion": "wait",
            "details": {"n": 1},
            "line": "t1",
        },
        "last": "done",
    }


def test_literal_marks_give_data_that_looks_like_an_expression() -> None:
    assert run('response: {$literal: {$expr: "1 + 1"}}') == {"$expr": "1 + 1"}


def test_run_and_debug_records_every_line() -> None:
    text = """
stack:
  - set_variable: {name: a, value: 1}
  - for: {count: 3, do: [{condition: {if: !expr 'index == 1', then: [{continue: {}}]}}, {debug_log: {value: !expr 'index'}}]}
  - stop_and_debug: {value: !expr 'a'}
  - set_variable: {name: never, value: 1}
"""
    trace = Trace(["1 secret"])
    with pytest.raises(DebugStop) as stopped:
        plan_of(document_of(text), traced=True).run(execution(trace), {})
    trace.finish(failed=False)
    assert stopped.value.value == 1
    assert [(line["line"], line["entered"]) for line in trace.as_value()] == [
        ("l1", 1),
        ("l2", 1),
        ("l3", 3),
        ("l5", 2),
        ("l4", 1),
        ("l6", 1),
    ]
    assert trace.as_value()[3]["debug"] == ["0", "2"]


def test_live_calls_pass_over_debug_steps() -> None:
    assert run("stack: [{stop_and_debug: {value: 1}}]\nresponse: 2") == 2


def test_a_disabled_line_does_not_run() -> None:
    assert run("stack: [{return: {value: 1}, disabled: true}]\nresponse: 2") == 2


def test_the_spelling_of_a_document_leads_back_to_it() -> None:
    document = document_of(
        """
name: f
inputs: {a: {type: int}}
stack:
  - condition: {if: !expr 'input.a > 1', then: [{break: {}, note: why}], else_if: [{if: true, then: []}], else: [{return: {}}]}
    id: mine
  - switch: {value: 1, cases: [{when: 1, do: [{continue: {}, disabled: true}]}]}
response: !expr 'a'
"""
    )
    faults_ = Faults()
    assert from_spelling(to_spelling(document), faults_) == document
    assert faults_.found == []
    assert [line["id"] for line, _, _ in walk_lines(document["lines"])] == ["mine", "l2", "l3", "l4", "l5"]
    path = ("lines", 0, "params", "else_if", 0, "if")
    assert spelled_path(document, path) == ("stack", 0, "condition", "else_if", 0, "if")


def test_a_written_stack_with_faults_of_form_says_where() -> None:
    faults_ = Faults()
    text = """
stack:
  - 1
  - {}
  - set_variable: {name: a}
    value: 3
  - a: 1
    b: 2
lines: []
"""
    from_spelling(yaml.load(text).data, faults_)
    assert [(f.dotted, f.code) for f in faults_.found] == [
        ("lines", "unknown_key"),
        ("stack.0", "line"),
        ("stack.1", "line"),
        ("stack.2.value", "unknown_key"),
        ("stack.3", "line"),
    ]
    assert "Indent it under set_variable" in faults_.found[3].message


def test_a_function_is_called_by_its_signature() -> None:
    signature = Signature(1, 1, {"n": {"type": "int", "required": True}}, t.DECIMAL)
    catalogue = Catalogue(CATALOGUE.schema, {"twice": signature}, {})
    text = "stack: [{call_function: {function: twice, input: {m: 1}}, as: r}, {call_function: {function: twise}}]"
    checked = check_document(document_of(text), catalogue)
    assert [fault.code for fault in checked.faults] == ["unknown_input", "missing_input", "unknown_function"]
    good = "stack: [{call_function: {function: twice, input: {n: 1}}, as: r}]\nresponse: !expr 'r'"
    assert check_document(document_of(good), catalogue).response == t.DECIMAL


def test_a_fault_has_a_place_in_json() -> None:
    fault = Fault(("lines", 0), "line", "…", line_id="l1", column=3)
    assert fault.as_dict()["path"] == ["lines", 0]
