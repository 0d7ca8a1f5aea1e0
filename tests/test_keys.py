"""API keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from auth.keys import change_key, create_key, find_key, has_checksum, revoke_key, write_uses
from auth.models import ApiKey
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from tests.doors import Door
from tests.factories import make_endpoint, make_group

pytestmark = pytest.mark.django_db(databases=["default", "history"])


def test_a_key_is_stored_as_a_digest_only(workspace: Workspace) -> None:
    key, text = create_key(workspace, "n8n")
    stored = ApiKey.objects.values().get(pk=key.pk)
    assert text not in str(stored)
    assert text.startswith(stored["prefix"])
    assert len(text) == 52
    found = find_key(text)
    assert found is not None
    assert (found.id, found.workspace_id, found.scopes) == (key.pk, workspace.pk, frozenset({"*"}))
    assert found.principal.kind == "api_key"


def test_a_leaked_key_can_be_told_from_a_random_text(workspace: Workspace) -> None:
    text = create_key(workspace, "n8n")[1]
    assert has_checksum(text)
    assert not has_checksum(text[:-1] + ("A" if text[-1] != "A" else "B"))
    assert not has_checksum("sy_")


@pytest.mark.parametrize("text", ["", "sy_", "sy_" + "x" * 49, "\0", "\ud800", "x" * 100_000])
def test_wrong_texts_find_nothing(workspace: Workspace, text: str) -> None:
    assert find_key(text) is None


def test_a_revoked_key_ends_at_once_though_it_was_known(workspace: Workspace) -> None:
    key, text = create_key(workspace, "n8n")
    assert find_key(text) is not None
    revoke_key(key)
    assert find_key(text) is None


def test_an_expired_key_ends_though_nothing_was_changed(workspace: Workspace) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=0.2)
    text = create_key(workspace, "n8n", expires_at=ends)[1]
    assert find_key(text) is not None
    while datetime.now(UTC) < ends:
        pass
    assert find_key(text) is None


def test_changed_scopes_hold_for_the_next_call(workspace: Workspace) -> None:
    key, text = create_key(workspace, "n8n", ["shop:read"])
    before = find_key(text)
    assert before is not None
    assert not before.allows("shop", "a", reads=False)
    change_key(key, ["shop"], None)
    after = find_key(text)
    assert after is not None
    assert after.allows("shop", "a", reads=False)


@pytest.mark.parametrize(
    ("scope", "reading", "writing", "elsewhere"),
    [
        ("*", True, True, True),
        ("shop", True, True, False),
        ("shop:read", True, False, False),
        ("shop/a", True, True, False),
        ("shop/b", False, False, False),
        ("meta", False, False, False),
    ],
)
def test_what_a_scope_covers(
    workspace: Workspace, scope: str, reading: bool, writing: bool, elsewhere: bool
) -> None:
    found = find_key(create_key(workspace, "n8n", [scope])[1])
    assert found is not None
    assert found.allows("shop", "a", reads=True) is reading
    assert found.allows("shop", "a", reads=False) is writing
    assert found.allows("other", "a", reads=True) is elsewhere


@pytest.mark.parametrize("scopes", [[], ["shop:write"], ["a b"], ["shop", "/x"], [""], ["*", "Shop"]])
def test_a_scope_of_no_known_form_is_refused(workspace: Workspace, scopes: list[str]) -> None:
    with pytest.raises(Problem) as caught:
        create_key(workspace, "n8n", scopes)
    assert caught.value.status == 400
    assert not ApiKey.objects.exists()


def test_the_last_use_is_written_apart_and_once_a_minute(workspace: Workspace) -> None:
    write_uses()
    key, text = create_key(workspace, "n8n")
    find_key(text)
    key.refresh_from_db()
    assert key.last_used_at is None
    assert write_uses() == 1
    key.refresh_from_db()
    assert key.last_used_at is not None
    find_key(text)
    assert write_uses() == 0


def test_a_known_key_costs_no_query(workspace: Workspace, django_assert_max_num_queries: object) -> None:
    text = create_key(workspace, "n8n")[1]
    find_key(text)
    # The version's token is all that is read.
    with django_assert_max_num_queries(1):  # type: ignore[operator]
        find_key(text)


def test_a_key_is_for_the_addresses_it_names(client: Door, workspace: Workspace) -> None:
    make_endpoint(make_group(workspace), "/x", auth=["api_key"], response=1)
    key, text = create_key(workspace, "office", addresses=["10.0.0.0/8", "2001:db8::1"])
    caller = client.with_key(text)
    here = caller.get("/api:shop/x")
    assert (here.status, here.error["code"]) == (403, "ACCESS_DENIED")
    change_key(key, ["*"], None, ["127.0.0.1"])
    assert caller.get("/api:shop/x").status == 200
    with pytest.raises(Problem) as raised:
        change_key(key, ["*"], None, ["10.0.0.1", "office", "1.2.3.4/99"])
    assert [detail.field for detail in raised.value.details] == ["addresses", "addresses"]
