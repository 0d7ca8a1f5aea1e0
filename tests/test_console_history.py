"""The request history in the console: filters, paging, one call as text, nothing to change."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from endpoints import history_search
from endpoints.models import HistoryEntry
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "history"])

LIST = "/admin/endpoints/historyentry/"


def called(**more: Any) -> HistoryEntry:
    """One call."""
    values: dict[str, Any] = {
        "workspace_id": 1,
        "group_id": 1,
        "endpoint_id": 999_999,
        "request_id": "r1",
        "method": "GET",
        "path": "/api/v1/customers/7",
        "status": 200,
        "duration_us": 1234,
        "created_at": 1_769_162_400_123,
        **more,
    }
    return HistoryEntry.objects.create(**values)


def paths(answer: Any) -> list[str]:
    """The paths of the calls listed."""
    return re.findall(r'field-call">.*?<code>([^<]*)</code>', answer.content.decode())


def test_calls_are_filtered_by_status_method_and_endpoint(console: Client) -> None:
    endpoint = factories.make_endpoint(factories.make_group(factories.make_workspace()))
    called(path="/ok", endpoint_id=endpoint.pk)
    called(path="/lost", status=404)
    called(path="/sent", method="POST", status=201)
    called(path="/broken", status=500)
    assert paths(console.get(LIST)) == ["/broken", "/sent", "/lost", "/ok"]
    assert paths(console.get(f"{LIST}?status=2")) == ["/sent", "/ok"]
    assert paths(console.get(f"{LIST}?status=4")) == ["/lost"]
    assert paths(console.get(f"{LIST}?status=5")) == ["/broken"]
    assert paths(console.get(f"{LIST}?method=POST")) == ["/sent"]
    assert paths(console.get(f"{LIST}?endpoint={endpoint.pk}")) == ["/ok"]
    assert "Nothing matches" in console.get(f"{LIST}?method=DELETE").content.decode()


@pytest.mark.parametrize(
    "asked",
    [
        "?status=x",
        "?endpoint=x",
        "?endpoint=9e9",
        "?p=0",
        "?p=99999",
        "?o=1",
        "?nothing=1",
        "?method=%00",
        "?endpoint=%C2%B2",
        "?q=%00",
    ],
)
def test_an_odd_address_is_answered(console: Client, asked: str) -> None:
    called()
    assert console.get(LIST + asked).status_code in (200, 302)


def test_a_call_is_shown_in_full(console: Client) -> None:
    endpoint = factories.make_endpoint(factories.make_group(factories.make_workspace()))
    entry = called(
        endpoint_id=endpoint.pk,
        query="a=1",
        request_headers='{"user-agent":"curl/8"}',
        request_body='{"b":[1,2]}',
        response_body='{"c":3}',
        error_code="CUSTOMER_NOT_FOUND",
        principal="key n8n",
    )
    text = console.get(f"{LIST}{entry.pk}/change/").content.decode()
    for part in ("1.2 ms", "2026-01-23 10:00:00.123", "CUSTOMER_NOT_FOUND", "key n8n", "a=1", "curl/8"):
        assert part in text
    assert "&quot;c&quot;: 3" in text
    assert f"/admin/endpoints/endpoint/{endpoint.pk}/change/" in text


def test_the_call_of_an_endpoint_that_is_gone_is_shown_too(console: Client) -> None:
    entry = called(endpoint_id=987, response_body="cut {")
    assert console.get(f"{LIST}{entry.pk}/change/").status_code == 200


def test_bodies_are_text_and_never_a_page(console: Client) -> None:
    hostile = "</pre><script>alert(1)</script>"
    entry = called(
        path=hostile,
        query=hostile,
        request_headers=hostile,
        request_body=hostile,
        response_body=hostile,
        principal=hostile,
        address=hostile,
        error_code=hostile,
        request_id=hostile,
    )
    for address in (LIST, f"{LIST}{entry.pk}/change/"):
        assert "<script>alert" not in console.get(address).content.decode()


def test_nothing_can_be_added_changed_or_deleted(console: Client) -> None:
    entry = called()
    assert console.get(f"{LIST}add/").status_code == 403
    assert console.post(f"{LIST}{entry.pk}/change/", {"status": 500}).status_code == 403
    assert console.post(f"{LIST}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    entry.refresh_from_db()
    assert entry.status == 200


def test_a_long_history_is_paged_without_counting_or_reading_bodies(console: Client) -> None:
    HistoryEntry.objects.bulk_create(
        HistoryEntry(
            workspace_id=1,
            group_id=1,
            endpoint_id=1,
            request_id="r",
            method="GET",
            path=f"/{number}",
            status=200,
            duration_us=1,
            created_at=1,
            response_body="x" * 100,
        )
        for number in range(250)
    )
    with CaptureQueriesContext(connections["history"]) as captured:
        first = console.get(LIST)
    assert paths(first)[0] == "/249"
    assert len(paths(first)) == 100
    assert paths(console.get(f"{LIST}?p=3"))[-1] == "/0"
    asked = [query["sql"] for query in captured.captured_queries]
    assert not any("response_body" in sql for sql in asked if "historyentry" in sql)
    assert all("LIMIT" in sql for sql in asked if "historyentry" in sql)


def test_a_rare_call_is_found_further_back_when_a_page_ran_out_of_time(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_search, "_COUNTED_WINDOW", 60)
    for number in range(250):
        called(path=f"/{number}", status=500 if number == 7 else 200)
    assert paths(console.get(f"{LIST}?p=3")) == [f"/{number}" for number in range(49, -1, -1)]
    monkeypatch.setattr(history_search, "COUNTED_SECONDS", 0)
    address, pages = "?status=5", 0
    while not paths(page := console.get(LIST + address)):
        text = page.content.decode()
        assert "Nothing matches" not in text
        address = html.unescape(re.findall(r'class="further">.*?href="([^"]+)"', text)[0])
        pages += 1
    assert (paths(page), pages) == (["/7"], 4)
    assert 'class="further"' not in page.content.decode()
