"""A real browser for tests: pages whose faults are kept, axe, and pictures of what was seen."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from django.core.signals import request_finished, request_started
from playwright.sync_api import Browser, Page, expect, sync_playwright

from stackyard.core.connection import forget_own
from tests import factories

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
EMAIL, PASSWORD = "owner@example.com", "a-long-password"
# Two sessions share two cores with their browsers: what is right comes late there, never wrong.
expect.set_options(timeout=15_000)
PICTURES = Path(__file__).parent / "artefacts"


class Traffic:
    """Which requests this process is answering, so that a test can end after the last of them.

    A page that is closed leaves its requests behind: the server goes on with them, and what they hold in the
    database stands in the way of the next test's empty tables.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._busy: set[int] = set()  # the threads that are answering one
        request_started.connect(self._started)
        request_finished.connect(self._finished)

    def _started(self, **kwargs: Any) -> None:
        if threading.current_thread() is not threading.main_thread():
            with self._changed:
                self._busy.add(threading.get_ident())

    def _finished(self, **kwargs: Any) -> None:
        with self._changed:
            self._busy.discard(threading.get_ident())
            self._changed.notify_all()

    def wait_for_end(self, url: str, timeout_seconds: float = 20) -> None:
        """Return when the server at `url` has answered all it was asked; AssertionError when it does not."""
        # Connections are taken up in the order they came: with this one answered, none waits before the door.
        urlopen(f"{url}/healthz", timeout=timeout_seconds).close()
        with self._changed:
            ended = self._changed.wait_for(lambda: not self._busy, timeout_seconds)
        assert ended, f"{len(self._busy)} requests were not answered within {timeout_seconds} s"


TRAFFIC = Traffic()


@contextmanager
def open_browser(chromium: str) -> Iterator[Browser]:
    """One Chromium; every test gets a fresh context of it."""
    # Playwright's loop runs in this thread, and Django would take it for its own.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        forget_own()
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()
    forget_own()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Watched:
    """A page whose faults are kept: console errors and warnings (a breach of the policy is one), exceptions,
    answers from 400, requests to other hosts."""

    def __init__(self, page: Page, home: str) -> None:
        self.page = page
        self.home = home
        self.faults: list[str] = []
        page.on(
            "console", lambda said: self._note(said.type in {"error", "warning"}, f"console: {said.text}")
        )
        page.on("pageerror", lambda error: self._note(True, f"exception: {error}"))
        page.on("response", lambda answer: self._note(answer.status >= 400, f"{answer.status} {answer.url}"))
        page.on(
            "request",
            lambda asked: self._note(
                not asked.url.startswith((home, "data:", "blob:")), f"outside: {asked.url}"
            ),
        )

    def _note(self, is_fault: bool, text: str) -> None:
        if is_fault:
            self.faults.append(text)

    def forget(self, pattern: str) -> None:
        """Take away faults that a test has caused on purpose; there must be one."""
        kept = [fault for fault in self.faults if not re.search(pattern, fault)]
        assert len(kept) < len(self.faults), f"nothing to forget for {pattern!r} in {self.faults}"
        self.faults[:] = kept


@contextmanager
def signed_in(browser: Browser, url: str, **context: Any) -> Iterator[Watched]:
    """A page of the console's owner, signed in through the login page; no fault may be left at the end."""
    factories.make_owner(EMAIL, PASSWORD)
    opened = browser.new_context(base_url=url, **{"viewport": {"width": 1280, "height": 900}, **context})
    opened.set_default_timeout(20_000)
    watched = Watched(opened.new_page(), url)
    page = watched.page
    page.goto("/admin/")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("navigation", name="Console")).to_be_attached()
    try:
        yield watched
    finally:
        # After a failure, too: what the page still asks for would stand in the way of the next test.
        opened.close()
        TRAFFIC.wait_for_end(url)
    assert watched.faults == [], "\n".join(watched.faults)


def check_accessibility(
    page: Page, *, leave_out: str = "", within: str = "", colours_only: bool = False
) -> None:
    """Fail with every fault that axe finds on the page as it is now.

    `leave_out` is a selector of foreign markup, `within` one of the only part to look at. `colours_only` asks the
    rules about colours alone: for the second theme of a page that was looked at whole.
    """
    context: dict[str, Any] = {"include": [[within]]} if within else {"include": [["html"]]}
    if leave_out:
        context["exclude"] = [[leave_out]]
    options: dict[str, Any] = {"resultTypes": ["violations"], "preload": False}
    if colours_only:
        options["runOnly"] = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
    # Half a megabyte: read by the page once, however often it is asked.
    if page.evaluate("typeof window.axe") == "undefined":
        page.evaluate(axe_script())
    found = page.evaluate(
        "([context, options]) => axe.run(context, options).then((found) => found.violations)",
        [context, options],
    )
    faults = [
        f"{fault['id']}: {fault['help']}\n    "
        + "\n    ".join(f"{place['target']} {place['html'][:160]}" for place in fault["nodes"][:4])
        for fault in found
    ]
    assert not faults, f"{page.url}\n" + "\n".join(faults)


@cache
def axe_script() -> str:
    """The source of axe."""
    from axe_playwright_python.sync_playwright import Axe

    source: str = Axe().axe_script
    return source


def set_theme(page: Page, theme: str) -> None:
    """`light` or `dark`, as the machine of whoever looks would say it."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    # Buttons fade from one colour to the other; axe would see one in between.
    page.evaluate(
        "Promise.allSettled(document.getAnimations()"
        ".filter((fade) => fade.effect.getTiming().iterations !== Infinity).map((fade) => fade.finished))"
    )


def picture(page: Page, name: str) -> Path:
    """Keep a picture of the whole page as `tests/artefacts/<name>.png`; people look at them, no test compares them."""
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path, full_page=True, animations="disabled")
    return path
