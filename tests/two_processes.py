"""Connections to each of an installation's two web processes, for what has to hold in both of them."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Line:
    """A connection that stays open, and so stays with the process that took it."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self._connection.connect()
        self.port = port

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status, and the JSON of the answer."""
        ours = self._connection.sock.getsockname()
        sent = body if body is None or isinstance(body, str) else json.dumps(body)
        self._connection.request(method, path, sent, {"Content-Type": "application/json", **(headers or {})})
        answer = self._connection.getresponse()
        text = answer.read()
        assert self._connection.sock is not None, "it was hung up"
        assert self._connection.sock.getsockname() == ours
        return answer.status, json.loads(text) if text.startswith(b"{") or text.startswith(b'"') else text

    @property
    def process(self) -> int:
        """The id of the process at the other end."""
        own, inode = self._connection.sock.getsockname()[1], ""
        for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            here, there, found = (row.split()[column] for column in (1, 2, 9))
            if (int(here.split(":")[1], 16), int(there.split(":")[1], 16)) == (self.port, own):
                inode = found
        for held in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                if inode and os.readlink(held) == f"socket:[{inode}]":
                    return int(held.parts[2])
            except OSError:
                continue
        raise AssertionError("nobody has taken it")

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def lines_to_two(port: int) -> list[Line]:
    """A line to each of two processes."""
    found: dict[int, Line] = {}
    for _ in range(60):
        line = Line(port)
        line.ask("GET", "/healthz")
        if line.process in found:
            line.close()
        else:
            found[line.process] = line
        if len(found) == 2:
            return list(found.values())
    raise AssertionError(f"only {list(found)} took a connection")


def refused_after(lines: tuple[Line, ...], proof: Mapping[str, str]) -> float:
    """How long it takes from now until all refuse, and go on refusing."""
    began = time.monotonic()
    while time.monotonic() - began < 5:
        if all(line.ask("GET", "/api:door/who", None, proof)[0] == 401 for line in lines):
            seconds = time.monotonic() - began
            assert all(line.ask("GET", "/api:door/who", None, proof)[0] == 401 for line in lines * 3)
            return seconds
        # No faster than the endpoint's limit lets one ask.
        time.sleep(0.05)
    raise AssertionError("it is good still")
