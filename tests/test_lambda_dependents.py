"""A lambda that something published needs does not go away, nor does it take another name, unnoticed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client

from auth.keys import create_key
from lambdas.models import Lambda
from lambdas.publishing import check, create_lambda, delete_lambda, publish, save_draft
from stackyard.core import files
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.stacks import publishing as stacks
from stackyard.tables.changes import create_table, hide_table
from tests import factories
from tests.doors import Door
from tests.workspace_folders import faults, write

pytestmark = pytest.mark.django_db(databases=["default", "history"])


def made(workspace: Workspace, name: str, *triggers: dict[str, Any]) -> Lambda:
    target = create_lambda(workspace, {"name": name, "code": "return 1", "triggers": list(triggers)})
    publish(target)
    return target


@pytest.fixture
def used(workspace: Workspace) -> Lambda:
    """A lambda that an endpoint and a function run, and another lambda follows."""
    target = made(workspace, "report")
    made(workspace, "mailer", {"after": {"lambda": "report"}})
    lines = [{"step": "run_lambda", "params": {"lambda": "report"}}]
    factories.make_endpoint(factories.make_group(workspace), lines=lines, name="ask")
    function = stacks.create_function(workspace, {"name": "caller", "lines": lines})
    stacks.publish(function)
    return target


def assert_lists_all(problem: Problem) -> None:
    assert problem.status == 409
    places = [detail.field for detail in problem.details]
    assert [place.split(",")[0] for place in places] == [
        "function caller",
        "endpoint shop/ask",
        "lambda mailer",
    ]
    for place in places:
        assert place in problem.message


def test_a_used_lambda_is_neither_deleted_nor_renamed(used: Lambda) -> None:
    with pytest.raises(Problem) as caught:
        delete_lambda(used)
    assert_lists_all(caught.value)
    target = Lambda.objects.select_related("published", "workspace").get(name="report")
    save_draft(target, {"name": "summary", "code": "return 2"})
    with pytest.raises(Problem) as caught:
        publish(target)
    assert_lists_all(caught.value)
    assert (target.name, target.published and target.published.number) == ("report", 1)
    save_draft(target, {"name": "report", "code": "return 2"})
    assert publish(target).number == 2


def test_the_console_and_the_api_say_who_uses_it(console: Client, used: Lambda) -> None:
    page = f"/admin/lambdas/lambda/{used.pk}/"
    shown = console.post(f"{page}delete/", follow=True).content.decode()
    for user in ("function caller", "endpoint shop/ask", "lambda mailer"):
        assert user in shown
    meta = Door(WSGIHandler()).with_key(create_key(used.workspace, "manager", ["meta"])[1])
    refused = meta.delete(f"/api:meta/workspaces/{used.workspace.name}/lambdas/report")
    assert refused.status == 409
    assert [detail["field"].split(",")[0] for detail in refused.error["details"]][-1] == "lambda mailer"


def test_what_nobody_uses_goes(workspace: Workspace, used: Lambda) -> None:
    delete_lambda(Lambda.objects.get(name="mailer"))
    alone = made(workspace, "alone", {"after": {"lambda": "alone"}})
    save_draft(alone, {"name": "renamed", "code": "return 1"})
    publish(alone)
    delete_lambda(alone)
    assert Lambda.objects.count() == 1


def test_following_a_stranger_is_allowed_and_told(workspace: Workspace, used: Lambda) -> None:
    target = made(workspace, "late", {"after": {"lambda": "reprot"}})
    [fault] = check(target, target.draft).faults
    assert (fault.level, fault.code) == ("warning", "unknown_lambda")
    assert 'Did you mean "report"?' in fault.message


def test_a_table_that_starts_a_lambda_stays(workspace: Workspace) -> None:
    table = create_table(workspace, "orders", fields={"n": "int"})
    watcher = made(workspace, "watcher", {"record": {"table": "orders"}})
    with pytest.raises(Problem) as caught:
        hide_table(table)
    assert caught.value.message.startswith("What is published still uses it: lambda watcher.")
    delete_lambda(watcher)
    hide_table(table)


def test_files_rename_together_and_not_alone(tmp_path: Path) -> None:
    first = {
        "workspace.yaml": "name: tiny\n",
        "lambdas/report/lambda.yaml": "name: report\n",
        "lambdas/report/main.ts": "return 1\n",
        "lambdas/mailer/lambda.yaml": "name: mailer\ntriggers:\n  - after: {lambda: report}\n",
        "lambdas/mailer/main.ts": "return 2\n",
    }
    files.apply(write(tmp_path / "first", first))
    renamed = {path.replace("/report/", "/summary/"): text for path, text in first.items()}
    renamed["lambdas/summary/lambda.yaml"] = "name: summary\nwas: report\n"
    [found] = faults(write(tmp_path / "alone", renamed))
    assert "lambdas/mailer/lambda.yaml" in found
    assert 'It follows "report", which goes away.' in found
    pruned = {path: text for path, text in first.items() if "/report/" not in path}
    assert "which goes away" in faults(write(tmp_path / "pruned", pruned), prune=True)[0]
    renamed["lambdas/mailer/lambda.yaml"] = "name: mailer\ntriggers:\n  - after: {lambda: summary}\n"
    files.apply(write(tmp_path / "together", renamed))
    assert set(Lambda.objects.values_list("name", flat=True)) == {"mailer", "summary"}
