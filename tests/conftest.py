"""Fixtures that more than one test file asks for."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from zlib import crc32

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.test import Client as DjangoClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from stackyard.core.models import Workspace
from tests import factories
from tests.doors import Door
from tests.outside import Outside, open_outside

# What tests build has no version and no description: tests/test_advice.py asks for all advice, nobody else.
settings.ADVICE = "names"

# Property tests: the same examples in every run, and without a deadline (two sessions share the cores);
# `make fuzz` looks further and elsewhere each time.
hypothesis_settings.register_profile(
    "default", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.register_profile(
    "fuzz", max_examples=5000, deadline=None, suppress_health_check=list(HealthCheck)
)
# A password hash is slow on purpose; here it would be most of the time that a console's test takes.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

hypothesis_settings.load_profile("fuzz" if os.environ.get("STACKYARD_FUZZ") == "1" else "default")


@pytest.fixture(autouse=True)
def nothing_of_others() -> None:
    """Calls that an earlier test left waiting for the history's writer, failures to log in, and lambdas' processes of
    another home are not this one's."""
    from endpoints.history import history
    from lambdas import supervisor

    history.forget()
    if (made := supervisor._default) is not None and made._parent != settings.HOME / "lambdas" / "slots":
        made.close()
        supervisor._default = None
    counted = settings.HOME / "cache.sqlite3"
    if counted.exists():
        with closing(sqlite3.connect(counted, isolation_level=None)) as kept:
            kept.execute("DELETE FROM entries")


@pytest.fixture
def workspace(db: None) -> Workspace:
    """An empty workspace named `shop`."""
    return factories.make_workspace()


@pytest.fixture(params=["front", "django"])
def client(request: pytest.FixtureRequest) -> Door:
    """A caller without a key, once through the front door and once through Django's own handler."""
    if request.param == "django":
        return Door(WSGIHandler())
    from stackyard.wsgi import application

    return Door(application)


@pytest.fixture
def console(db: None) -> DjangoClient:
    """A browser without JavaScript, signed in to the console as its owner."""
    browser = DjangoClient()
    browser.force_login(factories.make_owner())
    return browser


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    """A stand-in for the internet, on the loopback address; nothing else can be reached while it is there."""
    with open_outside(monkeypatch) as made:
        yield made


@pytest.fixture(scope="session")
def redis_url() -> str:
    """The address of a Redis server of this test run."""
    return needed("STACKYARD_TEST_REDIS_URL", "redis-server is not installed")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium to steer (as root it needs --no-sandbox)."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return path or absent("chromium is not installed")


@pytest.fixture(scope="session")
def bundle() -> None:
    """The console's scripts, built from what is on this machine; skipped where its packages never came."""
    from stackyard.start import frontend

    try:
        frontend.build(only_cached=True)
    except frontend.NotBuilt as reason:
        absent(f"{reason} `manage.py build_console` fetches and builds")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """One Chromium for the file; every test gets a fresh context."""
    from tests.browsing import open_browser

    with open_browser(chromium) as opened:
        yield opened


@pytest.fixture
def watched(browser: Any, live_server: Any, bundle: None) -> Iterator[Any]:
    """A signed-in page; the test fails when anything went wrong on it that nobody looked at."""
    from tests.browsing import signed_in

    with signed_in(browser, live_server.url) as page:
        yield page


def needed(variable: str, reason: str) -> str:
    """What the test run says about a service; without it the test is skipped, or fails where all must be there."""
    return os.environ.get(variable) or absent(reason)


def absent(reason: str) -> str:
    """Skip the test for the lack of a service, or fail it when STACKYARD_REQUIRE_SERVICES=1."""
    if os.environ.get("STACKYARD_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{reason}, and STACKYARD_REQUIRE_SERVICES=1 asks for it")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Hang up every other connection before the test database is dropped (PostgreSQL refuses while one is open)."""
    yield
    with django_db_blocker.unblock():
        for alias in connections:
            if alias != "default":
                connections[alias].close()
        if settings.ON_POSTGRESQL:
            with connections["default"].cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of two sessions beside each other, the second leaves out what touches no database.

    A browser file is run by one of the two (`STACKYARD_TEST_BROWSERS`): what a browser does is the same on both
    databases, what is under it has its own tests on both, and browsers are a third of the suite's time.
    """
    kept = items[:]
    if os.environ.get("STACKYARD_TEST_DATABASE_ONLY") == "1":
        kept = [item for item in kept if _touches_database(item)]
    if share := os.environ.get("STACKYARD_TEST_BROWSERS"):
        kept = [item for item in kept if _browsers_of(item) in ("", share)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    # Whole installations take long and stand last by name: begun first, the processes end at about the same time.
    long = {item.path for item in kept if item.get_closest_marker("both_databases")}
    items[:] = sorted(kept, key=lambda item: item.path not in long)


def _touches_database(item: pytest.Item) -> bool:
    names = set(getattr(item, "fixturenames", ()))
    return bool(
        item.get_closest_marker("django_db")
        or item.get_closest_marker("both_databases")
        or names & {"db", "transactional_db", "django_db_setup"}
    )


def _browsers_of(item: pytest.Item) -> str:
    """The session whose browsers do this; empty for what has no browser."""
    if "browser" not in getattr(item, "fixturenames", ()):
        return ""
    return ("second", "first")[crc32(item.path.name.encode()) % 2]
