"""A CRM to try the sync with: `stand_in.py [PORT]`. It keeps contacts in memory, and is often busy.

PUT /contacts/ID with `Authorization: Bearer let-me-in` stores one. Of these requests the first is answered 429 and the
third 503, both with Retry-After; the fourth is stored, and its answer lost. GET /contacts shows what is stored, GET
/answered the status of each answer so far (0 for the lost one).
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "let-me-in"
contacts: dict[str, object] = {}
answered: list[int] = []


class StandIn(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        """What is stored, or how requests were answered so far."""
        self._answer(200, answered if self.path == "/answered" else contacts)

    def do_PUT(self) -> None:
        """Store a contact, when it is not one's turn to be sent away."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._note(401, {"error": "Who are you?"})
        elif len(answered) == 0:
            self._note(429, {"error": "Not so fast."}, {"Retry-After": "1"})
        elif len(answered) == 2:
            self._note(503, {"error": "Back in a moment."}, {"Retry-After": "1"})
        else:
            self._store(json.loads(body))

    def _store(self, contact: dict[str, str]) -> None:
        if contact["email"].endswith("@example.invalid"):
            self._note(422, {"error": "There is no such address."})
            return
        contacts[self.path.rpartition("/")[2]] = contact
        if len(answered) == 3:
            answered.append(0)
            self.close_connection = True
        else:
            self._note(200, {"stored": True})

    def _note(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        answered.append(status)
        self._answer(status, value, headers)

    def _answer(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing on the terminal."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8899
    print(f"A CRM at http://127.0.0.1:{port}, token {TOKEN}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", port), StandIn).serve_forever()
