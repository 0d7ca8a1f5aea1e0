"""Every screen of the console in a real browser: it fits, light and dark, axe finds nothing, and no text of others runs."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connections
from playwright.sync_api import Page

from auth.keys import create_key
from auth.models import Invitation, User
from auth.oauth.applications import register
from auth.providers.setup import set_up
from endpoints.models import Endpoint, HistoryEntry
from endpoints.rollups import Tally
from lambdas.publishing import create_lambda
from lambdas.publishing import publish as publish_lambda
from lambdas.running import start_lambda
from stackyard.alerts.rules import create_rule
from stackyard.core import vault
from stackyard.core.audit.models import AuditEntry
from stackyard.core.models import Variable, Workspace
from stackyard.core.workspaces import create_variable, edit_variable
from stackyard.stacks.publishing import create_function
from stackyard.tables import test_data
from stackyard.tables.changes import create_table
from stackyard.tables.imports import uploads
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests import factories
from tests.browsing import Watched, check_accessibility, picture, set_theme
from tests.matrix import ALERT, EVERY_HOUR
from tests.test_monitoring import noted
from tests.test_vault import picture as png

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])
WIDTHS = (360, 768, 1280, 1920)
FIGURES_RUN_OVER = """() => [...document.querySelectorAll(".figures dd")].some((figure) =>
    figure.scrollWidth > figure.clientWidth)"""
ISLANDS_STAND = """() => [...document.querySelectorAll("[data-island]")].every((place) =>
    place.childElementCount || document.documentElement.getAttribute(`data-island-${place.dataset.island.replaceAll("_", "-")}`))"""


def addresses() -> list[str]:
    """Every page of the console, over an installation that has one of everything, with long and hostile texts."""
    hostile = "<script>document.title = 'taken over'</script>"
    workspace = factories.make_workspace(description=hostile)
    group = factories.make_group(workspace, mount="v1")
    inputs = {"with_a_rather_long_name": "text", "parameters": "text"}
    path = "/a/rather/long/path/{with_a_rather_long_name}/and/{parameters}"
    endpoint = factories.make_endpoint(group, path, inputs=inputs, description=hostile)
    function = create_function(workspace, {"name": "double", "description": hostile})
    alert, _secret = create_rule(workspace, **{**ALERT, "name": hostile})
    variable = create_variable(workspace, "CITY", hostile)
    member = factories.make_member(workspace, "builder").memberships.get()
    Invitation.objects.create(
        workspace=workspace,
        email=f"{'x' * 60}@example.com",
        role="viewer",
        digest="x",
        expires_at=datetime.now(UTC),
    )
    key = create_key(workspace, hostile)[0]
    for access in ("public", "private"):
        vault.create(workspace.pk, png(), kind="image", access=access, name=f"{hostile}.png")
    file = vault.create(workspace.pk, b"hi", name=f"{'a-long-name-' * 12}.txt")
    provider = set_up(None, "octo", "github", "client", "secret", label=hostile)
    partner = register(workspace, hostile, ["shop"], grant="client_credentials")[0]
    create_table(
        workspace, "people", fields={"email": {"type": "email", "unique": True}, "password": "password"}
    )
    back = f"https://{'a-long-host-' * 4}.example/{'back/' * 30}"
    asking = register(workspace, "Asks people", ["shop", "openid", "email"], redirect_uris=[back])[0]
    set_up(workspace, "octo", "github", "client", "secret", redirect_uris=[back])
    written = create_lambda(
        workspace,
        {"name": "hourly", "code": f"return `{hostile}`", "triggers": [{"webhook": {}}, EVERY_HOUR]},
    )
    publish_lambda(written)
    run = start_lambda(written, {"text": hostile})
    fields = {"name": "text", "meta": "json", "kind": {"type": "enum", "values": ["a", hostile]}}
    table = create_table(
        workspace, "things", description=hostile, fields=fields, indexes=[{"fields": ["name"]}]
    )
    Store(load_schema(workspace.pk)).add("things", {"name": hostile * 3, "meta": {"a": [hostile]}})
    entry = HistoryEntry.objects.create(
        workspace_id=workspace.pk,
        group_id=group.pk,
        endpoint_id=endpoint.pk,
        request_id="r",
        method="GET",
        path=f"/api/v1/{hostile}{'x' * 500}",
        query=hostile,
        status=404,
        duration_us=1,
        request_headers=hostile,
        request_body="y" * 500,
        response_body=hostile,
        created_at=1,
    )
    called_once(endpoint)
    test_data.make(workspace)
    sheet = uploads.keep(workspace.pk, [f"Name;Price\n{hostile};1.50\nB;2.25\n".encode()])
    told = audited(workspace, variable)
    one = f"/admin/tables/table/{table.pk}"
    stack = f"/admin/endpoints/endpoint/{endpoint.pk}"
    return [
        "/admin/",
        "/admin/core/workspace/",
        "/admin/core/workspace/add/",
        f"/admin/core/workspace/{workspace.pk}/change/",
        f"/admin/core/workspace/{workspace.pk}/history/",
        "/admin/tables/table/",
        "/admin/tables/table/add/",
        "/admin/tables/table/add/?template=orders",
        "/admin/tables/table/csv/add/",
        f"/admin/tables/table/csv/{sheet}/add/?workspace={workspace.pk}&name=prices",
        "/admin/tables/table/dropped/",
        "/admin/tables/table/relations/",
        f"{one}/import/",
        f"{one}/fields/{table.fields.first().pk}/type/",  # type: ignore[union-attr]
        f"{one}/change/",
        f"{one}/delete/",
        f"{one}/fields/{table.fields.first().pk}/",  # type: ignore[union-attr]
        f"{one}/records/",
        f"{one}/records/?field=name&op=contains&value=script&sort=name&count=1",
        f"{one}/records/add/",
        f"{one}/records/1/",
        f"{one}/records/1/delete/",
        "/admin/endpoints/apigroup/",
        "/admin/endpoints/apigroup/add/",
        f"/admin/endpoints/apigroup/{group.pk}/change/",
        f"/admin/endpoints/apigroup/{group.pk}/delete/",
        f"/admin/endpoints/apigroup/{group.pk}/version/",
        "/admin/endpoints/endpoint/",
        "/admin/endpoints/endpoint/add/",
        f"{stack}/change/",
        f"{stack}/change/?plain=1",
        f"{stack}/delete/",
        f"{stack}/revisions/",
        f"{stack}/revisions/1/",
        f"{stack}/revisions/1/restore/",
        "/admin/stacks/function/",
        "/admin/stacks/function/add/",
        f"/admin/stacks/function/{function.pk}/change/",
        f"/admin/stacks/function/{function.pk}/delete/",
        "/admin/core/variable/",
        "/admin/core/variable/add/",
        f"/admin/core/variable/{variable.pk}/change/",
        f"/admin/core/variable/{variable.pk}/delete/",
        "/admin/core/storedfile/",
        "/admin/core/storedfile/add/",
        f"/admin/core/storedfile/{file.pk}/delete/",
        "/admin/endpoints/historyentry/",
        f"/admin/endpoints/historyentry/{entry.pk}/change/",
        "/admin/accounts/user/",
        "/admin/accounts/user/add/",
        f"/admin/accounts/user/{User.objects.get(is_superuser=True).pk}/change/",
        f"/admin/accounts/user/{User.objects.get(is_superuser=True).pk}/password/",
        "/admin/team/",
        f"/admin/team/{member.pk}/remove/",
        "/admin/two-factor/",
        "/admin/accounts/apikey/",
        "/admin/accounts/apikey/add/",
        f"/admin/accounts/apikey/{key.pk}/change/",
        f"/admin/accounts/apikey/{key.pk}/revoke/",
        "/admin/accounts/application/",
        "/admin/accounts/application/add/",
        f"/admin/accounts/application/{partner.pk}/change/",
        f"/admin/accounts/application/{asking.pk}/change/",
        f"/admin/accounts/application/{partner.pk}/secret/",
        f"/admin/accounts/application/{partner.pk}/revoke/",
        "/admin/accounts/provider/",
        "/admin/accounts/provider/add/",
        f"/admin/accounts/provider/{provider.pk}/remove/",
        "/admin/password_change/",
        "/admin/settings/",
        "/admin/performance/",
        "/admin/audit/",
        f"/admin/audit/{told.pk}/",
        "/admin/alerts/",
        "/admin/alerts/add/",
        f"/admin/alerts/{alert.pk}/change/",
        f"/admin/alerts/{alert.pk}/delete/",
        f"/admin/performance/?range=1h&endpoint={endpoint.pk}",
        "/admin/find/",
        "/admin/find/?q=thing",
        "/admin/docs/",
        f"/admin/docs/{group.pk}/",
        f"/admin/docs/{group.pk}/?view=swagger",
        "/admin/lambdas/lambda/",
        "/admin/lambdas/lambda/add/",
        f"/admin/lambdas/lambda/{written.pk}/change/",
        f"/admin/lambdas/lambda/{written.pk}/revisions/",
        f"/admin/lambdas/lambda/{written.pk}/delete/",
        "/admin/runs/run/",
        "/admin/runs/schedule/",
        f"/admin/runs/run/{run.pk}/change/",
        f"{stack}/revisions/1/?with=previous",
        "/admin/test-data/",
        "/admin/test-data/empty/",
        "/admin/test-data/remove/",
    ]


def audited(workspace: Workspace, variable: Variable) -> AuditEntry:
    """A change with long and short values."""
    edit_variable(variable, description="x" * 300 + "\n<b>y</b>", value="z" * 300)
    return AuditEntry.objects.filter(workspace_id=workspace.pk, kind="variable", deed="change").latest("pk")


def called_once(endpoint: Endpoint) -> None:
    """One call in the rollups: a chart with a single point."""
    tally = Tally()
    tally.count(noted(endpoint.pk, time.time(), 20, 200, "", workspace=endpoint.group.workspace_id))
    tally.write()


def addresses_made() -> list[str]:
    """`addresses`, by a thread of its own: under the browser's event loop this one would have two connections."""

    def make() -> list[str]:
        try:
            return addresses()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as maker:
        return maker.submit(make).result()


def picture_name(address: str, theme: str) -> str:
    """`screen-tables-table-records-light` for `/admin/tables/table/3/records/`."""
    words = [word for word in re.split(r"[0-9a-f]{32}|[^a-z]", address.removeprefix("/admin/")) if word]
    return "-".join(["screen", *(words or ["home"]), theme])


def faults_of(page: Page, address: str, is_dark: bool) -> list[str]:
    """What is wrong with a page, loaded once: axe in one theme, its colours in the other, every width."""
    page.goto(address)
    page.wait_for_function(ISLANDS_STAND)
    found = []
    for theme, colours_only in ((dark_or_light(is_dark), False), (dark_or_light(not is_dark), True)):
        if colours_only:
            set_theme(page, theme)
        try:
            check_accessibility(page, leave_out="iframe.swagger", colours_only=colours_only)
        except AssertionError as fault:
            found.append(f"{theme}: {fault}")
        if theme == "light":
            picture(page, picture_name(address, theme))
    for width in WIDTHS:
        if sideways(page, width) > 0:
            found.append(f"{address}: too wide at {width}")
        if page.evaluate(FIGURES_RUN_OVER):
            found.append(f"{address}: a figure runs over at {width}")
        if width == WIDTHS[0]:
            picture(page, picture_name(address, "phone"))
    page.set_viewport_size({"width": 1280, "height": 900})
    return found


def dark_or_light(is_dark: bool) -> str:
    return "dark" if is_dark else "light"


def sideways(page: Page, width: int) -> int:
    """How many pixels the page is wider than the screen, after the layout has followed the width."""
    page.set_viewport_size({"width": width, "height": 900})
    wide: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wide


def test_every_screen_fits_is_accessible_and_runs_nothing_of_others(watched: Watched) -> None:
    page = watched.page
    faults: list[str] = []
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.accept()))
    for number, address in enumerate(addresses_made()):
        # The theme stays over the change of page, so each page is loaded in the theme the one before it ended in.
        faults += faults_of(page, address, is_dark=number % 2 == 1)
        assert page.title() != "taken over"
    assert not faults, "\n\n".join(faults)
    assert dialogs == []


def test_the_login_page_and_the_palette_are_accessible(watched: Watched) -> None:
    page = watched.page
    for theme in ("light", "dark"):
        set_theme(page, theme)
        page.goto("/admin/")
        page.locator("html[data-island-palette=ready]").wait_for()
        page.keyboard.press("Control+k")
        page.get_by_role("combobox").fill("new")
        page.get_by_role("option", name="New table").wait_for()
        check_accessibility(page)
        picture(page, f"screen-palette-{theme}")
    page.context.clear_cookies()
    for theme in ("light", "dark"):
        set_theme(page, theme)
        page.goto("/admin/login/")
        check_accessibility(page)
        picture(page, f"screen-login-{theme}")
