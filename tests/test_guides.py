"""docs/guides/: what n8n, WeWeb and Make are told to send is sent, with the headers that they send.

n8n's are those of version 1.123.0, seen in the request history; the others' are those of browsers and of their documentation.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as installation
from django.core.handlers.wsgi import WSGIHandler

from stackyard.core import files
from stackyard.core.models import Workspace
from tests.doc_pages import DOCS, run_page, served
from tests.doors import Door
from tests.factories import make_key

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])

SHOP = Path(installation.ROOT) / "examples" / "shop"


@pytest.fixture
def shop(transactional_db: None, tmp_path: Path) -> Workspace:
    """The sample without its orders."""
    folder = tmp_path / "shop"
    shutil.copytree(SHOP, folder)
    (folder / "records" / "orders.csv").unlink()
    files.apply(folder)
    return Workspace.objects.get(name="shop")


def walk(page: str, shop: Workspace, folder: Path) -> int:
    with served() as base:
        known = {"BASE": base, "META_KEY": make_key(shop, "meta")}
        return run_page(f"guides/{page}.md", folder, known, curl="curl -sS -w '\\n'")


def test_the_guide_for_n8n(shop: Workspace, tmp_path: Path) -> None:
    assert walk("n8n", shop, tmp_path) == 4


def test_the_node_that_n8n_users_paste_reads_a_customer(shop: Workspace) -> None:
    text = re.search(r"^```json n8n\n(.*?)^```", (DOCS / "guides/n8n.md").read_text(), re.S | re.M)
    assert text is not None
    [node] = json.loads(text[1])["nodes"]
    asked = node["parameters"]
    assert (asked["authentication"], asked["genericAuthType"]) == ("genericCredentialType", "httpHeaderAuth")
    url = asked["url"].removeprefix("=$BASE").replace("{{ $json.id }}", "7")
    headers = {
        "Accept": "application/json,text/html,application/xhtml+xml,application/xml,text/*;q=0.9, image/*;q=0.8, */*;q=0.7",
        "Accept-Encoding": "gzip, compress, deflate, br",
        "User-Agent": "axios/1.12.0",
    }
    door = Door(WSGIHandler(), headers)
    for credential in ({"X-API-Key": (key := make_key(shop, "shop"))}, {"Authorization": f"Bearer {key}"}):
        answer = door.request(asked["method"], url, headers=credential)
        assert (answer.status, answer.json()["id"]) == (200, 7)
        assert answer.headers["content-type"].startswith("application/json")
    assert door.get(url).status == 401


def test_the_guide_for_weweb(shop: Workspace, tmp_path: Path) -> None:
    assert walk("weweb", shop, tmp_path) == 8


def test_a_page_of_another_origin_is_not_let_in(shop: Workspace) -> None:
    door = Door(WSGIHandler(), {"Origin": "https://editor.weweb.io"})
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for url in ("/api:shop-auth/auth/login", "/api:shop/customers"):
        answer = door.request("OPTIONS", url, headers=asks)
        assert (answer.status, answer.headers["vary"]) == (204, "Origin")
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_guide_for_make(shop: Workspace, tmp_path: Path, settings: Any) -> None:
    settings.CALLS_PER_SECOND, settings.WEB_PROCESSES, settings.REDIS_URL = 1, 1, ""
    assert walk("make", shop, tmp_path) == 4
