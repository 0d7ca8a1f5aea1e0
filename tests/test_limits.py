"""Limits of the contract (§5) at what they allow and one past it, where no other file tries both.

Bodies and answers are tried in test_calls, a lambda's output in test_lambda_runtime, its memory in test_lambda_supervisor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from endpoints.checking import LIMITS, check_endpoint
from endpoints.models import ApiGroup
from lambdas.document import check_document
from lambdas.supervisor import Supervisor
from stackyard.core.errors import Faults
from stackyard.core.limits import LAMBDA_LOG_BYTES, LAMBDA_MEMORY_MB, LAMBDA_SECONDS
from stackyard.core.models import Workspace
from tests.factories import make_group
from tests.slots import make_launcher, run


@pytest.fixture(scope="module")
def supervisor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    home = tmp_path_factory.mktemp("lambdas")
    made = Supervisor(make_launcher("process", home), home / "slots")
    yield made
    made.close()


def of_endpoint(group: ApiGroup, name: str, value: int) -> list[Any]:
    faults = Faults()
    document = {"name": "e", "method": "GET", "path": "/e", "auth": ["public"], name: value}
    check_endpoint(group, document, faults)
    return [".".join(map(str, fault.path)) for fault in faults.errors]


def of_lambda(name: str, value: int) -> list[Any]:
    faults = Faults()
    check_document({"name": "l", name: value}, faults, {}, {})
    return [".".join(map(str, fault.path)) for fault in faults.errors]


@pytest.mark.django_db
@pytest.mark.parametrize("name", LIMITS)
def test_an_endpoint_may_ask_for_as_much_as_the_maximum_and_no_more(workspace: Workspace, name: str) -> None:
    group, most = make_group(workspace), LIMITS[name].maximum
    assert of_endpoint(group, name, 1) == of_endpoint(group, name, most) == []
    assert of_endpoint(group, name, 0) == of_endpoint(group, name, most + 1) == [name]


@pytest.mark.parametrize(("name", "limit"), [("timeout", LAMBDA_SECONDS), ("memory_mb", LAMBDA_MEMORY_MB)])
def test_a_lambda_may_ask_for_as_much_as_the_maximum_and_no_more(name: str, limit: Any) -> None:
    assert of_lambda(name, limit.maximum) == []
    assert of_lambda(name, limit.maximum + 1) == [name]


def test_a_log_of_a_million_bytes_is_whole_and_one_more_is_cut(supervisor: Supervisor) -> None:
    whole = run(supervisor, f"log('x'.repeat({LAMBDA_LOG_BYTES.default - 1}))")
    assert (whole.state, len(whole.logs), "cut" in whole.logs) == ("succeeded", 1_000_000, False)
    cut = run(supervisor, f"log('x'.repeat({LAMBDA_LOG_BYTES.default}))")
    assert (cut.state, cut.logs.endswith("… the log was cut at 1 MB\n")) == ("succeeded", True)


def test_a_run_within_its_time_ends_well_and_one_past_it_does_not(supervisor: Supervisor) -> None:
    waits = "await new Promise((done) => setTimeout(done, input)); return 1"
    assert run(supervisor, waits, key="waits", input=100, timeout_seconds=5).value == 1
    assert run(supervisor, waits, key="waits", input=5_000, timeout_seconds=0.3).state == "timed_out"
