"""`/metrics`: what Prometheus reads, and who else may."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from endpoints.history import history
from endpoints.rollups import Tally
from tests import factories
from tests.doors import Door
from tests.test_monitoring import noted

pytestmark = pytest.mark.django_db(databases=["default", "history"])


def scraped(**more: Any) -> dict[tuple[str, ...], float]:
    """The samples of one scrape by name and label values."""
    answer = Client().get("/metrics", **more)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name, *(value for name, value in sample.labels.items() if name != "workspace")): sample.value
        for family in families
        for sample in family.samples
    }


def test_what_was_called_is_there(client: Door) -> None:
    workspace = factories.make_workspace()
    group = factories.make_group(workspace)
    endpoint = factories.make_endpoint(group, "/good", name="good", inputs={"n": "int"})
    history.flush()
    history.tally.forget()
    client.get("/api:shop/good?n=1")
    client.get("/api:shop/good?n=x")
    history.flush()
    # Another process counts, too.
    other = Tally()
    other.count(noted(endpoint.pk, milliseconds=90_000, status=503, workspace=workspace.pk))
    other.write()
    found = scraped()
    answered = {
        status: found["stackyard_requests_total", "good", "shop", status] for status in ("ok", "4xx", "5xx")
    }
    assert answered == {"ok": 1, "4xx": 1, "5xx": 1}
    buckets = [value for key, value in found.items() if key[0] == "stackyard_request_duration_seconds_bucket"]
    assert buckets == sorted(buckets)
    assert (buckets[-2], buckets[-1]) == (2, 3)
    assert found["stackyard_request_duration_seconds_count", "good", "shop"] == 3
    assert found["stackyard_request_duration_seconds_sum", "good", "shop"] > 90
    assert found["stackyard_alerts_open",] == 0


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": "203.0.113.7"}, 401),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.7"}, 401),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=203.0.113.7"}, 401),
        ({"REMOTE_ADDR": "203.0.113.7", "HTTP_AUTHORIZATION": "Bearer the-token"}, 200),
        ({"REMOTE_ADDR": "203.0.113.7", "HTTP_AUTHORIZATION": "Bearer another"}, 401),
        ({"REMOTE_ADDR": "203.0.113.7", "HTTP_AUTHORIZATION": "Bearer t\xe9"}, 401),
        ({"REMOTE_ADDR": ""}, 401),
    ],
)
def test_who_may_read(settings: Any, asked: dict[str, str], status: int) -> None:
    settings.METRICS_TOKEN = "the-token"
    assert Client().get("/metrics", **asked).status_code == status


def test_no_token_is_set_and_none_is_enough(settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    answer = Client().get("/metrics", REMOTE_ADDR="203.0.113.7", HTTP_AUTHORIZATION="Bearer ")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert Client().post("/metrics").status_code in (403, 405)
