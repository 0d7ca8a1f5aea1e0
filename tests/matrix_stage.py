"""The stage of the authorization matrix: two workspaces, one thing of every kind, and a door for every caller."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from django.urls import URLResolver, get_resolver

from auth import team
from auth.keys import create_key, revoke_key
from auth.models import User
from auth.oauth.applications import register
from auth.providers.setup import set_up
from endpoints.groups import create_group
from endpoints.models import HistoryEntry
from lambdas import publishing as lambda_publishing
from lambdas.publishing import create_lambda
from lambdas.running import start_lambda
from stackyard.alerts.rules import create_rule
from stackyard.core import vault
from stackyard.core.audit.models import AuditEntry
from stackyard.core.models import Workspace
from stackyard.core.workspaces import create_variable
from stackyard.runs.models import Schedule
from stackyard.stacks.publishing import create_function, publish
from stackyard.tables.changes import create_table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests import factories
from tests.doors import Door
from tests.matrix import ALERT, DOCUMENT, EVERY_HOUR, LAMBDA, ROLES


def routes(patterns: Any = None, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every route of the URL resolver with its view."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        here = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, here)
        else:
            yield here, pattern.callback


@dataclass
class Stage:
    """Two workspaces with one thing of every kind in the first, and a door for every caller."""

    names: dict[str, str]
    doors: dict[str, Door]


def make_stage() -> Stage:
    """Two workspaces, furnished, and everybody who may come by."""
    shop, other = factories.make_workspace("shop"), factories.make_workspace("other")
    return Stage(_furnish(shop), {**_key_doors(shop, other), **_session_doors(shop, other)})


def _furnish(shop: Workspace) -> dict[str, str]:
    create_table(shop, "members", fields={"email": {"type": "email", "unique": True}, "password": "password"})
    set_up(shop, "google", "github", "c", "s", redirect_uris=["https://a.example/b"])
    table = create_table(shop, "customers", fields={"name": "text"}, indexes=[{"fields": ["name"]}])
    record = Store(load_schema(shop.pk)).add("customers", {"name": "Ann"})
    create_variable(shop, "TOKEN", "x", is_secret=True)
    publish(create_function(shop, {**DOCUMENT, "name": "count"}))
    group = create_group(shop, "shop", canonical="shop", mount="v1")
    factories.make_endpoint(group, "/open", name="open")
    factories.make_endpoint(group, "/closed", name="closed", auth=["api_key"])
    factories.make_endpoint(group, "/closed", "POST", name="write", auth=["api_key"])
    call = HistoryEntry.objects.create(
        workspace_id=shop.pk, group_id=group.pk, endpoint_id=1, request_id="r", method="GET", path="/",
        status=200, duration_us=1, created_at=1,
    )  # fmt: skip
    key, _ = create_key(shop, "spare")
    made = create_lambda(shop, {**LAMBDA, "name": "hourly", "triggers": [{"webhook": {}}, EVERY_HOUR]})
    lambda_publishing.publish(made)
    numbers = {
        "file": vault.create(shop.pk, b"x", access="private").pk,
        "schedule": Schedule.objects.get().pk,
        "run": start_lambda(made, {}).pk,
        "token": made.triggers.get().key,
        "record": record["id"],
        "index": table.indexes.get().pk,
        "key": key.pk,
        "application": register(shop, "Partner", ["shop"], grant="client_credentials")[0].pk,
        "alert": create_rule(shop, **{**ALERT, "name": "errors"})[0].pk,
        "call": call.pk,
        "member": factories.make_member(shop, "builder", "staff@example.com").memberships.get().pk,
        "invitation": team.invite(shop, "guest@example.com", "viewer")[0].pk,
        "number": 1,
        "entry": AuditEntry.objects.filter(workspace_id=shop.pk).latest("pk").pk,
    }
    names = {
        "workspace": "shop",
        "table": "customers",
        "field": "name",
        "variable": "TOKEN",
        "consent": "0" * 8 + "-0000-0000-0000-" + "0" * 12,
        "provider": "google",
        "file": "0" * 32,
        "function": "count",
        "lambda": "hourly",
    }
    return {
        **names,
        "group": "shop",
        "endpoint": "open",
        **{name: str(value) for name, value in numbers.items()},
    }


def _key_doors(shop: Workspace, other: Workspace) -> dict[str, Door]:
    door = Door(WSGIHandler())
    revoked, revoked_text = create_key(shop, "revoked", ["*", "meta"])
    revoke_key(revoked)
    _, expired_text = create_key(shop, "expired", ["*", "meta"], expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    return {
        "anonymous": door,
        "key": door.with_key(factories.make_key(shop, "meta")),
        "unscoped": door.with_key(factories.make_key(shop, "*")),
        "group": door.with_key(factories.make_key(shop, "shop")),
        "reader": door.with_key(factories.make_key(shop, "shop:read")),
        "single": door.with_key(factories.make_key(shop, "shop/closed")),
        "elsewhere": door.with_key(factories.make_key(shop, "another")),
        "stranger": door.with_key(factories.make_key(other, "*", "meta")),
        "revoked": door.with_key(revoked_text),
        "expired": door.with_key(expired_text),
        "invented": door.with_key("sy_invented"),
    }


def _session_doors(shop: Workspace, other: Workspace) -> dict[str, Door]:
    owner = User.objects.create_superuser("owner@example.com")
    helper = User.objects.create_user("helper@example.com", is_staff=True)
    members = {
        name: factories.make_member(shop, "owner" if name == "manager" else name, f"{name}@example.com")
        for name in ROLES
    }
    foreign = factories.make_member(other, "owner", "foreign@example.com")
    visitor = User.objects.create_user("visitor@example.com")
    left = User.objects.create_superuser("left@example.com", is_active=False)
    doors = {}
    for name, account in (
        ("owner", owner),
        ("helper", helper),
        *members.items(),
        ("foreign", foreign),
        ("visitor", visitor),
        ("left", left),
    ):
        client = Client()
        client.force_login(account)
        doors[name] = _session_door(client, csrf=True)
        if name == "owner":
            doors["forged"] = _session_door(client, csrf=False)
    return doors


def _session_door(client: Client, *, csrf: bool) -> Door:
    client.get("/apidoc:meta")
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    return Door(WSGIHandler(), {**headers, "X-CSRFToken": cookies["csrftoken"]} if csrf else headers)
