"""What a start finds or makes, piece by piece; `test_up` sees the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auth.keys import create_key, revoke_key
from auth.models import ApiKey, User
from stackyard.core.models import Workspace
from stackyard.start import installation
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Path:
    """A home of the test's own, for the files that a start keeps in it."""
    settings.HOME = tmp_path
    return tmp_path


@pytest.fixture
def owner() -> installation.Owner:
    """The owner that a first start makes."""
    return installation.find_or_make_owner()


def test_the_owner_is_made_once(settings: Any) -> None:
    first = installation.find_or_make_owner()
    assert first.user.is_superuser
    assert first.password is not None
    assert first.user.check_password(first.password)
    again = installation.find_or_make_owner()
    assert again == installation.Owner(first.user)
    assert User.objects.count() == 1


def test_the_owner_takes_the_password_that_is_set(settings: Any) -> None:
    settings.OWNER_EMAIL, settings.OWNER_PASSWORD = "ann@example.com", "a password of hers"
    user = installation.find_or_make_owner().user
    assert user.email == "ann@example.com"
    assert user.check_password("a password of hers")


def test_a_sample_that_was_deleted_stays_away(owner: installation.Owner) -> None:
    factories.make_workspace()
    assert installation.make_sample(owner) == "reused workspace shop"
    Workspace.objects.all().delete()
    assert installation.make_sample(owner) == "none (the sample was deleted)"
    assert not Workspace.objects.exists()


def test_the_first_key_is_shown_again_while_it_is_valid(owner: installation.Owner) -> None:
    factories.make_workspace()
    text = installation.find_or_make_first_key(owner)
    assert text
    assert installation.find_or_make_first_key(owner) == text
    revoke_key(ApiKey.objects.get())
    assert installation.find_or_make_first_key(owner) is None
    assert ApiKey.objects.count() == 1


def test_no_key_is_made_where_there_is_no_sample(owner: installation.Owner, home: Path) -> None:
    assert installation.find_or_make_first_key(owner) is None
    assert not (home / "first-key").exists()


def test_a_key_of_another_installation_is_not_shown(owner: installation.Owner, home: Path) -> None:
    workspace = factories.make_workspace()
    key, text = create_key(workspace, "another")
    key.delete()
    (home / "first-key").write_text(text)
    assert installation.find_or_make_first_key(owner) is None
