"""Secrets in runs: they work, and stand nowhere in clear: not in the databases, not in an answer, not on a page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.db.models.functions import Now
from django.test import Client

from auth.keys import create_key
from lambdas.models import Lambda
from lambdas.publishing import create_lambda, publish
from lambdas.running import start_lambda
from stackyard.core.errors import Problem
from stackyard.core.masking import Masker
from stackyard.core.models import Workspace
from stackyard.core.secrets import MASK
from stackyard.core.workspaces import create_variable
from stackyard.runs import dispatch, states
from stackyard.runs.models import Run
from stackyard.runs.working import work
from stackyard.stacks import publishing as stacks
from tests.doors import Door

pytestmark = pytest.mark.django_db(databases=["default", "history"])

TOKEN = 'canary-"7f3a9c" & Söhne/2'
NUMBER = "48151623421"


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    create_variable(workspace, "TOKEN", TOKEN, is_secret=True)
    create_variable(workspace, "NUMBER", NUMBER, is_secret=True)
    return workspace


def made(shop: Workspace, name: str, code: str, **more: Any) -> Lambda:
    target = create_lambda(shop, {"name": name, "code": code, "variables": ["TOKEN", "NUMBER"], **more})
    publish(target)
    return target


def all_that_is_stored() -> str:
    """Every cell of every table of both databases."""
    parts = []
    for alias in ("default", "history"):
        connection = connections[alias]
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT * FROM "{table}"')
                parts += [f"{table}: {cell}" for row in cursor.fetchall() for cell in row]
    return "\n".join(parts)


def assert_hidden(text: str) -> None:
    for form in (TOKEN, json.dumps(TOKEN)[1:-1], json.dumps(TOKEN, ensure_ascii=False)[1:-1], NUMBER):
        assert form not in text
    assert "canary" not in text
    assert "7f3a9c" not in text


def ended(run: Run, state: str = states.SUCCEEDED) -> Run:
    assert work(run.pk) == state
    run.refresh_from_db()
    return run


def test_a_canary_stands_nowhere_and_arrives_where_it_is_needed(console: Client, shop: Workspace) -> None:
    code = """console.log('using', env.TOKEN, encodeURIComponent(env.TOKEN), { env });
if (input?.fail) throw Object.assign(new Error(`refused: ${env.TOKEN}`), { details: [{ sent: env.TOKEN }] });
return { token: env.TOKEN, [env.TOKEN]: [Number(env.NUMBER), `n=${env.NUMBER}`], given: input?.given === env.TOKEN }"""
    giver = made(shop, "giver", code, retry_safe=True, max_attempts=2)
    check = "return [input.result.token === env.TOKEN, input.input.given === env.TOKEN]"
    made(shop, "follower", check, triggers=[{"after": {"lambda": "giver"}}])
    runs = [ended(start_lambda(giver, {"given": TOKEN}))]
    assert runs[0].result == {"token": MASK, MASK: [MASK, f"n={MASK}"], "given": True}
    runs.append(ended(Run.objects.get(target_name="follower")))
    assert runs[-1].result == [True, True], "a lambda that follows works with the value itself"
    failing = start_lambda(giver, {"fail": True})
    assert work(failing.pk) == states.FAILED
    Run.objects.filter(pk=failing.pk).update(run_after=Now())
    runs.append(ended(failing, states.FAILED))
    assert runs[-1].error is not None
    assert runs[-1].error["message"] == f"refused: {MASK}"
    assert "attempt_failed" in runs[-1].events.values_list("name", flat=True)
    assert_hidden(all_that_is_stored())

    meta = Door(WSGIHandler()).with_key(create_key(shop, "manager", ["meta"])[1])
    here = f"/api:meta/workspaces/{shop.name}/runs"
    addresses = [f"/run:{run.pk}" for run in runs] + [here] + [f"{here}/{run.pk}" for run in runs]
    for address in addresses:
        answer = meta.get(address)
        assert answer.status == 200
        assert_hidden(answer.body.decode())
    pages = [f"/admin/runs/run/{run.pk}/change/" for run in runs]
    for page in [*pages, "/admin/runs/run/", f"/admin/lambdas/lambda/{giver.pk}/change/"]:
        assert_hidden(console.get(page).content.decode())


def test_a_function_in_the_background_keeps_no_secret(shop: Workspace) -> None:
    document = {
        "name": "teller",
        "inputs": {"told": {"type": "text"}},
        "lines": [],
        "response": {"$expr": "[env.TOKEN, input.told == env.TOKEN]"},
    }
    function = stacks.create_function(shop, document)
    stacks.publish(function)
    run = dispatch.start("function", shop, function.pk, target_name="teller", input={"told": TOKEN})
    assert ended(run).result == [MASK, True]
    assert_hidden(all_that_is_stored())


def test_a_stack_that_waits_gets_the_value_and_no_secret_in_an_error(shop: Workspace) -> None:
    from stackyard.stacks.runner import Execution, load_draft

    made(shop, "giver", "if (input.fail) throw new Error(env.TOKEN); return env.TOKEN")

    def run(fail: bool, step: str, params: dict[str, Any]) -> Any:
        lines = [{"step": step, "as": "got", "params": params}]
        plan = load_draft(shop.pk, {"name": "x", "lines": lines, "response": {"$expr": "got == env.TOKEN"}})
        return plan.run(Execution.start(shop.pk, dispatch.SYSTEM), {})

    assert run(False, "run_lambda", {"lambda": "giver", "input": {"fail": False}}) is True
    throwing = {"source": "throw new Error(env.TOKEN)", "variables": ["TOKEN"]}
    for step, params in (("run_lambda", {"lambda": "giver", "input": {"fail": True}}), ("code", throwing)):
        with pytest.raises(Problem) as caught:
            run(True, step, params)
        assert caught.value.message == MASK
        assert_hidden(str(caught.value.details))


def test_the_same_key_with_another_secret_in_the_input_is_another_request(shop: Workspace) -> None:
    target = made(shop, "once", "return 1")
    first = start_lambda(target, {"token": TOKEN}, idempotency_key="k")
    assert first.input == {"token": MASK}
    assert start_lambda(target, {"token": TOKEN}, idempotency_key="k").pk == first.pk
    with pytest.raises(Problem) as caught:
        start_lambda(target, {"token": NUMBER}, idempotency_key="k")
    assert caught.value.code == "CONFLICT"


def test_lines_of_a_long_secret_are_hidden_one_by_one() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END KEY-----\n"
    masker = Masker([key, "abc"])
    assert masker.hide_in({"a": ["MIIEvQIBADANBgkqhkiG9w0B' +", key, "abc", 3, None, True]}) == {
        "a": [f"{MASK}' +", MASK, "abc", 3, None, True]
    }
    same = {"a": [1, "x"]}
    assert masker.hide_in(same) is same
