"""A call of the history as the shell line that sends it again."""

from __future__ import annotations

import json
import shlex

from django.conf import settings

from .models import HistoryEntry

# What curl writes by itself, or what belonged to the connection of then.
_NOT_SENT_AGAIN = {"host", "content-length", "connection", "accept-encoding", "user-agent", "x-request-id"}


def curl_of(entry: HistoryEntry) -> str:
    """The shell line that sends a call again. What was hidden when it was kept stays hidden: fill it in."""
    try:
        headers = json.loads(entry.request_headers or "{}")
    except ValueError:
        headers = {}
    url = f"{settings.PUBLIC_URL}{entry.path}" + (f"?{entry.query}" if entry.query else "")
    parts = ["curl", "-X", entry.method]
    if isinstance(headers, dict):
        for name, value in headers.items():
            if name not in _NOT_SENT_AGAIN:
                parts += ["-H", f"{name}: {value}"]
    if entry.request_body:
        parts += ["--data-raw", entry.request_body]
    return shlex.join([*parts, url])
