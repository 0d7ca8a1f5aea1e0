"""An endpoint that runs a trivial warm lambda with each call: key, limiter, history and a process boundary on the way.

Served as `make up` serves it, two web workers on two cores, to 16 keep-alive connections. Beside it the same endpoint
without the lambda, so that what the lambda costs can be told from the rest.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

import django

from benchmarks import load, servers
from benchmarks.figures import Round
from benchmarks.versus_drf import measure

LEAST_PER_SECOND = 2_000
LAMBDA = {"name": "trivial", "code": "return { ok: true };", "triggers": []}
STEP = {"step": "run_lambda", "as": "answer", "params": {"lambda": "trivial", "input": {}}}


def document(name: str, with_lambda: bool) -> dict[str, object]:
    """An endpoint that answers `{"ok": true}`."""
    answer: object = {"$expr": "answer"} if with_lambda else {"ok": True}
    return {
        "format": 1,
        "name": name,
        "method": "GET",
        "path": f"/{name}",
        "auth": ["api_key"],
        "inputs": {},
        "lines": [STEP] if with_lambda else [],
        "response": answer,
    }


def prepare() -> str:
    """An empty installation with both endpoints; the text of a key for it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stackyard.settings")
    django.setup()
    from auth.keys import create_key
    from endpoints.groups import create_group
    from endpoints.publishing import create_endpoint, publish
    from lambdas.publishing import create_lambda
    from lambdas.publishing import publish as publish_lambda
    from stackyard.core.workspaces import create_workspace
    from stackyard.start.installation import migrate

    migrate()
    workspace = create_workspace("bench")
    publish_lambda(create_lambda(workspace, LAMBDA))
    group = create_group(workspace, "bench", canonical="bench")
    for name in ("plain", "lambda"):
        publish(create_endpoint(group, document(name, name == "lambda")))
    return create_key(workspace, "benchmark")[1]


@dataclass(frozen=True)
class Measured:
    """Rounds of the endpoint with the lambda, and of the one without."""

    with_lambda: list[Round]
    without: list[Round]


def run(database: Mapping[str, str], rounds: int, seconds: float) -> Measured:
    """Serve, warm up, and measure both in turns."""
    with tempfile.TemporaryDirectory(prefix="stackyard-bench-") as home:
        environment = {"STACKYARD_HOME": home, "DATABASE_URL": "", **database}
        key = servers.run_module(["benchmarks.lambda_endpoint"], environment).splitlines()[-1]
        command, served = servers.ours(environment)
        served |= {"WEB_PROCESSES": str(min(2, os.cpu_count() or 1))}
        # As many threads as they come with: on PostgreSQL two, which overlap the waits.
        del served["WEB_THREADS"]
        with servers.serving("ours", command, served) as server:
            requests = [
                load.cycle([load.http_request("GET", f"/api:bench/{name}", {"X-API-Key": key})])
                for name in ("lambda", "plain")
            ]
            found: tuple[list[Round], list[Round]] = ([], [])
            for number in range(rounds + 1):
                for side, request in zip(found, requests, strict=True):
                    one = measure(server, request, seconds)
                    # The first round warms both workers and their slots.
                    if number:
                        side.append(one)
    return Measured(*found)


if __name__ == "__main__":
    print(prepare())
    sys.stdout.flush()
