"""The visual editor's addresses for tests: a document, and a caller of one stack's addresses."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

LINES: list[dict[str, Any]] = [
    {
        "id": "q1",
        "step": "query_all_records",
        "as": "found",
        "params": {"table": "customers", "where": {"name": {"$expr": "input.who | trim"}}},
    },
    {
        "id": "f1",
        "step": "for_each",
        "params": {
            "in": {"$expr": "found"},
            "item": "one",
            "do": [
                {
                    "id": "s1",
                    "step": "set_variable",
                    "params": {"name": "last", "value": {"$expr": "one.name"}},
                }
            ],
        },
    },
]
DOCUMENT: dict[str, Any] = {
    "format": 1,
    "name": "find",
    "method": "GET",
    "path": "/find/{who}",
    "auth": ["public"],
    "inputs": {"who": {"type": "text"}},
    "lines": LINES,
    "response": {"$expr": "found"},
}


class Editor:
    """The addresses of one stack."""

    def __init__(self, console: Client, base: str) -> None:
        self.console = console
        self.base = base

    def get(self, part: str = "") -> Any:
        """(status, JSON)."""
        answer = self.console.get(self.base + part)
        return answer.status_code, json.loads(answer.content)

    def send(self, method: str, part: str, body: Any) -> Any:
        """(status, JSON)."""
        data = body if isinstance(body, bytes) else json.dumps(body)
        answer = self.console.generic(method, self.base + part, data, content_type="application/json")
        return answer.status_code, json.loads(answer.content)

    def save(self, document: Any, version: str, **more: Any) -> Any:
        """Save a draft."""
        return self.send("PUT", "", {"document": document, "version": version, **more})
