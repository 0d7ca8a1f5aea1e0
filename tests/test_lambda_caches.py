"""What of a lambda is made once and when it is made again: the compiled code, the code in a slot, the lambda itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lambdas.publishing import create_lambda, publish, save_draft
from lambdas.running import accepted_lambda, lambda_named, run_now, start_lambda, value_or_problem
from lambdas.supervisor import Supervisor
from lambdas.supervisor.compiler import Compiler, SyntaxFault
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.core.workspaces import create_variable, edit_variable
from stackyard.runs.models import Run
from stackyard.runs.working import work
from tests.slots import make_launcher, run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every source that was compiled."""
    sources: list[str] = []
    ask = Compiler._ask

    def note(self: Compiler, source: str) -> dict[str, Any]:
        sources.append(source)
        return ask(self, source)

    monkeypatch.setattr(Compiler, "_ask", note)
    return sources


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(make_launcher("process", tmp_path / "lambdas"), tmp_path / "slots", slots=4)
    yield made
    made.close()


def test_code_is_compiled_once_whoever_runs_it_and_a_fault_each_time(
    supervisor: Supervisor, asked: list[str]
) -> None:
    for key in ("a", "a", "b"):
        assert run(supervisor, "return 1", key=key).value == 1
    assert run(supervisor, "return 1", key="a", once=True).value == 1
    assert run(supervisor, "return 2", key="c").value == 2
    assert asked == ["return 1", "return 2"]
    for _ in range(2):
        with pytest.raises(SyntaxFault):
            supervisor.compile("return (")
    assert asked[2:] == ["return (", "return ("]


def test_only_the_last_sources_are_remembered(
    supervisor: Supervisor, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambdas.supervisor.compiler._MOST", 2)
    for source in ("return 1", "return 2", "return 3", "return 2", "return 1"):
        supervisor.compile(source)
    assert asked == ["return 1", "return 2", "return 3", "return 1"]


def test_a_slot_gets_its_code_once_and_other_code_under_another_key(supervisor: Supervisor) -> None:
    # What the code leaves in its process tells whether it was the same one.
    count = "globalThis.runs = (globalThis.runs ?? 0) + 1; return [globalThis.runs, 'VERSION']"
    one, two = count.replace("VERSION", "one"), count.replace("VERSION", "two")
    found = [
        run(supervisor, code, key=key).value for code, key in ((one, "1"), (one, "1"), (two, "2"), (one, "1"))
    ]
    assert found == [[1, "one"], [2, "one"], [1, "two"], [3, "one"]]


@pytest.mark.django_db(databases=["default", "history"])
def test_what_is_published_runs_at_once_and_what_was_accepted_keeps_its_revision(
    workspace: Workspace,
) -> None:
    target = create_lambda(workspace, {"name": "which", "code": "return 'first'"})
    publish(target)
    waiting = start_lambda(target)
    assert value_or_problem(run_now(lambda_named(workspace.pk, "which"), None)) == "first"
    save_draft(target, {"name": "which", "code": "return 'second'"})
    assert value_or_problem(run_now(lambda_named(workspace.pk, "which"), None)) == "first"
    publish(target)
    assert value_or_problem(run_now(lambda_named(workspace.pk, "which"), None)) == "second"
    assert work(waiting.pk) == "succeeded"
    assert Run.objects.get(pk=waiting.pk).result == "first"
    later = start_lambda(lambda_named(workspace.pk, "which"))
    assert work(later.pk) == "succeeded"
    assert Run.objects.get(pk=later.pk).result == "second"


@pytest.mark.django_db(databases=["default", "history"])
def test_a_lambda_is_looked_up_once_until_something_is_published(workspace: Workspace) -> None:
    target = create_lambda(workspace, {"name": "held", "code": "return 1"})
    publish(target)
    first, accepted = lambda_named(workspace.pk, "held"), accepted_lambda(target.pk, target.published_id)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert lambda_named(workspace.pk, "held") is first
        assert accepted_lambda(target.pk, target.published_id) is accepted
    assert not [one for one in queries.captured_queries if "lambdas_lambda" in one["sql"]]
    save_draft(target, {"name": "renamed", "code": "return 2"})
    publish(target)
    assert lambda_named(workspace.pk, "renamed").name == "renamed"
    with pytest.raises(Problem):
        lambda_named(workspace.pk, "held")
    old = accepted_lambda(target.pk, first.published_id)
    assert old is not None
    assert old.published is not None
    assert old.published.document["code"] == "return 1"


@pytest.mark.django_db(databases=["default", "history"])
def test_a_variable_that_changes_is_seen_by_the_next_run(workspace: Workspace) -> None:
    place = create_variable(workspace, "PLACE", "here")
    target = create_lambda(workspace, {"name": "sees", "code": "return env.PLACE", "variables": ["PLACE"]})
    publish(target)
    assert value_or_problem(run_now(target, None)) == "here"
    edit_variable(place, value="there")
    assert value_or_problem(run_now(target, None)) == "there"
