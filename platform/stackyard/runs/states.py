"""The states of a run, and which may follow which."""

from __future__ import annotations

ACCEPTED = "accepted"
RUNNING = "running"
SUCCEEDED = "succeeded"
FAILED = "failed"
TIMED_OUT = "timed_out"
OUT_OF_MEMORY = "out_of_memory"
LOST = "lost"
CANCELLED = "cancelled"

UNFINISHED = (ACCEPTED, RUNNING)
FINISHED = (SUCCEEDED, FAILED, TIMED_OUT, OUT_OF_MEMORY, LOST, CANCELLED)
ALL = (*UNFINISHED, *FINISHED)
# What is tried again, when the target says that it may be.
RETRIED = (FAILED, TIMED_OUT, OUT_OF_MEMORY)
