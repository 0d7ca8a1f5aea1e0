"""Durable runs: how long from accepting one to its start, and 40 trivial ones after one another.

Run as `python -m benchmarks.runs` in an installation of its own: it starts a worker, and prints milliseconds from
before the accepting transaction to the claim, and seconds for the 40, as JSON. Every run is a row, committed, sent,
claimed, done and recorded; the next of the 40 is accepted when the end of the one before can be read. What runs is a
function that answers at once; and, 40 after one another, a lambda that does, in its process.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django

RUNS = 40
ROUNDS = 5
_POLL_SECONDS = 0.001
_LONGEST_SECONDS = 60
DOCUMENT = {"format": 1, "name": "answer", "inputs": {}, "lines": [], "response": 42}


def prepare() -> tuple[Any, Any]:
    """An empty installation with a published function and a published lambda that answer 42; each accepts one run."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stackyard.settings")
    django.setup()
    from lambdas.publishing import create_lambda
    from lambdas.publishing import publish as publish_lambda
    from lambdas.running import start_lambda
    from stackyard.core.workspaces import create_workspace
    from stackyard.runs import dispatch
    from stackyard.stacks.publishing import create_function, publish
    from stackyard.start.installation import migrate

    migrate()
    workspace = create_workspace("bench")
    function = create_function(workspace, DOCUMENT)
    publish(function)
    target = create_lambda(workspace, {"name": "answer", "code": "return 42"})
    publish_lambda(target)
    return (
        lambda: dispatch.start("function", workspace, function.pk, target_name="answer"),
        lambda: start_lambda(target),
    )


@contextmanager
def worker() -> Iterator[None]:
    """The worker that `make up` runs."""
    process = subprocess.Popen([sys.executable, "-m", "stackyard.start.worker"], stdout=sys.stderr)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def wait_for(run: Any) -> Any:
    """The run when it has ended. TimeoutError when it does not; ValueError when it did not succeed."""
    from stackyard.runs.models import Run

    deadline = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < deadline:
        # Whoever accepts a run lets go of the interpreter then, as a web server does that answers: its message leaves.
        time.sleep(_POLL_SECONDS)
        found = Run.objects.get(pk=run.pk)
        if found.is_finished:
            if found.result != 42:
                raise ValueError(f"the run {found.state}: {found.error}")
            return found
    raise TimeoutError("the run did not end")


def start_ms(accept: Any) -> float:
    """Milliseconds from before a run is accepted until it is claimed."""
    # Not in step with a worker that looks every so often.
    time.sleep(random.random() * 0.1)
    began = time.time()
    run = wait_for(accept())
    return float(run.started_at.timestamp() - began) * 1000


def sequential_seconds(accept: Any) -> float:
    """Seconds for 40 runs after one another."""
    began = time.monotonic()
    for _ in range(RUNS):
        wait_for(accept())
    return time.monotonic() - began


def main() -> dict[str, list[float]]:
    """Measure, in rounds."""
    accept, accept_lambda = prepare()
    with worker():
        for _ in range(5):
            wait_for(accept())
            wait_for(accept_lambda())
        return {
            "start_ms": [start_ms(accept) for _ in range(ROUNDS * RUNS)],
            "seconds": [sequential_seconds(accept) for _ in range(ROUNDS)],
            "lambda_seconds": [sequential_seconds(accept_lambda) for _ in range(ROUNDS)],
        }


if __name__ == "__main__":
    print(json.dumps(main()))
