"""Steps that reach out of a stack: requests to other servers, e-mail, templates, the cache."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from django.core import mail

from stackyard.core.errors import Problem
from stackyard.core.models import Variable, Workspace
from stackyard.core.principal import ANONYMOUS
from stackyard.stacks.catalogue import load_catalogue
from stackyard.stacks.check import check_document
from stackyard.stacks.document import with_ids
from stackyard.stacks.runner import Execution, load_draft
from stackyard.stacks.trial import try_document
from tests.outside import Answer, Outside, Received

pytestmark = pytest.mark.django_db

Step = dict[str, Any]


def line(step: str, result: str | None = None, /, **params: Any) -> Step:
    """A line of a stack."""
    return {"step": step, **({"as": result} if result else {}), "params": params}


@pytest.fixture(autouse=True)
def own_cache(settings: Any, tmp_path: Path) -> None:
    """A cache of the test's own: ids of workspaces come back when a test's transaction is rolled back."""
    settings.HOME = tmp_path


def stack(response: str, *lines: Step) -> dict[str, Any]:
    """A document."""
    return with_ids({"format": 1, "inputs": {}, "lines": list(lines), "response": {"$expr": response}})


def run(workspace: Workspace, response: str, *lines: Step, seconds: float = 30) -> Any:
    """The response of a stack."""
    plan = load_draft(workspace.pk, stack(response, *lines))
    return plan.run(Execution.start(workspace.pk, ANONYMOUS, timeout_seconds=seconds), {})


def faults(workspace: Workspace, *lines: Step) -> list[str]:
    """Where the check finds errors."""
    return [fault.dotted for fault in check_document(stack("null", *lines), load_catalogue(workspace)).errors]


def caught(step: Step, *, then: str = "error.code") -> list[Step]:
    """A step in a try; what its error says is the answer."""
    return [line("try_catch", **{"try": [step], "catch": [line("return", value={"$expr": then})]})]


def echo(received: Received) -> Answer:
    """What was asked, as JSON."""
    said = {
        "method": received.method,
        "path": received.path,
        "body": received.body.decode(),
        **received.headers,
    }
    return Answer(201, json.dumps(said).encode(), {"Content-Type": "application/json", "X-Left": "9"})


# Requests


def test_a_stack_asks_another_server(workspace: Workspace, outside: Outside) -> None:
    outside.serve("api.example", echo)
    Variable.objects.create(workspace=workspace, name="KEY", value="k3y", is_secret=False)
    asking = line(
        "external_api_request",
        "answer",
        method="POST",
        url={"$expr": '"https" == "http" ? "" : "http://api.example/v1"'},
        headers={"Authorization": {"$expr": '"Bearer " ~ env.KEY'}},
        query={"page": 2},
        body={"name": {"$expr": '"Ann" | to_upper'}},
        timeout=10,
    )
    answer = run(workspace, "answer", asking)
    assert (answer["status"], answer["headers"]["x-left"]) == (201, "9")
    assert 0 <= answer["duration"] < 10
    assert answer["body"]["path"] == "/v1?page=2"
    assert answer["body"]["body"] == '{"name":"ANN"}'
    assert answer["body"]["authorization"] == "Bearer k3y"
    assert run(workspace, "answer.body.method ~ answer.status", asking) == "POST201"


@pytest.mark.parametrize("status", [400, 404, 500])
def test_an_error_of_the_other_server_is_an_answer(
    workspace: Workspace, outside: Outside, status: int
) -> None:
    outside.serve("api.example", lambda _: Answer(status, b"no", {"Content-Type": "text/plain"}))
    asking = line("external_api_request", "a", url="http://api.example/")
    assert run(workspace, "[a.status, a.body]", asking) == [status, "no"]


@pytest.mark.parametrize(
    ("url", "code", "status"),
    [
        ("http://nobody.example/", "REQUEST_FAILED", 502),
        ("http://127.0.0.1/", "ADDRESS_REFUSED", 422),
        ("http://169.254.169.254/latest/", "ADDRESS_REFUSED", 422),
    ],
)
def test_no_answer_is_an_error_that_can_be_caught(
    workspace: Workspace, outside: Outside, url: str, code: str, status: int
) -> None:
    asking = line("external_api_request", "a", url=url)
    assert run(workspace, "null", *caught(asking)) == code
    assert run(workspace, "null", *caught(asking, then="error.status")) == status
    with pytest.raises(Problem) as problem:
        run(workspace, "a", asking)
    assert problem.value.place is not None


def test_a_request_that_takes_too_long_can_be_caught(workspace: Workspace, outside: Outside) -> None:
    outside.serve_raw("api.example", lambda _: time.sleep(9))
    asking = line("external_api_request", url="http://api.example/", timeout=0.2)
    assert run(workspace, "null", *caught(asking)) == "REQUEST_TIMEOUT"


def test_a_request_does_not_outlast_its_run(workspace: Workspace, outside: Outside) -> None:
    outside.serve_raw("api.example", lambda _: time.sleep(9))
    asking = line("external_api_request", url="http://api.example/", timeout=20)
    began = time.monotonic()
    with pytest.raises(Problem) as problem:
        run(workspace, "1", asking, seconds=0.3)
    assert problem.value.code in {"TIMEOUT", "REQUEST_TIMEOUT"}
    assert problem.value.status == 504
    assert time.monotonic() - began < 5


def test_retries_are_a_number_or_say_more(
    workspace: Workspace, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stackyard.core.outbound.retries.pause", lambda _: None)
    server = outside.serve("api.example", lambda _: Answer(503))

    def asked(method: str, retries: Any) -> int:
        server.received.clear()
        run(
            workspace,
            "1",
            line("external_api_request", method=method, url="http://api.example/", retries=retries),
        )
        return len(server.received)

    assert asked("GET", 2) == 3
    assert asked("POST", 2) == 1
    assert asked("POST", {"times": 2, "any_method": True}) == 3
    assert asked("GET", {"times": 1}) == 2
    for wrong in ("2", {"time": 1}, {"any_method": "yes"}, {"times": 11}, [1]):
        with pytest.raises(Problem) as problem:
            asked("GET", wrong)
        assert problem.value.status == 422


@pytest.mark.parametrize(
    ("params", "at"),
    [
        ({}, "lines.0"),
        ({"url": "api.example.com"}, "lines.0.params.url"),
        ({"url": "file:///etc/passwd"}, "lines.0.params.url"),
        ({"url": 3}, "lines.0.params.url"),
        ({"url": "https://a.example", "body_type": "xml"}, "lines.0.params.body_type"),
        ({"url": "https://a.example", "headers": "X: y"}, "lines.0.params.headers"),
        ({"url": "https://a.example", "timeout": 301}, "lines.0.params.timeout"),
        ({"url": "https://a.example", "timeout": 0}, "lines.0.params.timeout"),
        ({"url": "https://a.example", "retries": 11}, "lines.0.params.retries"),
        ({"url": "https://a.example", "follow_redirects": "yes"}, "lines.0.params.follow_redirects"),
        ({"url": "https://a.example", "verify": False}, "lines.0.params.verify"),
    ],
)
def test_what_is_wrong_is_found_when_it_is_saved(workspace: Workspace, params: Any, at: str) -> None:
    assert any(found.startswith(at) for found in faults(workspace, line("external_api_request", **params)))


def test_the_answers_parts_are_known_when_it_is_saved(workspace: Workspace) -> None:
    asking = line("external_api_request", "answer", url="https://a.example")
    assert faults(workspace, asking, line("set_variable", name="x", value={"$expr": "answer.stauts"})) != []
    assert (
        faults(workspace, asking, line("set_variable", name="x", value={"$expr": "answer.body.any.thing"}))
        == []
    )


def test_secrets_show_neither_in_traces_nor_in_errors(workspace: Workspace, outside: Outside) -> None:
    outside.serve("api.example", echo)
    Variable.objects.create(workspace=workspace, name="KEY", value="s3cr3t-value", is_secret=True)
    headers = {"X-Key": {"$expr": "env.KEY"}}
    good = line(
        "external_api_request", "a", url="http://api.example/", headers=headers, body={"$expr": "env.KEY"}
    )
    shown = try_document(workspace, stack("a", good), {}).as_value("r")
    assert "s3cr3t" not in json.dumps(shown, default=str)
    assert "x-key" in json.dumps(shown, default=str)
    for url in (
        "http://nobody.example/?k=",
        "http://10.0.0.1/",
        "http://api.example:22/",
        "http://s3cr3t-value@@/",
    ):
        bad = line("external_api_request", url={"$expr": f'"{url}" ~ env.KEY'}, headers=headers)
        with pytest.raises(Problem) as problem:
            run(workspace, "1", bad)
        assert "s3cr3t" not in f"{problem.value.message} {problem.value.suggestion} {problem.value.details}"
    evil = line(
        "external_api_request", url="http://api.example/", headers={"X-Key": {"$expr": 'env.KEY ~ "\\n"'}}
    )
    with pytest.raises(Problem) as problem:
        run(workspace, "1", evil)
    assert "s3cr3t" not in problem.value.message


# E-mail and templates


def test_a_stack_renders_a_template_and_mails_it(workspace: Workspace) -> None:
    template = "Hello {{ name }},\n{% for o in orders %}- {{ o.title }}\n{% endfor %}"
    data = {"name": {"$expr": '"<Ann>"'}, "orders": [{"title": "Tea & milk"}]}
    done = run(
        workspace,
        "sent",
        line("render_template", "html", template=template, data=data),
        line("render_template", "text", template=template, data=data, format="text"),
        line(
            "send_email",
            "sent",
            to=["ann@example.com"],
            subject={"$expr": '"Order " ~ 7'},
            text={"$expr": "text"},
            html={"$expr": "html"},
        ),
    )
    (message,) = mail.outbox
    assert done["recipients"] == ["ann@example.com"]
    assert message.subject == "Order 7"
    assert message.body == "Hello <Ann>,\n- Tea & milk\n"
    assert message.alternatives[0].content == "Hello &lt;Ann&gt;,\n- Tea &amp; milk\n"


def test_a_fetched_file_can_be_attached(workspace: Workspace, outside: Outside) -> None:
    outside.serve("api.example", lambda _: Answer(200, b"%PDF\0\xff", {"Content-Type": "application/pdf"}))
    run(
        workspace,
        "1",
        line("external_api_request", "file", url="http://api.example/report.pdf"),
        line(
            "send_email",
            to="ann@example.com",
            subject="Report",
            text="See the file.",
            attachments=[
                {"name": "report.pdf", "content": {"$expr": "file.body"}, "type": "application/pdf"},
            ],
        ),
    )
    assert mail.outbox[0].attachments[0].content == b"%PDF\0\xff"


def test_nobody_can_slip_recipients_or_headers_in(workspace: Workspace) -> None:
    for to in ("a@example.com, b@example.com", "a@example.com\nBcc: b@example.com"):
        sending = line("send_email", to={"$expr": json.dumps(to)}, subject="x", text="x")
        assert run(workspace, "null", *caught(sending)) == "MAIL_INVALID"
    sending = line("send_email", to="a@example.com", subject={"$expr": '"x\\nBcc: b@example.com"'}, text="x")
    assert run(workspace, "null", *caught(sending)) == "MAIL_INVALID"
    assert mail.outbox == []


def test_a_template_that_is_written_out_is_read_when_it_is_saved(workspace: Workspace) -> None:
    broken = line("render_template", "a", template="{{ 1 + }} {% if true %}{{ x | nope }}{% endif %}")
    assert faults(workspace, broken) == ["lines.0.params.template"] * 2
    assert faults(workspace, line("render_template", "a", template="{{ x }}", data={"x": 1})) == []


# The cache


def test_stacks_of_a_workspace_share_a_cache(workspace: Workspace) -> None:
    run(workspace, "1", line("cache_set", key="k", value={"$expr": "[1, {a: null}]"}, ttl=60))
    assert run(workspace, "[v, h]", line("cache_get", "v", key="k"), line("cache_has", "h", key="k")) == [
        *([1, {"a": None}], True)
    ]
    assert run(workspace, "n", line("cache_delete", "n", key="k")) is True
    assert run(workspace, "v", line("cache_get", "v", key="k")) is None


def test_another_workspace_sees_nothing_of_it(workspace: Workspace) -> None:
    from tests.factories import make_workspace

    other = make_workspace("other")
    run(workspace, "1", line("cache_set", key="k", value=1))
    assert run(other, "[v, n]", line("cache_get", "v", key="k"), line("cache_increment", "n", key="k")) == [
        None,
        1,
    ]
    run(other, "1", line("cache_delete", key="k"))
    assert run(workspace, "v", line("cache_get", "v", key="k")) == 1


def test_what_the_cache_does_not_take_can_be_caught(workspace: Workspace) -> None:
    for wrong in (
        line("cache_get", key={"$expr": '""'}),
        line("cache_set", key="k", value=1, ttl={"$expr": "0"}),
        line("cache_increment", key="k", by={"$expr": "1.5"}),
    ):
        assert run(workspace, "null", *caught(wrong)) == "CACHE_INVALID"
