"""Blueprints that ask for more than a table: what they make, called over HTTP, and their page in the console."""

from __future__ import annotations

from typing import Any

import pytest

from endpoints.blueprints import apply_blueprint
from endpoints.models import Endpoint
from endpoints.publishing import check
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.tables.changes import create_table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.doors import Door
from tests.factories import make_group, make_key
from tests.outside import Answer as OutsideAnswer

pytestmark = pytest.mark.django_db(databases=["default", "history"])


def test_options_are_checked_all_at_once(workspace: Workspace):
    group = make_group(workspace)
    create_table(workspace, "stock")
    for blueprint, table, options, fields in (
        ("webhook", None, {"scheme": "md5", "nmae": "x"}, {"options.name", "options.scheme", "options.nmae"}),
        ("webhook", "stock", {"name": "x"}, {"table"}),
        ("webhook", None, {"name": "x", "table": "stock"}, {"options.table"}),
        ("webhook", None, {"name": "a/b", "secret": "a b"}, {"options.name", "options.secret"}),
        ("crud", None, {}, {"table"}),
        ("crud", "stock", {"name": "x"}, {"options.name"}),
        ("external", None, {"name": "x", "url": "https://{host}/"}, {"options.url"}),
        ("external", None, {"name": "x", "url": 'https://a.example/"'}, {"options.url"}),
        (
            "external",
            None,
            {"name": "x", "url": "ftp://a.example/", "header": "a b"},
            {"options.url", "options.header"},
        ),
    ):
        with pytest.raises(Problem) as caught:
            apply_blueprint(group, blueprint, table, options=options)
        assert {detail.field for detail in caught.value.details} == fields
    assert not Endpoint.objects.exists()


def test_a_webhook_receiver_keeps_each_event_once_and_hands_it_on(workspace: Workspace, client: Door):
    from lambdas.publishing import create_lambda
    from lambdas.publishing import publish as publish_lambda
    from stackyard.core.workspaces import edit_variable
    from stackyard.runs.models import Run
    from tests.test_webhooks import BODY, SECRETS, signed

    publish_lambda(create_lambda(workspace, {"name": "paid", "code": "return input.id"}))
    group = make_group(workspace)
    options = {"name": "stripe", "scheme": "stripe", "secret": "STRIPE", "lambda": "paid"}
    made = apply_blueprint(group, "webhook", options=options)
    assert [(e.method, e.path) for e in made] == [("POST", "/webhooks/stripe")]
    assert check(made[0], made[0].draft).faults == []

    def send() -> Any:
        return client.post("/api:shop/webhooks/stripe", body=BODY, headers=signed("stripe"))

    assert send().status == 500, "the secret is not set yet, so nothing is accepted"
    edit_variable(workspace.variables.get(name="STRIPE"), value=SECRETS["stripe"])
    assert [send().json() for _ in range(2)] == [
        {"received": True, "repeated": False},
        {"received": True, "repeated": True},
    ]
    assert client.post("/api:shop/webhooks/stripe", body=BODY).status == 401
    events = Store(load_schema(workspace.pk))
    kept = events.get("webhook_events", 1)
    assert (kept["source"], kept["event_id"], kept["type"]) == ("stripe", "evt_1", "order.paid")
    assert kept["payload"]["data"] == {"total": 12.5}
    assert events.get("webhook_events", 2) is None
    assert [run.input["id"] for run in Run.objects.all()] == ["evt_1"]
    apply_blueprint(group, "webhook", options={"name": "github", "scheme": "github", "secret": "STRIPE"})
    assert client.post("/api:shop/webhooks/github", body=b"{}").status == 401


def test_an_external_api_is_asked_with_its_key(workspace: Workspace, client: Door, outside: Any):
    from stackyard.core.workspaces import create_variable

    create_variable(workspace, "RATES_KEY", "Bearer sesame", is_secret=True)
    answers = [OutsideAnswer(200, b'{"rate": 1.5}', {"Content-Type": "application/json"}), OutsideAnswer(500)]
    server = outside.serve("rates.example.com", lambda _: answers.pop(0))
    group = make_group(workspace)
    options = {
        "name": "rates",
        "url": "http://rates.example.com/of/{currency}?on={day}",
        "secret": "RATES_KEY",
    }
    made = apply_blueprint(group, "external", options=options)
    assert made[0].path == "/rates/{currency}/{day}"
    assert check(made[0], made[0].draft).faults == []
    caller = client.with_key(make_key(workspace))
    answer = caller.get("/api:shop/rates/a%3Fb&c/to%20day")
    assert (answer.status, answer.json()) == (200, {"rate": 1.5})
    assert server.received[0].path == "/of/a%3Fb%26c?on=to%20day"
    assert server.received[0].headers["authorization"] == "Bearer sesame"
    failed = caller.get("/api:shop/rates/eur/today")
    assert (failed.status, failed.error["code"]) == (502, "EXTERNAL_API_FAILED")
    sending = {"name": "send", "method": "POST", "url": "http://rates.example.com/new"}
    apply_blueprint(group, "external", options=sending)
    answers.append(OutsideAnswer(201))
    assert caller.post("/api:shop/send", {"body": {"a": 1}}).status == 200
    assert server.received[-1].body == b'{"a":1}'


def test_the_console_makes_a_blueprint_with_options(console: Any, workspace: Workspace):
    group = make_group(workspace)
    url = "/admin/endpoints/endpoint/add/"
    assert 'href="?blueprint=webhook"' in console.get(url).content.decode()
    asked = console.get(f"{url}?blueprint=webhook").content.decode()
    assert 'name="option_scheme"' in asked
    assert '<option value="stripe"' in asked
    sent = {"group": group.pk, "option_name": "a/b", "option_scheme": "stripe"}
    refused = console.post(f"{url}?blueprint=webhook", sent).content.decode()
    assert "use a-z, 0-9 and _" in refused.lower().replace("&#x27;", "'")
    assert console.post(f"{url}?blueprint=webhook", {**sent, "option_name": "stripe"}).status_code == 302
    assert [e.path for e in group.endpoints.all()] == ["/webhooks/stripe"]
