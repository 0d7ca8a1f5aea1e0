"""The audit log: every change of what people build or set leaves one entry, from every door, and no secret stands in it."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection, models, transaction
from django.test import Client
from django.utils import timezone

from auth import second_factor, team
from auth.keys import create_key, revoke_key
from auth.models import Membership, User
from auth.oauth.applications import register
from auth.providers.setup import set_up
from endpoints import publishing as endpoints
from endpoints.groups import create_group, edit_group
from lambdas import publishing as lambdas
from stackyard.alerts.rules import create_rule
from stackyard.console.audit import DEEDS as WORDS
from stackyard.console.audit import KINDS, SHOWN
from stackyard.core import workspaces
from stackyard.core.audit.actor import API, COMMAND, CONSOLE, Actor, acting, as_command
from stackyard.core.audit.audited import AUDITED, kinds
from stackyard.core.audit.difference import difference
from stackyard.core.audit.models import DEEDS, AuditEntry
from stackyard.core.audit.pruning import prune
from stackyard.core.models import Workspace
from stackyard.runs.models import Schedule
from stackyard.runs.schedule import pause
from stackyard.stacks import publishing as stacks
from stackyard.tables import changes
from tests import factories
from tests.matrix import ALERT, DOCUMENT, ENDPOINT, EVERY_HOUR, LAMBDA

pytestmark = pytest.mark.django_db(databases=["default", "history"])
CANARY = "canary-9f2b7c41"
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def shop(settings: Any, tmp_path: Any) -> Workspace:
    settings.HOME = tmp_path
    return factories.make_workspace("shop")


def told(kind: str = "", **by: Any) -> list[AuditEntry]:
    found = AuditEntry.objects.filter(**({"kind": kind} if kind else {}), **by)
    return list(found.order_by("pk"))


def everything_stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM core_auditentry")
        return repr(cursor.fetchall())


def build_everything(shop: Workspace) -> list[str]:
    """One thing of every audited kind, through its own door, with a secret wherever one fits; the secrets."""
    person = User.objects.create_user("ann@example.com", CANARY + "-password", is_staff=True)
    begun = second_factor.begin(person)
    membership = Membership.objects.create(user=person, workspace=shop, role="viewer")
    team.change_role(membership, "builder")
    _, link = team.invite(shop, "bob@example.com", "viewer")
    workspaces.create_variable(shop, "TOKEN", CANARY + "-variable", is_secret=True)
    table = changes.create_table(shop, "people", fields={"name": "text"}, indexes=[{"fields": ["name"]}])
    stacks.publish(stacks.create_function(shop, {**DOCUMENT, "name": "count"}))
    group = create_group(shop, "shop", canonical="shop")
    edit_group(group, docs="token", docs_token=CANARY + "-docs")
    endpoints.create_endpoint(group, {**ENDPOINT, "response": f"'{CANARY}-variable'"})
    made = lambdas.create_lambda(shop, {**LAMBDA, "name": "hourly", "triggers": [EVERY_HOUR]})
    lambdas.publish(made)
    pause(Schedule.objects.get(), True)
    rule = {**ALERT, "channel": "webhook", "target": "https://example.com/hook"}
    _, signing = create_rule(shop, **rule)
    key, text = create_key(shop, "spare")
    revoke_key(key)
    _, client_secret = register(shop, "Partner", ["shop"], grant="client_credentials")
    changes.create_table(
        shop, "members", fields={"email": {"type": "email", "unique": True}, "password": "password"}
    )
    set_up(shop, "google", "github", "c", CANARY + "-provider", redirect_uris=["https://a.example/b"])
    workspaces.edit_workspace(shop, description="ours")
    changes.hide_field(table.fields.get(name="name"))
    link_text = link.rstrip("/").rpartition("/")[2]
    return [CANARY, begun, link_text, signing, text, client_secret or ""]


def test_everything_that_people_build_is_told_of_and_no_secret_is(shop: Workspace) -> None:
    with acting(Actor("owner@example.com", CONSOLE, 7, "203.0.113.9")):
        secrets = build_everything(shop)
    assert {entry.kind for entry in told()} >= set(kinds())
    stored = everything_stored()
    assert [one for one in secrets if one and one in stored] == []
    assert "owner@example.com" in stored
    assert "203.0.113.9" in stored
    deeds = {(entry.kind, entry.deed) for entry in told()}
    assert deeds >= {
        ("function", "publish"), ("lambda", "publish"), ("key", "revoke"), ("field", "delete"),
        ("member", "change"), ("schedule", "change"), ("workspace", "change"), ("group", "change"),
    }  # fmt: skip
    (role,) = told("member", deed="change")
    assert (role.name, role.before, role.after) == (
        "ann@example.com",
        {"role": "viewer"},
        {"role": "builder"},
    )
    (docs,) = told("group", deed="change")
    assert docs.after == {"docs": "token", "docs_token": "••••••"}


def test_every_column_of_every_audited_model_leaves_an_entry_or_is_named_as_one_that_does_not(
    shop: Workspace,
) -> None:
    """Walks all registered models and all their columns: nobody can add a setting that nobody is told of."""
    build_everything(shop)
    untold = {"id", "created_at", "updated_at", "created", "updated", "workspace", "hidden_at", "published"}
    changed = {
        models.CharField: "othr",
        models.TextField: "othr",
        models.BooleanField: None,
        models.JSONField: [{"field": 1, "other": 1}],
        models.IntegerField: 41,
        models.BigIntegerField: 41,
        models.FloatField: 0.75,
        models.DateTimeField: timezone.now(),
    }
    for model in AUDITED:
        row = model._default_manager.order_by("pk").last()
        assert row is not None, model
        for field in model._meta.concrete_fields:
            if field.name in untold | row.audit_ignored or field.is_relation:
                continue
            value = next(value for kind, value in changed.items() if isinstance(field, kind))
            before = AuditEntry.objects.count()
            with transaction.atomic():
                setattr(row, field.attname, not getattr(row, field.attname) if value is None else value)
                row.save(update_fields=[field.attname])
                entry = AuditEntry.objects.first()
                assert AuditEntry.objects.count() == before + 1, (model, field.name)
                assert entry is not None
                name = row.audit_names.get(field.name, field.name)
                places = {
                    place.partition(".")[0] for place in {**(entry.before or {}), **(entry.after or {})}
                }
                assert name in places, (model, field.name)
                if field.name in row.audit_secrets(None, {"is_secret": True}):
                    assert "othr" not in json.dumps([entry.before, entry.after])
                transaction.set_rollback(True)
            row = model._default_manager.get(pk=row.pk)


def test_what_is_rolled_back_or_refused_or_the_same_leaves_none(shop: Workspace) -> None:
    before = AuditEntry.objects.count()
    with transaction.atomic():
        workspaces.create_variable(shop, "A", "1")
        assert AuditEntry.objects.count() == before + 1
        transaction.set_rollback(True)
    shop.save()
    with pytest.raises(ValidationError):
        workspaces.create_variable(shop, "not a name")
    assert AuditEntry.objects.count() == before


def test_nothing_goes_round_the_seam() -> None:
    """No bulk write of an audited model in the product's code, but for columns that do not count."""
    ignored = {(model.__name__, column) for model in AUDITED for column in model.audit_ignored}
    # Asked and rolled back: tables/foresight.py.
    allowed = {*ignored, ("Field", "**")}
    names = {model.__name__ for model in AUDITED}
    found = set()
    for path in _product():
        text = path.read_text()
        if ".update(" not in text and "bulk_" not in text:
            continue
        for call in ast.walk(ast.parse(text)):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            model = next((n.id for n in ast.walk(call.func) if isinstance(n, ast.Name)), "")
            if model in names and call.func.attr in ("bulk_create", "bulk_update"):
                found.add((model, call.func.attr))
            if model in names and call.func.attr == "update":
                found |= {(model, keyword.arg or "**") for keyword in call.keywords}
    assert found - allowed == set()
    assert found


def _product() -> Iterator[Path]:
    for folder, below, files in os.walk(ROOT):
        kept = ("platform", "auth", "endpoints", "lambdas") if folder == str(ROOT) else below
        below[:] = [one for one in kept if one not in ("frontend", "migrations", "node_modules")]
        yield from (Path(folder, name) for name in files if name.endswith(".py"))


def test_a_change_says_which_door_it_came_through(shop: Workspace, console: Client, tmp_path: Path) -> None:
    console.post("/admin/settings/", {"name": "shop", "timezone": "Europe/Berlin", "description": ""})
    (entry,) = told("workspace", deed="change")
    assert (entry.source, entry.after, entry.address) == (CONSOLE, {"timezone": "Europe/Berlin"}, "127.0.0.1")
    assert entry.who == "owner@example.com"
    assert entry.account_id == User.objects.get(email=entry.who).pk
    key = factories.make_key(shop, "meta")
    path = "/api:meta/workspaces/shop/variables"
    answer = Client().post(path, {"name": "A", "value": "1"}, "application/json", headers={"X-API-Key": key})
    assert answer.status_code == 201
    (entry,) = told("variable")
    assert (entry.source, entry.deed) == (API, "create")
    assert entry.who.startswith("API key ")
    words = ["workspace", "apply", str(_folder(tmp_path))]
    with as_command(["manage.py", *words]):
        call_command(*words)
    made = told("function")
    assert [(entry.source, entry.name) for entry in made] == [(COMMAND, "twice")] * len(made)
    assert [entry.deed for entry in made][:: len(made) - 1] == ["create", "publish"]
    assert "manage.py workspace" in made[0].who


def _folder(root: Path) -> Path:
    (root / "files" / "functions").mkdir(parents=True)
    (root / "files" / "workspace.yaml").write_text("name: shop\n")
    (root / "files" / "functions" / "twice.yaml").write_text("name: twice\nresponse: 2\n")
    return root / "files"


def test_a_text_that_becomes_a_secret_stands_in_no_entry_any_more(shop: Workspace) -> None:
    variable = workspaces.create_variable(shop, "TOKEN", CANARY)
    workspaces.edit_variable(variable, value=CANARY + "-2")
    assert CANARY in everything_stored()
    workspaces.edit_variable(variable, is_secret=True)
    assert CANARY not in everything_stored()
    assert [entry.deed for entry in told("variable")] == ["create", "change", "change"]


def test_a_restored_draft_a_brought_back_table_and_a_deleted_workspace_are_called_so(shop: Workspace) -> None:
    function = stacks.create_function(shop, {**DOCUMENT, "name": "count"})
    first = stacks.publish(function)
    stacks.save_draft(function, {**function.draft, "response": 2})
    stacks.restore(function, first)
    assert [e.deed for e in told("function")] == ["create", "publish", "change", "restore"]
    assert (told("function")[2].before, told("function")[2].after) == (
        {"draft.response": 1}, {"draft.response": 2},
    )  # fmt: skip
    pk = shop.pk
    shop.delete()
    gone = told(workspace_id=pk, deed="delete")
    assert {e.kind for e in gone} == {"workspace", "function"}
    assert gone[0].workspace_name == "shop"


def test_an_entry_is_never_changed_and_the_oldest_go(shop: Workspace) -> None:
    for number in range(6):
        workspaces.create_variable(shop, f"A{number}")
    with pytest.raises(TypeError):
        told()[0].save()
    old = told()[0]
    AuditEntry.objects.filter(pk=old.pk).update(at=timezone.now() - timedelta(days=400))
    assert prune(kept=100, days=365) == 1
    assert prune(kept=3, days=365) == 3
    assert [e.name for e in told()] == ["A3", "A4", "A5"]


def test_a_line_put_in_is_one_place() -> None:
    lines = [{"id": str(n)} for n in range(5)]
    put = {"lines": [*lines[:2], {"id": "new"}, *lines[2:]]}
    assert difference({"lines": lines}, put) == ({}, {"lines.2": {"id": "new"}})
    assert difference({"a": {"b": [1, 2]}, "c": 1}, {"a": {"b": [1, 3]}, "d": None}) == (
        {"a.b.1": 2, "c": 1}, {"a.b.1": 3, "d": None},
    )  # fmt: skip


def test_owners_read_the_log_page_by_page(shop: Workspace) -> None:
    for number in range(5):
        workspaces.create_variable(shop, f"A{number}")
    workspaces.create_variable(factories.make_workspace("other"), "B")
    key = factories.make_key(shop, "meta")
    path, headers = "/api:meta/workspaces/shop/audit", {"X-API-Key": key}
    client, names, cursor = Client(), [], None
    while True:
        query = {"kind": "variable", "per_page": 2, **({"cursor": cursor} if cursor else {})}
        answer = client.get(path, query, headers=headers).json()
        names += [item["name"] for item in answer["items"]]
        cursor = answer["nextCursor"]
        if cursor is None:
            break
    assert names == ["A4", "A3", "A2", "A1", "A0"]
    one = client.get(f"{path}/{told('variable')[0].pk}", headers=headers).json()
    assert one["deed"] == "create"
    assert one["before"] is None
    assert one["after"]["name"] == "A0"
    later = {"since": timezone.now().isoformat()}
    assert client.get(path, later, headers=headers).json()["items"] == []
    assert client.get(path, {"kind": "nothing"}, headers=headers).status_code == 400
    assert client.get(f"{path}/{told('variable')[-1].pk}", headers=headers).status_code == 404


def test_the_console_shows_the_log_to_owners_only_and_of_their_workspaces_only(shop: Workspace) -> None:
    other = factories.make_workspace("other")
    with acting(Actor("ann@example.com", CONSOLE)):
        secret = workspaces.create_variable(shop, "TOKEN", CANARY, is_secret=True)
        workspaces.edit_variable(secret, value=CANARY + "-2", description="<b>ours</b>")
        function = stacks.create_function(shop, {**DOCUMENT, "name": "count"})
        stacks.save_draft(function, {**function.draft, "response": 2})
    elsewhere = workspaces.create_variable(other, "ELSEWHERE")
    for role, status in (("viewer", 403), ("builder", 403), ("owner", 200)):
        browser = Client()
        browser.force_login(factories.make_member(shop, role, f"{role}@example.com"))
        assert browser.get("/admin/audit/").status_code == status, role
    shown = browser.get("/admin/audit/").content.decode()
    assert "TOKEN" in shown
    assert "ann@example.com" in shown
    assert "ELSEWHERE" not in shown
    (foreign,) = told("variable", object_id=elsewhere.pk)
    assert browser.get(f"/admin/audit/{foreign.pk}/").status_code == 404
    (account, *_) = told("account")
    assert browser.get(f"/admin/audit/{account.pk}/").status_code == 404
    (changed,) = told("variable", object_id=secret.pk, deed="change")
    page = browser.get(f"/admin/audit/{changed.pk}/").content.decode()
    assert "&lt;b&gt;ours" in page
    assert "••••••" in page
    assert CANARY not in page
    wanted = {"kind": "function", "deed": "change", "who": "ann@example.com", "period": "24h"}
    found = browser.get("/admin/audit/", wanted).content.decode()
    assert "draft.response" in found
    assert "TOKEN" not in found
    nobody = browser.get("/admin/audit/", {"who": "nobody\0", "object": "9" * 40, "before": "x"})
    assert "No change fits." in nobody.content.decode()
    owner = Client()
    owner.force_login(factories.make_owner("root@example.com"))
    assert "ELSEWHERE" in owner.get("/admin/audit/").content.decode()
    assert owner.get(f"/admin/audit/{account.pk}/").status_code == 200


def test_every_kind_has_a_word_in_the_console() -> None:
    assert set(kinds()) == set(KINDS)
    assert list(DEEDS) == list(WORDS)


def test_the_log_is_paged_in_the_console_and_says_when_it_is_empty(shop: Workspace, console: Client) -> None:
    for number in range(SHOWN + 1):
        workspaces.create_variable(shop, f"A{number}")
    query = {"kind": "variable"}
    first = console.get("/admin/audit/", query).content.decode()
    assert "A1<" in first
    assert "A0<" not in first
    (older,) = re.findall(r'href="\?([^"]*before=\d+)"', first)
    second = console.get("/admin/audit/?" + older.replace("&amp;", "&")).content.decode()
    assert "A0<" in second
    assert "A1<" not in second
    AuditEntry.objects.all().delete()
    assert "Nothing was changed yet." in console.get("/admin/audit/").content.decode()
