"""The management API's workspaces, variables and filters, and what every door of it has in common."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from auth.keys import create_key, revoke_key
from auth.models import Membership, User
from stackyard.core.models import Variable, Workspace
from tests import factories
from tests.doors import Door

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def shop() -> Workspace:
    return factories.make_workspace("shop")


@pytest.fixture
def meta(shop: Workspace) -> Door:
    """A door that sends a key with scope `meta` of the workspace shop."""
    return Door(WSGIHandler()).with_key(create_key(shop, "manager", ["meta"])[1])


ONE = "/api:meta/workspaces/shop"


def test_a_key_sees_its_own_workspace_only(meta: Door) -> None:
    factories.make_workspace("other")
    answer = meta.get("/api:meta/workspaces?totals=true")
    assert answer.status == 200
    page = answer.json()
    assert [item["name"] for item in page["items"]] == ["shop"]
    assert (page["itemsTotal"], page["curPage"], page["nextPage"]) == (1, 1, None)
    assert meta.get("/api:meta/workspaces/other").status == 404
    assert meta.get("/api:meta/workspaces/other/variables").status == 404


def test_without_a_key_or_with_a_wrong_one_nothing_is_told(meta: Door, shop: Workspace) -> None:
    door = Door(meta.application)
    for headers in ({}, {"X-API-Key": "sy_wrong"}, {"Authorization": "Bearer nothing"}):
        answer = door.get(ONE, headers=headers)
        assert answer.status == 401
        assert answer.error["code"] == "UNAUTHORIZED"
        assert "Bearer" in answer.headers["www-authenticate"]
        assert answer.headers["x-request-id"] == answer.error["request_id"]


def test_a_key_without_the_scope_meta_manages_nothing(shop: Workspace, meta: Door) -> None:
    door = Door(meta.application).with_key(create_key(shop, "caller", ["*"])[1])
    assert door.get(ONE).error["code"] == "ACCESS_DENIED"


def test_a_key_opens_as_a_bearer_too_and_not_in_the_query_string(shop: Workspace, meta: Door) -> None:
    text = create_key(shop, "bearer", ["meta"])[1]
    door = Door(meta.application)
    assert door.get(ONE, headers={"Authorization": f"Bearer {text}"}).status == 200
    assert door.get(f"{ONE}?api_key={text}").status == 401


def test_a_revoked_key_opens_nothing_any_more(shop: Workspace, meta: Door) -> None:
    key, text = create_key(shop, "brief", ["meta"])
    door = Door(meta.application).with_key(text)
    assert door.get(ONE).status == 200
    revoke_key(key)
    assert door.get(ONE).status == 401


def test_a_key_cannot_make_workspaces(meta: Door) -> None:
    assert meta.post("/api:meta/workspaces", {"name": "mine"}).status == 403
    assert Workspace.objects.count() == 1


def test_a_workspace_is_edited(meta: Door, shop: Workspace) -> None:
    before = shop.version
    answer = meta.patch(ONE, {"description": "Sells things", "timezone": "Europe/Berlin"})
    assert answer.status == 200
    assert answer.json()["timezone"] == "Europe/Berlin"
    shop.refresh_from_db()
    assert (shop.description, shop.timezone) == ("Sells things", "Europe/Berlin")
    assert shop.version != before


def test_every_fault_of_a_body_is_told_at_once(meta: Door) -> None:
    sent = {"timezone": 5, "naem": "x", "created_at": "2026-01-01T00:00:00Z", "description": None}
    answer = meta.patch(ONE, sent)
    assert answer.status == 400
    assert {detail["field"] for detail in answer.error["details"]} == {
        "naem",
        "created_at",
        "description",
        "timezone",
    }
    assert "Did you mean" in next(d["message"] for d in answer.error["details"] if d["field"] == "naem")


def test_a_value_the_model_refuses_is_a_detail(meta: Door) -> None:
    answer = meta.patch(ONE, {"timezone": "Mars/Olympus"})
    assert answer.status == 400
    assert answer.error["details"][0]["field"] == "timezone"
    assert Workspace.objects.get().timezone == "UTC"


def test_variables_are_made_shown_changed_and_deleted(meta: Door) -> None:
    made = meta.post(f"{ONE}/variables", {"name": "REPORT_EMAIL", "value": "a@example.com"})
    assert made.status == 201
    assert made.json() == {
        "name": "REPORT_EMAIL",
        "value": "a@example.com",
        "is_secret": False,
        "description": "",
    }
    url = f"{ONE}/variables/REPORT_EMAIL"
    assert meta.patch(url, {"value": "b@example.com"}).json()["value"] == "b@example.com"
    assert meta.patch(url, {"description": "Who gets it"}).json()["value"] == "b@example.com"
    assert meta.get(url).json()["description"] == "Who gets it"
    gone = meta.delete(url)
    assert (gone.status, gone.body) == (204, b"")
    assert meta.get(url).status == 404


def test_a_secret_goes_in_and_never_comes_out(meta: Door, shop: Workspace) -> None:
    secret = "s3cret-canary-value"
    url = f"{ONE}/variables/TOKEN"
    answers = [
        meta.post(f"{ONE}/variables", {"name": "TOKEN", "value": secret, "is_secret": True}),
        meta.get(url),
        meta.get(f"{ONE}/variables"),
        meta.patch(url, {"description": "A token"}),
        meta.patch(url, {"is_secret": False}),
        meta.patch(url, {"name": "lower"}),
    ]
    assert [answer.status for answer in answers] == [201, 200, 200, 200, 400, 400]
    assert not [answer for answer in answers if secret.encode() in answer.body]
    assert answers[1].json()["value"] is None
    variable = Variable.objects.get()
    assert secret not in variable.stored
    assert variable.value.reveal() == secret


def test_a_plain_variable_can_become_a_secret_without_being_sent_again(meta: Door) -> None:
    meta.post(f"{ONE}/variables", {"name": "TOKEN", "value": "plain"})
    assert meta.patch(f"{ONE}/variables/TOKEN", {"is_secret": True}).json()["value"] is None
    variable = Variable.objects.get()
    assert variable.stored != "plain"
    assert variable.value.reveal() == "plain"


def test_a_taken_name_is_a_fault_and_not_an_error_of_ours(meta: Door) -> None:
    meta.post(f"{ONE}/variables", {"name": "TWICE"})
    answer = meta.post(f"{ONE}/variables", {"name": "TWICE"})
    assert answer.status == 400
    assert answer.error["details"]


def test_filters_are_listed_with_runnable_examples(meta: Door) -> None:
    page = meta.get("/api:meta/filters?per_page=1000").json()
    names = [item["name"] for item in page["items"]]
    assert "to_upper" in names
    upper = next(item for item in page["items"] if item["name"] == "to_upper")
    assert upper["examples"]
    assert upper["value"] == {"type": "string"}


def test_pages_follow_each_other(meta: Door, shop: Workspace) -> None:
    for number in range(5):
        Variable.objects.create(workspace=shop, name=f"V{number}")
    first = meta.get(f"{ONE}/variables?per_page=2").json()
    last = meta.get(f"{ONE}/variables?per_page=2&page=3").json()
    assert (first["nextPage"], first["prevPage"], first["itemsReceived"]) == (2, None, 2)
    assert (last["nextPage"], last["prevPage"], last["itemsReceived"]) == (None, 2, 1)
    assert "itemsTotal" not in first


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("per_page=1001", "per_page"),
        ("page=99999999999999999999", "page"),
        ("sort=name", "sort"),
        ("page=1&page=2", "page"),
        ("page=x", "page"),
    ],
)
def test_a_wrong_query_is_refused(meta: Door, query: str, field: str) -> None:
    answer = meta.get(f"{ONE}/variables?{query}")
    assert answer.status == 400
    assert [detail["field"] for detail in answer.error["details"]] == [field]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "INVALID_JSON"),
        (b'{"name": "A", "name": "B"}', "application/json", 400, "INVALID_JSON"),
        (b'{"name": NaN}', "application/json", 400, "INVALID_JSON"),
        (b"[" * 100_000, "application/json", 400, "INVALID_JSON"),
        (b'"\xff"', "application/json", 400, "INVALID_JSON"),
        (b"[]", "application/json", 400, "INVALID_INPUT"),
        (b"5", "application/json", 400, "INVALID_INPUT"),
        (b"", "application/json", 400, "INVALID_INPUT"),
        (b"name=A", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"<a/>", "text/xml", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", "application/json; charset=utf-16", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b" " * 10_000_001, "application/json", 413, "PAYLOAD_TOO_LARGE"),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_wrong_body_is_refused(
    meta: Door, body: bytes, content_type: str, status: int, code: str, chunked: bool
) -> None:
    headers = {"Content-Type": content_type}
    answer = meta.post(f"{ONE}/variables", body=body, headers=headers, chunked=chunked)
    assert (answer.status, answer.error["code"]) == (status, code)
    assert not Variable.objects.exists()


def test_a_chunked_body_is_read(meta: Door) -> None:
    answer = meta.post(f"{ONE}/variables", {"name": "CHUNKED"}, chunked=True)
    assert answer.status == 201


def test_methods_that_are_not_offered_answer_405_with_allow(meta: Door) -> None:
    answer = meta.put(ONE, {"name": "x"})
    assert answer.status == 405
    assert answer.error["code"] == "METHOD_NOT_ALLOWED"
    assert set(answer.headers["allow"].split(", ")) == {"GET", "PATCH", "HEAD", "OPTIONS"}
    told = meta.request("OPTIONS", ONE)
    assert (told.status, told.headers["allow"]) == (204, answer.headers["allow"])


def test_head_answers_as_get_without_a_body(meta: Door) -> None:
    assert meta.request("HEAD", ONE).status == 200


@pytest.mark.parametrize(
    "path", ["", "/", "/nothing", "/workspaces/shop/nothing", "/workspaces//", "/x" * 2000]
)
def test_other_addresses_answer_404_in_the_contracts_shape(meta: Door, path: str) -> None:
    answer = meta.get(f"/api:meta{path}")
    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")


def test_one_trailing_slash_is_ignored_and_two_are_not(meta: Door) -> None:
    assert meta.get(f"{ONE}/").status == 200
    assert meta.patch(f"{ONE}/", {"description": "x"}).status == 200
    assert meta.get(f"{ONE}//").status == 404
    assert meta.get(ONE + "/" * 5000).status == 404


def test_whatever_is_accepted_the_answer_is_json(meta: Door) -> None:
    answer = meta.get(ONE, headers={"Accept": "text/html"})
    assert answer.headers["content-type"] == "application/json"


def session_door(client: Any, application: Any, *, csrf: bool = True) -> Door:
    """A door with the cookies of a signed-in Django test client, and the CSRF token or not."""
    client.get("/apidoc:meta")
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    if csrf:
        headers["X-CSRFToken"] = cookies["csrftoken"]
    return Door(application, headers)


@pytest.fixture
def browser() -> Any:
    from django.test import Client

    return Client()


def test_a_builder_manages_every_workspace_from_the_console(shop: Workspace, browser: Any) -> None:
    browser.force_login(User.objects.create_superuser("owner@example.com"))
    door = session_door(browser, WSGIHandler())
    assert door.get("/api:meta/me").json()["kind"] == "builder"
    assert door.post("/api:meta/workspaces", {"name": "second"}).status == 201
    assert len(door.get("/api:meta/workspaces").json()["items"]) == 2


def test_a_session_without_the_csrf_token_only_reads(shop: Workspace, browser: Any) -> None:
    browser.force_login(User.objects.create_superuser("owner@example.com"))
    door = session_door(browser, WSGIHandler(), csrf=False)
    assert door.get(ONE).status == 200
    refused = door.patch(ONE, {"description": "x"})
    assert (refused.status, refused.error["code"]) == (403, "ACCESS_DENIED")


def test_an_account_without_rights_is_refused(shop: Workspace, browser: Any) -> None:
    account = User.objects.create_user("helper@example.com", is_staff=True)
    browser.force_login(account)
    door = session_door(browser, WSGIHandler())
    # What belongs to others looks like what does not exist.
    assert door.get(ONE).status == 404
    Membership.objects.create(user=account, workspace=shop, role=Membership.VIEWER)
    assert door.get(ONE).status == 200
    assert door.patch(ONE, {"description": "x"}).status == 403


def test_an_account_that_may_not_use_the_console_is_nobody(shop: Workspace, browser: Any) -> None:
    browser.force_login(User.objects.create_user("user@example.com"))
    assert session_door(browser, WSGIHandler()).get(ONE).status == 401


def test_a_builder_gives_a_key_other_scopes_and_a_key_cannot(
    shop: Workspace, browser: Any, meta: Door
) -> None:
    key, text = create_key(shop, "partner", ["meta"])
    partner = Door(WSGIHandler()).with_key(text)
    assert partner.get(ONE).status == 200
    assert partner.patch(f"{ONE}/keys/{key.pk}", {"scopes": ["*"]}).status == 403
    browser.force_login(User.objects.create_superuser("owner@example.com"))
    door = session_door(browser, WSGIHandler())
    changed = door.patch(f"{ONE}/keys/{key.pk}", {"scopes": ["shop"]})
    assert changed.json()["scopes"] == ["shop"], changed.body
    assert partner.get(ONE).status == 403
    assert door.patch(f"{ONE}/keys/{key.pk}", {"expires_at": "2020-01-01T00:00:00Z"}).status == 200
    assert partner.get(ONE).status == 401
