"""A viewer in the console: every page shows what is there, and offers nothing that the gate would answer 403."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from stackyard.core.models import Workspace
from tests import factories
from tests.test_console_screens import addresses

pytestmark = pytest.mark.django_db(databases=["default", "history"])
_VOID = {"input", "link", "meta", "br", "img", "use", "hr", "progress"}
_ENDS_THE_SESSION = ("/admin/logout/",)


class Offers(HTMLParser):
    """What a page offers: `links`, and `forms` (by POST, with something enabled that sends them)."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__()
        self.address, self.links, self.forms = address, set[str](), set[str]()
        self._form: str | None = None
        self._open: list[bool] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and (given.get("href") or "").startswith("/admin/"):
            self.links.add(str(given["href"]))
        elif tag == "form":
            is_post = (given.get("method") or "").lower() == "post"
            self._form = (given.get("action") or self.address) if is_post else None
        elif tag == "fieldset":
            self._open.append("disabled" in given)
        sends = tag == "button" and given.get("type") != "button"
        sends = sends or (tag == "input" and given.get("type") == "submit")
        if sends and self._form and not any(self._open):
            self.forms.add(self._form)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "fieldset":
            self._open.pop()


def test_a_viewer_is_offered_nothing_that_would_be_refused(settings: Any, tmp_path: Any) -> None:
    settings.HOME = tmp_path
    get_user_model().objects.create_superuser("owner@example.com", "owner-password")
    pages = addresses()
    browser = Client()
    browser.force_login(factories.make_member(Workspace.objects.get(), "viewer", "vera@example.com"))
    links, forms, seen = {}, {}, 0
    for page in pages:
        answer: Any = browser.get(page)
        assert answer.status_code in (200, 302, 403, 404), (page, answer.status_code)
        if answer.status_code != 200:
            continue
        seen += 1
        found = Offers(page, answer.content.decode())
        links.update(dict.fromkeys(found.links, page))
        forms.update(dict.fromkeys(found.forms, page))
    assert seen > 40
    refused = [
        f"{page} links {link}" for link, page in sorted(links.items()) if browser.get(link).status_code == 403
    ]
    refused += [
        f"{page} sends {form}"
        for form, page in sorted(forms.items())
        if form.startswith("/admin/")
        and form not in _ENDS_THE_SESSION
        and browser.post(form, {}).status_code == 403
    ]
    assert not refused, "\n".join(refused)
