"""limit_per_caller: each key, each user and each address has a limit of its own, beside the endpoint's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from redis import Redis

from endpoints.blueprints import apply_blueprint
from endpoints.models import ApiGroup
from endpoints.throttles import forget_all
from stackyard.core.models import Workspace
from stackyard.tables.changes import create_table
from tests.doors import Answer, Door
from tests.factories import make_endpoint, make_group, make_key

pytestmark = pytest.mark.django_db(databases=["default", "history"])

MEMBERS: dict[str, Any] = {
    "email": {"type": "email", "required": True, "unique": True},
    "password": {"type": "password", "required": True},
}
URL = "/api:shop/few"


@pytest.fixture
def group(workspace: Workspace) -> ApiGroup:
    return make_group(workspace)


@pytest.fixture(autouse=True)
def one_second(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    """All calls of a test fall into one window, and no count is left from another test."""
    settings.WEB_PROCESSES, settings.REDIS_URL, settings.TRUSTED_PROXIES = 1, "", ["127.0.0.1"]
    monkeypatch.setattr("limits.storage.memory.time", SimpleNamespace(time=lambda: 1_000_000.25))
    forget_all()
    yield
    forget_all()


def calls(client: Door, number: int, headers: dict[str, str] | None = None) -> list[Answer]:
    return [client.get(URL, headers=headers or {}) for _ in range(number)]


def at(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def statuses(answers: list[Answer]) -> list[int]:
    return [answer.status for answer in answers]


def test_each_key_has_its_own(client: Door, workspace: Workspace, group: ApiGroup) -> None:
    make_endpoint(group, "/few", auth=["api_key"], limit_per_caller=3)
    one, other = client.with_key(make_key(workspace)), client.with_key(make_key(workspace))
    answers = calls(one, 5)
    assert statuses(answers) == [200, 200, 200, 429, 429]
    assert statuses(calls(other, 4)) == [200, 200, 200, 429]
    refused = answers[-1]
    assert refused.error["code"] == "TOO_MANY_REQUESTS"
    assert "3 calls a second from each caller" in refused.error["message"]
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["ratelimit-policy"] == '"caller";q=3;w=1'
    assert refused.headers["ratelimit"] == '"caller";r=0;t=1'


def test_each_user_has_its_own_whichever_token_is_sent(
    client: Door, workspace: Workspace, group: ApiGroup
) -> None:
    create_table(workspace, "members", fields=MEMBERS)
    apply_blueprint(group, "authentication", "members", options={"reset_url": "https://app.example/?token="})
    make_endpoint(group, "/few", auth=["jwt"], limit_per_caller=2)

    def token(route: str, name: str) -> dict[str, str]:
        person = {"email": f"{name}@example.com", "password": "correct horse"}
        tokens = client.post(f"/api:shop/auth/{route}", json=person).json()
        return {"Authorization": f"Bearer {tokens['authToken']}"}

    first, again, other = token("signup", "ann"), token("login", "ann"), token("signup", "ben")
    assert statuses(calls(client, 1, first) + calls(client, 2, again)) == [200, 200, 429]
    assert statuses(calls(client, 3, other)) == [200, 200, 429]


def test_each_address_has_its_own_where_nobody_says_who_calls(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/few", limit_per_caller=2)
    assert statuses(calls(client, 3, at("203.0.113.7"))) == [200, 200, 429]
    assert statuses(calls(client, 3, at("203.0.113.8"))) == [200, 200, 429]


def test_what_a_callers_limit_turns_away_is_not_taken_from_the_others(client: Door, group: ApiGroup) -> None:
    make_endpoint(group, "/few", limit_per_caller=2, limit_per_second=4)
    calls(client, 20, at("203.0.113.7"))
    assert statuses(calls(client, 2, at("203.0.113.8"))) == [200, 200]
    last = calls(client, 1, at("203.0.113.9"))[0]
    assert (last.status, last.headers["ratelimit-policy"]) == (429, '"default";q=4;w=1')


def test_processes_share_each_callers_count_through_redis(
    client: Door, workspace: Workspace, group: ApiGroup, settings: Any, redis_url: str
) -> None:
    settings.REDIS_URL = redis_url
    settings.WEB_PROCESSES = 2
    forget_all()
    endpoint = make_endpoint(group, "/few", auth=["api_key"], limit_per_caller=40)
    with Redis.from_url(redis_url) as server:
        # Ids come again in the next test; what it counted must not.
        for name in server.scan_iter(f"LIMITS:*/{endpoint.pk}/*"):
            server.delete(name)
    key = make_key(workspace)
    passed = statuses(calls(client.with_key(key), 30)).count(200)
    forget_all()
    # A publication makes new plans: as in another process, nothing is known of the calls before.
    make_endpoint(group, "/other")
    passed += statuses(calls(client.with_key(key), 30)).count(200)
    assert 40 <= passed < 60
    assert client.with_key(make_key(workspace)).get(URL).status == 200
