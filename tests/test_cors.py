"""CORS, by the rules of the Fetch standard."""

from __future__ import annotations

from typing import Any

import pytest

from endpoints.cors import Cors, check_cors
from stackyard.core.errors import Faults
from stackyard.core.models import Workspace
from tests.doors import Door
from tests.factories import make_endpoint, make_group

APP = "https://app.example.com"


def preflight(
    config: dict[str, Any], origin: str = APP, headers: str = "authorization,x-custom"
) -> dict[str, str]:
    environ = {
        "HTTP_ORIGIN": origin,
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT",
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": headers,
    }
    cors = Cors(config)
    return dict([*cors.headers(origin), *cors.preflight(environ, ("GET", "HEAD", "PUT", "OPTIONS"))])


def test_without_a_setting_any_page_may_call_but_never_with_credentials() -> None:
    given = preflight({})
    assert given["Access-Control-Allow-Origin"] == "*"
    assert given["Access-Control-Allow-Methods"] == "GET, HEAD, PUT"
    assert given["Access-Control-Allow-Headers"] == "authorization,x-custom"
    assert "Access-Control-Allow-Credentials" not in given
    assert dict(Cors({}).headers(APP))["Access-Control-Allow-Origin"] == "*"
    assert Cors({}).headers(None) == []


def test_only_listed_origins_are_let_in_and_caches_are_told() -> None:
    cors = Cors({"origins": [APP], "credentials": True})
    given = dict(cors.headers(APP))
    assert given["Access-Control-Allow-Origin"] == APP
    assert given["Access-Control-Allow-Credentials"] == "true"
    for origin in ("https://evil.example", "null", APP + ".evil.example", APP.upper()):
        assert cors.headers(origin) == [("Vary", "Origin")]
        assert "Access-Control-Allow-Methods" not in preflight({"origins": [APP]}, origin)


def test_credentials_never_go_with_any_origin() -> None:
    assert "Access-Control-Allow-Credentials" not in dict(
        Cors({"origins": ["*"], "credentials": True}).headers(APP)
    )


def test_an_empty_list_turns_it_off() -> None:
    assert Cors({"origins": []}).headers(APP) == []
    assert preflight({"origins": []}) == {}


def test_methods_headers_and_age_can_be_narrowed() -> None:
    given = preflight({"methods": ["GET"], "headers": ["X-Custom"], "max_age": 60})
    assert given["Access-Control-Allow-Methods"] == "GET"
    assert given["Access-Control-Allow-Headers"] == "X-Custom"
    assert given["Access-Control-Max-Age"] == "60"


def test_what_is_asked_is_echoed_only_when_it_is_harmless() -> None:
    assert "\r" not in preflight({}, headers="a\r\nSet-Cookie: x")["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    ("config", "where"),
    [
        ([], ()),
        ({"origin": []}, ("origin",)),
        ({"origins": "*"}, ("origins",)),
        ({"origins": ["app.example.com"]}, ("origins", 0)),
        ({"origins": [APP + "/"]}, ("origins", 0)),
        ({"origins": ["*"], "credentials": True}, ("credentials",)),
        ({"credentials": True}, ("credentials",)),
        ({"methods": ["FETCH"]}, ("methods", 0)),
        ({"headers": ["a b"]}, ("headers", 0)),
        ({"max_age": "1"}, ("max_age",)),
        ({"max_age": -1}, ("max_age",)),
    ],
)
def test_faults_in_a_setting_are_placed(config: Any, where: tuple[Any, ...]) -> None:
    faults = Faults()
    check_cors(config, faults)
    assert [fault.path for fault in faults.errors] == [("cors", *where)]


@pytest.mark.parametrize(
    "config",
    [{}, {"origins": ["*"]}, {"origins": [APP, "capacitor://localhost"], "credentials": True, "max_age": 0}],
)
def test_a_right_setting_has_no_faults(config: dict[str, Any]) -> None:
    faults = Faults()
    check_cors(config, faults)
    assert faults.found == []


@pytest.mark.django_db(databases=["default", "history"])
def test_a_page_can_read_answers_and_errors(client: Door, workspace: Workspace) -> None:
    group = make_group(workspace, cors={"origins": [APP]})
    make_endpoint(group, "/a", auth=["api_key"])
    asked = {
        "Origin": APP,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-api-key",
    }
    before = client.request("OPTIONS", "/api:shop/a", headers=asked)
    assert (before.status, before.headers["access-control-allow-headers"]) == (204, "x-api-key")
    assert before.headers["access-control-allow-origin"] == APP
    assert before.headers["allow"] == "GET, HEAD, OPTIONS"
    for path in ("/api:shop/a", "/api:shop/b"):
        answer = client.get(path, headers={"Origin": APP})
        assert answer.status in (401, 404)
        assert answer.headers["access-control-allow-origin"] == APP
        assert "Origin" in answer.headers["vary"]
        assert "X-Request-ID" in answer.headers["access-control-expose-headers"]
