"""A client that accepts runs over HTTP: promised is what was answered with 202.

Run as `python -m tests.nemesis.caller SEED PORT`. Its log is the one of `client`: `run retry_safe http` a line.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import sys
import time

from .traces import PER_SECOND, append_line, some_work

_LONGEST_SECONDS = 5


def accept_one(chance: random.Random, port: int) -> None:
    """Ask for one run; write down what was promised. OSError or HTTPException when nothing was."""
    work, retry_safe = some_work(chance)
    body = json.dumps({"work": work, "retry_safe": retry_safe})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_LONGEST_SECONDS)
    try:
        connection.request("POST", "/api:nemesis/accept", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        told = answer.read()
        if answer.status == 202:
            append_line(os.environ["NEMESIS_ACCEPTED"], f"{json.loads(told)} {int(retry_safe)} http")
        elif answer.status != 503:
            append_line(os.environ["NEMESIS_REFUSED"], f"{answer.status} {told[:300]!r}")
    finally:
        connection.close()


def main() -> None:
    """Accept for ever."""
    chance, port = random.Random(int(sys.argv[1])), int(sys.argv[2])
    while True:
        try:
            accept_one(chance, port)
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        time.sleep(chance.random() * 2 / PER_SECOND)


if __name__ == "__main__":
    main()
