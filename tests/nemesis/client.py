"""A client that accepts runs and writes down what it was promised, until it is killed.

Run as `python -m tests.nemesis.client SEED`. Its log has one line a promise: `run retry_safe door`.
"""

from __future__ import annotations

import os
import random
import sys
import time
from typing import Any

import django


def accept_one(chance: random.Random, workspace: Any) -> Any:
    """Accept a run of random work; the run, once it is committed."""
    from django.db import transaction

    from stackyard.runs import dispatch

    from .traces import some_work

    work, retry_safe = some_work(chance)
    # Sometimes in a transaction within a transaction, as stacks do it.
    with transaction.atomic(), transaction.atomic():
        return dispatch.start(
            "nemesis",
            workspace,
            1,
            target_name="nemesis",
            input=work,
            retry_safe=retry_safe,
            max_attempts=1000,
        )


def main() -> None:
    """Accept for ever. What the database refuses was never promised."""
    django.setup()
    from django.db import Error, close_old_connections

    from stackyard.core.models import Workspace
    from tests.nemesis.traces import PER_SECOND, append_line

    chance, workspace = random.Random(int(sys.argv[1])), None
    while True:
        try:
            workspace = workspace or Workspace.objects.get(name="nemesis")
            run = accept_one(chance, workspace)
            append_line(os.environ["NEMESIS_ACCEPTED"], f"{run.pk} {int(run.retry_safe)} door")
            time.sleep(chance.random() * 2 / PER_SECOND)
        except Error:
            close_old_connections()
            time.sleep(0.1)


if __name__ == "__main__":
    main()
