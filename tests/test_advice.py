"""Advice on names: said in the check and by `apply`, never in the way, and silent when told so."""

from __future__ import annotations

from typing import Any

import pytest

from endpoints import publishing
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "history"])


def advised(name: str, mount: str | None = None, **more: Any) -> set[str]:
    group = factories.make_workspace().api_groups.first() or factories.make_group(
        factories.make_workspace("other"), mount=mount
    )
    endpoint = factories.make_endpoint(group, name=name, **more)
    found = publishing.check(endpoint, endpoint.draft).faults
    assert all(fault.level == "warning" for fault in found)
    return {fault.code for fault in found if fault.code.startswith("advice")}


@pytest.mark.parametrize("name", ["api_1", "func2", "untitled", "test_copy", "new"])
def test_a_name_that_tells_nothing_is_published_with_advice(name: str) -> None:
    assert advised(name) == {"advice_name"}


@pytest.mark.parametrize("name", ["get_customer", "test_payment", "api_keys", "newest", "create_order_v2"])
def test_a_name_that_tells_something_is_left_alone(name: str) -> None:
    assert advised(name) == set()


def test_all_advice_and_none(settings: Any) -> None:
    settings.ADVICE = "all"
    assert advised("get_customer") == {"advice_description", "advice_version"}


def test_a_described_endpoint_of_a_version_is_fine(settings: Any) -> None:
    settings.ADVICE = "all"
    assert advised("get_customer", mount="v1", description="One customer by id.") == set()


def test_off_is_off(settings: Any) -> None:
    settings.ADVICE = "off"
    assert advised("api_1") == set()
