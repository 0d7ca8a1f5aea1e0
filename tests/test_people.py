"""People of the console: roles in workspaces, invitations, sign-in with a second factor, and what ends a session."""

from __future__ import annotations

import re
from typing import Any

import pyotp
import pytest
from django.core import mail
from django.test import Client

from auth import second_factor, team
from auth.models import Invitation, Membership, SecondFactor, User
from endpoints.models import ApiGroup, Endpoint
from stackyard.core.errors import Problem
from stackyard.core.models import Variable, Workspace
from stackyard.core.workspaces import create_variable
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "history"])
PASSWORD = "a-long-password"


@pytest.fixture
def shop(settings: Any, tmp_path: Any) -> Workspace:
    settings.HOME = tmp_path
    return factories.make_workspace("shop")


def browser_of(account: User) -> Client:
    made = Client()
    made.force_login(account)
    return made


def sign_in(email: str, password: str = PASSWORD, browser: Client | None = None) -> tuple[Client, Any]:
    browser = browser or Client()
    return browser, browser.post("/admin/login/?next=/admin/docs/", {"username": email, "password": password})


# --- roles ------------------------------------------------------------------------------------------


def test_a_viewer_looks_and_changes_nothing(shop: Workspace) -> None:
    group = factories.make_group(shop)
    endpoint = factories.make_endpoint(group)
    browser = browser_of(factories.make_member(shop, "viewer"))
    page = f"/admin/endpoints/endpoint/{endpoint.pk}/"
    assert browser.get("/admin/").status_code == 200
    assert browser.get(f"{page}change/").status_code == 200
    assert browser.get(f"/admin/endpoints/apigroup/{group.pk}/change/").status_code == 200
    assert browser.get("/admin/endpoints/endpoint/add/").status_code == 403
    assert browser.post(f"{page}switch/", {"active": "off"}).status_code == 403
    assert browser.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    assert browser.post(f"{page}editor/publish/", "{}", "application/json").status_code == 403
    assert browser.post(f"{page}debug/run/", "{}", "application/json").status_code == 403
    assert browser.post("/admin/settings/", {"name": "mine", "timezone": "UTC"}).status_code == 403
    assert Endpoint.objects.get().active


def test_a_builder_builds_and_leaves_people_keys_and_settings_alone(shop: Workspace) -> None:
    group = factories.make_group(shop)
    endpoint = factories.make_endpoint(group)
    browser = browser_of(factories.make_member(shop, "builder"))
    assert (
        browser.post(f"/admin/endpoints/endpoint/{endpoint.pk}/switch/", {"active": "off"}).status_code == 302
    )
    assert not Endpoint.objects.get().active
    for address in ("/admin/team/", "/admin/accounts/apikey/", "/admin/accounts/apikey/add/"):
        assert browser.get(address).status_code == 403, address
    assert browser.post("/admin/settings/", {"name": "mine", "timezone": "UTC"}).status_code == 403
    assert browser.get("/admin/accounts/user/").status_code == 403
    assert browser.get("/admin/core/workspace/add/").status_code == 403
    menu = browser.get("/admin/").content.decode()
    assert "/admin/endpoints/endpoint/" in menu
    assert "/admin/team/" not in menu
    assert "/admin/accounts/apikey/" not in menu


def test_an_owner_of_a_workspace_sees_to_its_people_and_keys(shop: Workspace) -> None:
    browser = browser_of(factories.make_member(shop, "owner"))
    made = browser.post("/admin/accounts/apikey/add/", {"workspace": shop.pk, "name": "n8n", "scopes": "*"})
    assert "sy_" in made.content.decode()
    assert browser.get("/admin/team/").status_code == 200
    assert browser.get("/admin/accounts/user/").status_code == 403


def test_what_belongs_to_another_workspace_looks_like_what_does_not_exist(shop: Workspace) -> None:
    other = factories.make_workspace("other")
    theirs = factories.make_endpoint(factories.make_group(other, "secret-plans"))
    variable = create_variable(other, "THEIRS", "x")
    factories.make_group(shop, "mine")
    browser = browser_of(factories.make_member(shop, "owner"))
    for address in (
        f"/admin/endpoints/endpoint/{theirs.pk}/change/",
        f"/admin/endpoints/endpoint/{theirs.pk}/editor/",
        f"/admin/endpoints/apigroup/{theirs.group_id}/change/",
        f"/admin/core/variable/{variable.pk}/change/",
        f"/admin/core/workspace/{other.pk}/change/",
        f"/admin/docs/{theirs.group_id}/",
        "/admin/endpoints/endpoint/999999/change/",
    ):
        assert browser.get(address).status_code == 404, address
        assert browser.post(address, {}).status_code == 404, address
    for address in (
        "/admin/",
        "/admin/endpoints/endpoint/",
        "/admin/endpoints/endpoint/add/",
        "/admin/endpoints/apigroup/",
        "/admin/core/workspace/",
        "/admin/core/variable/",
        "/admin/accounts/apikey/add/",
        "/admin/docs/",
        "/admin/settings/",
        "/admin/runs/schedule/",
        "/admin/find/?q=secret",
        "/admin/find/?q=THEIRS",
    ):
        text = browser.get(address).content.decode()
        assert "secret-plans" not in text, address
        assert ">other<" not in text, address
        assert ">THEIRS<" not in text, address


def test_a_form_cannot_put_things_into_another_workspace(shop: Workspace) -> None:
    other = factories.make_workspace("other")
    group = factories.make_group(other, "theirs")
    browser = browser_of(factories.make_member(shop, "owner"))
    new = {"workspace": other.pk, "name": "new", "scopes": "*"}
    assert browser.post("/admin/accounts/apikey/add/", new).status_code == 403
    variable = {"workspace": other.pk, "name": "NEW", "value": "x"}
    assert browser.post("/admin/core/variable/add/", variable).status_code == 403
    endpoint = {"group": group.pk, "method": "GET", "path": "/x", "start": "empty"}
    assert browser.post("/admin/endpoints/endpoint/add/", endpoint).status_code == 403
    assert not Variable.objects.exists()
    assert not Endpoint.objects.exists()
    assert ApiGroup.objects.count() == 1


def test_a_viewer_of_one_and_builder_of_another_workspace_is_each_where_he_is(shop: Workspace) -> None:
    other = factories.make_workspace("other")
    person = factories.make_member(shop, "viewer")
    Membership.objects.create(user=person, workspace=other, role="builder")
    browser = browser_of(person)
    variable = {"workspace": shop.pk, "name": "NEW", "value": "x"}
    browser.post("/admin/workspace/", {"workspace": other.pk})
    assert browser.post("/admin/core/variable/add/", variable).status_code == 403
    assert browser.post("/admin/core/variable/add/", {**variable, "workspace": other.pk}).status_code == 302
    assert Variable.objects.get().workspace == other


def test_a_role_taken_away_holds_from_the_next_request(shop: Workspace) -> None:
    person = factories.make_member(shop, "builder")
    browser = browser_of(person)
    assert browser.get("/admin/core/variable/add/").status_code == 200
    team.change_role(person.memberships.get(), "viewer")
    assert browser.get("/admin/core/variable/add/").status_code == 403
    team.remove(person.memberships.get())
    assert browser.get("/admin/").headers["Location"].startswith("/admin/login/")


# --- team and invitations -----------------------------------------------------------------------------


def invited(shop: Workspace, role: str = "builder", email: str = "new@example.com") -> str:
    """The path of a new invitation's link."""
    return team.invite(shop, email, role)[1].partition("://")[2].partition("/")[2]


def test_somebody_is_invited_by_e_mail_and_joins_once(shop: Workspace, console: Client) -> None:
    console.post("/admin/workspace/", {"workspace": shop.pk})
    page = console.post("/admin/team/", {"do": "invite", "email": "New@Example.com", "role": "builder"})
    [sent] = mail.outbox
    assert sent.to == ["new@example.com"]
    [link] = re.findall(r"http\S+", sent.body)
    assert link in page.content.decode()
    assert link not in console.get("/admin/team/").content.decode()
    assert link.rpartition("/join/")[2].strip("/") not in str(list(Invitation.objects.values()))
    path = "/" + link.partition("://")[2].partition("/")[2]
    browser = Client()
    assert browser.get(path).status_code == 200
    assert "10 characters" in browser.post(path, {"password": "short"}).content.decode()
    joined = browser.post(path, {"name": "Ada", "password": PASSWORD})
    assert joined.headers["Location"] == "/admin/"
    assert "shop" in browser.get("/admin/").content.decode()
    assert Membership.objects.get().role == "builder"
    assert Client().get(path).status_code == 404
    assert Client().post(path, {"password": PASSWORD}).status_code == 404


def test_who_has_an_account_signs_in_to_join(shop: Workspace) -> None:
    other = factories.make_workspace("other")
    person = factories.make_member(shop, "viewer", "ann@example.com")
    path = "/" + invited(other, "owner", "ann@example.com")
    stranger = browser_of(factories.make_member(shop, "viewer", "bob@example.com"))
    stranger.post(path)
    assert person.memberships.count() == 1
    browser = browser_of(person)
    assert browser.post(path).headers["Location"] == "/admin/"
    assert person.memberships.get(workspace=other).role == "owner"
    assert browser.post(path).status_code == 404


def test_an_invitation_ends(shop: Workspace) -> None:
    over, withdrawn, replaced = (invited(shop, email=f"{n}@example.com") for n in range(3))
    Invitation.objects.filter(email="0@example.com").update(expires_at="2020-01-01T00:00:00Z")
    team.withdraw(Invitation.objects.get(email="1@example.com"))
    invited(shop, email="2@example.com")
    for path in (over, withdrawn, replaced, "admin/join/invented/"):
        assert Client().post("/" + path, {"password": PASSWORD}).status_code == 404
    assert not User.objects.exists()


def test_an_account_that_is_edited_keeps_its_way_in(shop: Workspace, console: Client) -> None:
    person = factories.make_member(shop, "builder")
    form = {"email": person.email, "first_name": "Ann", "last_name": "", "is_active": "on"}
    assert console.post(f"/admin/accounts/user/{person.pk}/change/", form).status_code == 302
    person.refresh_from_db()
    assert (person.first_name, person.is_staff, person.is_superuser) == ("Ann", True, False)
    assert browser_of(person).get("/admin/endpoints/endpoint/").status_code == 200


def test_the_last_owner_stays(shop: Workspace) -> None:
    owner = factories.make_member(shop, "owner").memberships.get()
    for deed in (lambda: team.remove(owner), lambda: team.change_role(owner, "viewer")):
        with pytest.raises(Problem, match="last owner"):
            deed()
    second = factories.make_member(shop, "owner", "second@example.com").memberships.get()
    team.remove(owner)
    with pytest.raises(Problem, match="last owner"):
        team.remove(second)
    browser = browser_of(second.user)
    said = browser.post(f"/admin/team/{second.pk}/remove/", follow=True).content.decode()
    assert "last owner" in said


def test_members_of_another_workspace_are_out_of_reach(shop: Workspace) -> None:
    other = factories.make_workspace("other")
    theirs = factories.make_member(other, "viewer", "theirs@example.com").memberships.get()
    browser = browser_of(factories.make_member(shop, "owner"))
    assert browser.post(f"/admin/team/{theirs.pk}/remove/").status_code in (404, 403)
    browser.post("/admin/team/", {"do": "role", "member": theirs.pk, "role": "owner"})
    theirs.refresh_from_db()
    assert theirs.role == "viewer"
    assert browser.post(f"/admin/team/{theirs.user_id}/reset-code/").status_code in (404, 403)


# --- signing in ---------------------------------------------------------------------------------------


def test_ten_wrong_passwords_close_an_account_for_a_while(shop: Workspace) -> None:
    factories.make_member(shop, "viewer", "ann@example.com")
    for _ in range(10):
        assert "correct" in sign_in("ann@example.com", "wrong")[1].content.decode()
    closed = sign_in("ANN@example.com")[1]
    assert closed.status_code == 200
    assert "Too many wrong passwords" in closed.content.decode()
    assert sign_in("nobody@example.com", "wrong")[1].status_code == 200


def test_fifty_wrong_passwords_close_an_address(shop: Workspace) -> None:
    factories.make_member(shop, "viewer", "ann@example.com")
    for n in range(50):
        sign_in(f"{n}@example.com", "wrong")
    assert "Too many" in sign_in("ann@example.com")[1].content.decode()
    elsewhere = Client(REMOTE_ADDR="203.0.113.9")
    assert sign_in("ann@example.com", browser=elsewhere)[1].status_code == 302


def with_code(account: User) -> tuple[str, list[str]]:
    """Turn the second factor on as of a minute ago: its secret and the recovery codes."""
    secret = second_factor.begin(account)
    codes = second_factor.confirm(account, pyotp.TOTP(secret).now())
    SecondFactor.objects.update(last_step=0)
    return secret, codes


def test_the_second_factor_is_set_up_and_asked_for(shop: Workspace) -> None:
    person = factories.make_member(shop, "builder")
    browser = browser_of(person)
    page = browser.get("/admin/two-factor/").content.decode()
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", "")  # type: ignore[index]
    assert "data:image/svg+xml" in page
    assert "is not the code" in browser.post("/admin/two-factor/", {"code": "000000"}).content.decode()
    done = browser.post("/admin/two-factor/", {"code": pyotp.TOTP(secret).now()}).content.decode()
    codes = done.partition('id="codes"')[2].partition("</pre>")[0]
    assert len(re.findall(r"\b[a-z0-9]{5}-[a-z0-9]{5}\b", codes)) == 10
    stored = str(list(SecondFactor.objects.values()))
    assert secret not in stored

    fresh, answer = sign_in(person.email)
    assert answer.headers["Location"] == "/admin/code/"
    assert fresh.get("/admin/").status_code == 302
    assert fresh.get("/admin/code/").status_code == 200


def test_a_code_is_good_once_and_a_recovery_code_too(shop: Workspace) -> None:
    person = factories.make_member(shop, "builder")
    secret, recovery = with_code(person)
    code = pyotp.TOTP(secret).now()

    def proved(text: str) -> bool:
        browser = sign_in(person.email)[0]
        answer = browser.post("/admin/code/", {"code": text})
        assert answer.status_code == 200 or answer.headers["Location"] == "/admin/docs/"
        return browser.get("/admin/").status_code == 200

    assert not proved("000000")
    assert proved(f"{code[:3]} {code[3:]}")
    assert not proved(code)
    assert proved(recovery[0].upper())
    assert not proved(recovery[0])


def test_codes_are_counted_and_the_second_step_needs_the_first(shop: Workspace) -> None:
    person = factories.make_member(shop, "builder")
    secret, _ = with_code(person)
    assert (
        Client().post("/admin/code/", {"code": pyotp.TOTP(secret).now()}).headers["Location"]
        == "/admin/login/"
    )
    browser = sign_in(person.email)[0]
    for _ in range(10):
        browser.post("/admin/code/", {"code": "000000"})
    assert "Too many" in browser.post("/admin/code/", {"code": pyotp.TOTP(secret).now()}).content.decode()
    assert browser.get("/admin/").status_code == 302


def test_another_password_ends_what_is_half_done(shop: Workspace) -> None:
    person = factories.make_member(shop, "builder")
    secret, _ = with_code(person)
    browser = sign_in(person.email)[0]
    person.set_password("another-long-password")
    person.save()
    answer = browser.post("/admin/code/", {"code": pyotp.TOTP(secret).now()})
    assert answer.headers["Location"] == "/admin/login/"


def test_an_owner_of_the_installation_resets_a_lost_second_factor(shop: Workspace, console: Client) -> None:
    person = factories.make_member(shop, "builder")
    with_code(person)
    assert browser_of(factories.make_member(shop, "owner", "o@example.com")).post(
        f"/admin/team/{person.pk}/reset-code/"
    ).status_code in (403, 404)
    assert second_factor.is_on(person)
    console.post(f"/admin/team/{person.pk}/reset-code/")
    assert not second_factor.is_on(person)
    assert sign_in(person.email)[1].headers["Location"] == "/admin/docs/"


def test_another_password_ends_the_other_sessions(shop: Workspace) -> None:
    person = factories.make_member(shop, "builder")
    here, there = sign_in(person.email)[0], sign_in(person.email)[0]
    new = "another-long-password"
    answer = here.post(
        "/admin/password_change/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    )
    assert answer.status_code == 302
    assert here.get("/admin/").status_code == 200
    assert there.get("/admin/").status_code == 302


def test_signing_in_gives_a_new_session_that_scripts_cannot_read(shop: Workspace) -> None:
    person = factories.make_member(shop, "builder")
    browser = Client()
    browser.get("/admin/login/")
    before = browser.session.session_key
    sign_in(person.email, browser=browser)
    cookie = browser.cookies["sessionid"]
    assert cookie.value != before
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert int(cookie["max-age"]) <= 86_400
