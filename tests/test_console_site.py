"""The console's frame: who gets in, its order, its policy, its first steps."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from auth.models import User
from endpoints.models import HistoryEntry
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "history"])

LISTS = [
    "/admin/core/workspace/",
    "/admin/tables/table/",
    "/admin/endpoints/apigroup/",
    "/admin/endpoints/endpoint/",
    "/admin/stacks/function/",
    "/admin/core/variable/",
    "/admin/endpoints/historyentry/",
    "/admin/accounts/user/",
    "/admin/accounts/apikey/",
]


@pytest.mark.parametrize("address", ["/admin/", *LISTS])
def test_a_stranger_is_sent_to_the_login_page(address: str) -> None:
    answer = Client().get(address)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/admin/login/")


def test_somebody_without_the_owners_rights_sees_nothing() -> None:
    factories.make_owner()
    someone = User.objects.create_user("someone@example.com", "a-long-password", is_staff=True)
    browser = Client()
    browser.force_login(someone)
    assert browser.get("/admin/").status_code == 302
    assert browser.get("/admin/accounts/user/").status_code == 302


def test_the_owner_signs_in_with_the_e_mail_address() -> None:
    factories.make_owner("ada@example.com", "a-long-password")
    browser = Client()
    answer = browser.post(
        "/admin/login/?next=/admin/", {"username": "ada@example.com", "password": "a-long-password"}
    )
    assert answer.headers["Location"] == "/admin/"
    assert "ada@example.com" in browser.get("/admin/").content.decode()


@pytest.mark.parametrize("address", ["/admin/", *LISTS])
def test_every_list_says_what_to_do_when_it_is_empty(console: Client, address: str) -> None:
    answer = console.get(address)
    assert answer.status_code == 200
    if not address.endswith(("/admin/", "/user/")):
        assert 'class="empty"' in answer.content.decode()


@pytest.mark.parametrize("address", ["/admin/", "/admin/login/", "/admin/no/such/page/", *LISTS])
def test_every_answer_carries_the_policy_and_stays_out_of_caches(console: Client, address: str) -> None:
    headers = console.get(address).headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "no-store" in headers["Cache-Control"]


def test_no_page_has_script_or_style_inside_it(console: Client) -> None:
    for address in ["/admin/", *LISTS, "/admin/tables/table/add/", "/admin/endpoints/apigroup/add/"]:
        text = console.get(address).content.decode()
        assert not re.search(
            r"<script(?![^>]*(\bsrc=|type=\"application/json\"))[^>]*>|<style|\sstyle=|\son[a-z]+=", text
        ), address


def test_the_menu_follows_the_work(console: Client) -> None:
    text = console.get("/admin/core/workspace/").content.decode()
    menu = text[text.index('aria-label="Console"') : text.index('id="user-tools"')]
    names = [
        text
        for text in (re.sub(r"<[^>]+>", "", one).strip() for one in re.split(r"</a>|</h2>", menu))
        if text
    ]
    names = [name.split(">")[-1].strip() for name in names]
    for before, after in (
        ("Build", "Database"),
        ("Database", "Watch"),
        ("Runs", "Share"),
        ("Team", "Settings"),
    ):
        assert names.index(before) < names.index(after)
    assert 'href="/admin/settings/" aria-current="page"' in menu


def test_the_home_page_ticks_off_the_first_steps(console: Client) -> None:
    assert console.get("/admin/").content.decode().count('class="step done"') == 0
    workspace = factories.make_workspace()
    group = factories.make_group(workspace)
    factories.make_endpoint(group)
    text = console.get("/admin/").content.decode()
    assert text.count('class="step done"') == 1
    assert 'class="step next"' in text


def test_the_home_page_shows_the_latest_requests_as_text(console: Client) -> None:
    HistoryEntry.objects.create(
        workspace_id=1,
        group_id=1,
        endpoint_id=1,
        request_id="r",
        method="GET",
        path="/<script>alert(1)</script>",
        status=404,
        duration_us=1,
        created_at=1,
    )
    text = console.get("/admin/").content.decode()
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text


def test_the_last_owner_cannot_be_locked_out(console: Client) -> None:
    owner = User.objects.get()
    page = f"/admin/accounts/user/{owner.pk}/change/"
    assert owner.password not in console.get(page).content.decode()
    answer = console.post(page, {"email": owner.email, "is_active": "on"})
    assert "only active owner" in answer.content.decode()
    owner.refresh_from_db()
    assert owner.is_superuser


def test_a_second_owner_is_made_and_signs_in(console: Client) -> None:
    answer = console.post(
        "/admin/accounts/user/add/",
        {
            "email": "Grace@Example.com",
            "usable_password": "true",
            "password1": "quite-long-word",
            "password2": "quite-long-word",
        },
    )
    assert answer.status_code == 302
    made = User.objects.get(email="grace@example.com")
    browser = Client()
    browser.force_login(made)
    assert browser.get("/admin/").status_code == 200


def test_an_address_is_taken_once(console: Client) -> None:
    answer = console.post(
        "/admin/accounts/user/add/",
        {
            "email": "OWNER@example.com",
            "usable_password": "true",
            "password1": "quite-long-word",
            "password2": "quite-long-word",
        },
    )
    assert answer.status_code == 200
    assert "already" in answer.content.decode()


def test_nothing_is_done_without_the_forms_token(console: Client) -> None:
    workspace = factories.make_workspace()
    endpoint = factories.make_endpoint(factories.make_group(workspace))
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get())
    page = f"/admin/endpoints/endpoint/{endpoint.pk}"
    for address in (
        f"{page}/change/",
        f"{page}/delete/",
        f"{page}/switch/",
        f"{page}/revisions/1/restore/",
        "/admin/endpoints/endpoint/add/",
        "/admin/tables/table/add/",
        "/admin/accounts/apikey/add/",
        "/admin/core/variable/add/",
    ):
        assert strict.post(address, {"do": "try"}).status_code == 403, address
    endpoint.refresh_from_db()
    assert endpoint.active
