"""A request history of a million calls, listed: milliseconds of the console's pages and of the management API's.

Run by `make bench ARGS="--only history"` as a process of its own with an empty home: `python -m benchmarks.history` prints
JSON. The calls are made by one statement in the database; they are asked for through the product, signed in or with a key.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

CALLS = int(os.environ.get("STACKYARD_BENCH_CALLS", "1000000"))
ROUNDS = 5
GOAL_MS = 300
# 30 days of calls of three workspaces: nine of ten are the first one's, one of a hundred fails, one of a hundred
# thousand is 503, one endpoint is hardly ever called.
FILL = """
    INSERT INTO endpoints_historyentry (workspace_id, group_id, endpoint_id, revision_id, request_id, method, path, status,
        error_code, duration_us, principal, address, query, request_headers, request_body, request_bytes, response_body,
        response_bytes, created_at, trace, data_source)
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {calls})
    SELECT CASE WHEN n % 10 = 0 THEN {workspace} + 1 + n % 3 ELSE {workspace} END, {group},
        CASE WHEN n % 50000 = 7 THEN {rare} ELSE {often} END, 1, 'request-' || n, CASE WHEN n % 4 = 0 THEN 'POST' ELSE 'GET' END,
        '/api:shop/orders/' || (n % 9973), CASE WHEN n % 100000 = 3 THEN 503 WHEN n % 100 = 1 THEN 500 WHEN n % 20 = 1 THEN 404 ELSE 200 END,
        '', 1000 + n % 5000, 'key bench', '127.0.0.1', '', '{filler}', '', 0, '{filler}', 300,
        {now} - ({calls} - n) * CAST({span} AS bigint) / {calls}, '', 'live'
    FROM numbers
"""


def main() -> None:
    """Fill, measure, and print `{page: [ms, …]}`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stackyard.settings")
    import django

    django.setup()
    from stackyard.start.installation import migrate

    migrate()
    print(json.dumps({what: [ms(page) for _ in range(ROUNDS)] for what, page in pages(*fill())}))


def fill() -> tuple[Any, Any, Any]:
    """The workspace, and the endpoints that are called often and hardly ever."""
    from django.db import connections

    from tests.factories import make_endpoint, make_group, make_workspace

    workspace = make_workspace("bench")
    make_workspace("other")
    group = make_group(workspace)
    often, rare = (make_endpoint(group, path) for path in ("/often", "/rare"))
    filler = json.dumps({"note": "x" * 280})
    values = {
        "workspace": workspace.pk,
        "group": group.pk,
        "often": often.pk,
        "rare": rare.pk,
        "filler": filler,
    }
    span, now = 30 * 86_400_000, time.time_ns() // 1_000_000
    with connections["history"].cursor() as cursor:
        cursor.execute(FILL.format(**values, calls=CALLS, span=span, now=now))
        cursor.execute("ANALYZE")
    return workspace, often, rare


def pages(workspace: Any, often: Any, rare: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Every list that is measured: what it is, and the deed."""
    yield from console_pages(workspace, often, rare)
    yield from api_pages(workspace, often, rare)


def console_pages(workspace: Any, often: Any, rare: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The console's, the last page that it offers too."""
    from django.test import Client
    from django.urls import reverse

    from tests.factories import make_owner

    browser = Client(headers={"host": "localhost"})
    browser.force_login(make_owner())
    browser.post(reverse("admin:choose_workspace"), {"workspace": workspace.pk})
    address = reverse("admin:endpoints_historyentry_changelist")
    for what, query in {
        "all": {},
        "endpoint": {"endpoint": often.pk},
        "endpoint hardly called": {"endpoint": rare.pk},
        "5xx": {"status": "5"},
        "3xx, of which there are none": {"status": "3"},
        "method": {"method": "POST"},
        "5xx of an endpoint": {"status": "5", "endpoint": often.pk},
        "the last hour": {"period": "1h"},
        "the last 7 days": {"period": "7d"},
        "5xx of 7 days": {"period": "7d", "status": "5"},
        "an hour 20 days ago": {"at": str(int(time.time()) - 20 * 86_400)},
        "text": {"q": "orders/99"},
        "text that is nowhere": {"q": "nowhere"},
        "all, page 900": {"p": "900"},
        "method, page 900": {"method": "POST", "p": "900"},
    }.items():
        yield f"console: {what}", lambda query=query: answered(browser.get(address, query).status_code)


def api_pages(workspace: Any, often: Any, rare: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The API's, each from its beginning and from a cursor in the middle of the million."""
    from django.core.handlers.wsgi import WSGIHandler

    from auth.keys import create_key
    from tests.doors import Door

    door = Door(WSGIHandler()).with_key(create_key(workspace, "bench", ["meta"])[1])
    url = f"/api:meta/workspaces/{workspace.name}/history"
    group, then = often.group.name, datetime.now(UTC) - timedelta(days=20)
    for what, query in {
        "all": {},
        "endpoint": {"group": group, "endpoint": often.name},
        "endpoint hardly called": {"group": group, "endpoint": rare.name},
        "status": {"status": "404"},
        "status of few": {"status": "503"},
        "failed": {"failed": "true"},
        "since and until": {"since": then.isoformat(), "until": (then + timedelta(hours=1)).isoformat()},
        "text": {"text": "orders/99"},
        "text that is nowhere": {"text": "nowhere"},
        "request id": {"request_id": "request-77777"},
    }.items():
        for where, cursor in (("", {}), (", in the middle", {"cursor": str(CALLS // 2)})):
            asked = {**query, **cursor, "per_page": "100"}
            yield f"API: {what}{where}", lambda asked=asked: answered(door.get(url, query=asked).status)


def answered(status: int) -> None:
    """ValueError for anything but 200."""
    if status != 200:
        raise ValueError(f"answered with {status}")


def ms(deed: Callable[[], Any]) -> float:
    """Milliseconds of a deed."""
    began = time.perf_counter()
    deed()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
