"""Nothing that is sent to the management API ends in a 500, and what is refused changes nothing."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.db import transaction

from tests.doors import Door
from tests.matrix import META, Row
from tests.test_matrix import Stage, address, stage

__all__ = ["stage"]  # a fixture

pytestmark = pytest.mark.django_db(databases=["default", "history"])

NAMES = [
    "\x00",
    "a\x00b",
    "../..",
    "..",
    "%2e%2e",
    "a" * 5000,
    "é̃",
    "😀",
    "\u2028",
    "' OR 1=1 --",
    "<script>",
    "a\\b",
    ";",
    "*",
]
NUMBERS = ["0", str(2**31), str(2**63 - 1), str(2**63), str(10**40)]
VALUES: list[Any] = [
    None, True, 0, -1, 2**53, 2**63 - 1, 2**64 - 1, 1.5, 1e300, "", " ", "x" * 70_000, "a\x00b", "\ud800", "😀", [], [None], [[]],
    {}, {"": ""}, {"$expr": "1 +"}, {"$expr": 5}, {"$literal": {"$expr": "x"}}, {"a": {"$gt": {}}}, {"$where": "1"}, {"$ref": "#"},
]  # fmt: skip

FEWER: list[Any] = [None, -1, "", "\ud800", [None], {}, {"$expr": 5}, 2**64 - 1]


def statuses(door: Door, method: str, url: str, **more: Any) -> int:
    """The status of a call whose changes are taken back."""
    with transaction.atomic():
        status = door.request(method, url, **more).status
        transaction.set_rollback(True)
    return status


def test_no_name_in_a_path_breaks_anything(stage: Stage) -> None:
    broken = []
    for (method, route), row in META.items():
        # The places before the last one are the last ones of shorter routes.
        for kind, name in re.findall(r"<(\w+):(\w+)>", route)[-1:]:
            for hostile in NUMBERS if kind == "int" else NAMES:
                url = address(route, {**stage.names, name: quote(hostile, safe="")})
                more = {} if row.body is None else {"json": row.body}
                status = statuses(stage.doors["owner"], method, url + row.query, **more)
                if status not in (400, 404):
                    broken.append(f"{method} {route} with {name}={hostile[:20]!r}: {status}")
    assert not broken, "\n".join(broken)


def damaged(body: Any, values: list[Any] = VALUES) -> Iterator[Any]:
    """The body as other values, and with each of its parts as other values, gone, or under another name.

    Deeper parts meet fewer values, but under `make fuzz`.
    """
    deeper = VALUES if os.environ.get("STACKYARD_FUZZ") == "1" else FEWER
    yield from values
    if isinstance(body, dict):
        for key, value in body.items():
            rest = {other: part for other, part in body.items() if other != key}
            yield rest
            yield {**rest, f"{key}_": value}
            for part in damaged(value, deeper):
                yield {**body, key: part}
    elif isinstance(body, list) and body:
        for part in damaged(body[0], deeper):
            yield [part]


def rich(row: Row, route: str) -> Any:
    """A body with more in it than the row needs."""
    body = copy.deepcopy(row.body)
    if route.endswith("/tables"):
        body.update(
            description="d",
            fields={
                "a": {"type": "text", "max_length": 5, "default": "x", "required": True},
                "b": {"type": "enum", "values": ["x"]},
            },
            indexes=[{"fields": ["a", "-id"], "unique": True}],
        )
    elif route.endswith("/search"):
        body = {
            "where": {"name": {"$in": ["a"]}, "$or": [{"id": 1}]}, "sort": ["-name"], "page": 1, "per_page": 5, "totals": True,
            "fields": ["name"], "addons": [{"table": "customers", "match": {"id": "id"}, "as": "x", "return": "list"}], "return": "list",
        }  # fmt: skip
    elif route.endswith("/groups"):
        body.update(
            mount="v9",
            cors={"origins": ["*"], "max_age": 5},
            docs="token",
            deprecated_at=0,
            successor="shop",
            active=True,
        )
    elif route.endswith(("/functions", "<str:endpoint>/check")):
        body["inputs"] = {"a": {"type": "object", "fields": {"b": {"type": "int", "min": 1}}}}
        body["lines"] = [
            {
                "id": "l1",
                "step": "set_variable",
                "as": "x",
                "params": {"name": "v", "value": {"$expr": "input.a"}},
            }
        ]
    elif route.endswith("/run"):
        body = {
            "inputs": {"a": 1},
            "keep_changes": False,
            "document": {"lines": [], "inputs": {}, "response": 1},
        }
    return body


DEEDS = sorted((method, route) for (method, route), row in META.items() if row.body is not None)


def test_no_body_breaks_anything(stage: Stage) -> None:
    broken = []
    for method, route in DEEDS:
        url = address(route, stage.names)
        for body in damaged(rich(META[method, route], route)):
            try:
                status = statuses(stage.doors["owner"], method, url, json=body)
            except UnicodeEncodeError:
                continue  # a lone surrogate cannot even be sent
            if status >= 500 or status in (401, 403, 405):
                broken.append(f"{method} {url} {str(body)[:200]}: {status}")
    assert not broken, "\n".join(broken[:50])


def test_what_is_refused_changes_nothing(stage: Stage) -> None:
    for method, route in DEEDS:
        url = address(route, stage.names)
        for body in ({"nothing": 1}, [], "x"):
            before = _everything()
            with transaction.atomic():
                answer = stage.doors["owner"].request(method, url, json=body)
                after = _everything()
                transaction.set_rollback(True)
            if answer.status >= 400:
                assert answer.error["code"] in {"INVALID_INPUT", "INVALID_JSON"}, (url, body, answer.body)
                assert after == before, (url, body, answer.body)


def _everything() -> dict[str, list[Any]]:
    labels = ("core", "tables", "stacks", "endpoints", "accounts")
    models = [model for label in labels for model in apps.get_app_config(label).get_models()]
    return {
        model._meta.label: list(model.objects.order_by("pk").values())
        for model in models
        if model._meta.label not in ("core.Version",)
    }
