"""The code editor of lambdas: what it asks the server for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from lambdas.models import Lambda
from lambdas.publishing import create_lambda
from stackyard.console.sketches import digest_of
from stackyard.core.workspaces import create_variable
from stackyard.tables.changes import create_table
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "history"])
CODE = "const hello = `Hello ${input?.name}`;\nlog(hello);\nreturn { hello };\n"


def made_lambda(code: str = CODE) -> Lambda:
    shop = factories.make_workspace()
    create_table(shop, "orders", fields={"total": "int", "note": "text"})
    create_variable(shop, "TOKEN", "token-123456", is_secret=True)
    return create_lambda(shop, {"name": "greet", "code": code, "variables": ["TOKEN"]})


def ask(console: Client, target: Lambda, rest: str, method: str = "post", **body: Any) -> Any:
    url = f"/admin/lambdas/lambda/{target.pk}/code/{rest}"
    sent = {"data": json.dumps(body), "content_type": "application/json"} if method != "get" else {}
    return getattr(console, method)(url, **sent)


def test_the_editor_learns_what_the_code_sees(console: Client) -> None:
    words = ask(console, made_lambda(), "words/", "get").json()
    assert "interface Records" in words["platform"]
    assert "orders" in words["workspace"]
    assert "TOKEN: string" in words["workspace"]


def test_a_draft_saves_itself_unless_somebody_else_saved(console: Client) -> None:
    target = made_lambda()
    version = digest_of(target.draft)
    saved = ask(console, target, "draft/", "put", code="return 1;\n", version=version)
    assert saved.status_code == 200
    target.refresh_from_db()
    assert (target.draft["code"], target.draft["variables"]) == ("return 1;\n", ["TOKEN"])
    assert saved.json()["version"] == digest_of(target.draft)
    refused = ask(console, target, "draft/", "put", code="return 2;\n", version=version)
    assert refused.status_code == 409
    assert refused.json()["error"]["details"]["code"] == "return 1;\n"
    assert (
        ask(console, target, "draft/", "put", code="return 2;\n", version=version, force=True).status_code
        == 200
    )
    # Settings come as the page's form; those that cannot be read stay as they were.
    form = "name=greet&timeout=7&memory_mb=128&triggers=%5B&catch_up=none"
    now = digest_of(Lambda.objects.get().draft)
    wrong = ask(console, target, "draft/", "put", code="return 3;\n", form=form, version=now).json()
    assert "triggers" in wrong["form"]
    good = form.replace("triggers=%5B", "triggers=")
    ask(console, target, "draft/", "put", code="return 3;\n", form=good, version=wrong["version"])
    assert Lambda.objects.get().draft["timeout"] == 7


def test_faults_come_with_their_lines(console: Client) -> None:
    target = made_lambda()
    syntax = ask(console, target, "check/", code="return 1;\nconst = 2;\n").json()["marks"]
    assert [(mark["line"], mark["level"]) for mark in syntax] == [(2, "error")]
    types = ask(
        console, target, "check/", code='const o = await db.get("orders", 1);\nreturn o.totl;\n'
    ).json()
    assert [(mark["line"], mark["level"]) for mark in types["marks"]] == [(2, "warning")]
    assert "totl" in types["marks"][0]["message"]
    assert ask(console, target, "check/", code=1).status_code == 400


def test_it_runs_what_is_on_screen_and_hides_secrets(console: Client) -> None:
    target = made_lambda()
    code = "log('key ' + env.TOKEN); return { key: env.TOKEN, name: input.name };"
    answer = ask(console, target, "run/", code=code, input={"name": "Ann"}, sample="{}")
    result = answer.json()
    assert (result["state"], json.loads(result["value"])["name"]) == ("succeeded", "Ann")
    assert "123456" not in answer.content.decode()
    assert "key" in result["logs"]
    failed = ask(console, target, "run/", code="const n = 1;\nthrow new Error('no');", input=None).json()
    assert (failed["state"], failed["error"]["line"]) == ("failed", 2)
    part = ask(console, target, f"runs/{result['id']}/value/", "get").json()
    assert json.loads(part["text"])["name"] == "Ann"
