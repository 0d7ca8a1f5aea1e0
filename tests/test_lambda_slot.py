"""A program that does not notice its container's end is not waited for without limit."""

from __future__ import annotations

import subprocess
import time
from types import SimpleNamespace

from lambdas.supervisor.slot import Slot


def test_a_program_that_stays_is_killed_after_a_second() -> None:
    program = subprocess.Popen(["sleep", "60"])
    began = time.monotonic()
    status = Slot.reap(SimpleNamespace(launched=SimpleNamespace(popen=program)))  # type: ignore[arg-type]
    assert status == -9
    assert time.monotonic() - began < 10
