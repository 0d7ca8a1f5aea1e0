"""Calls our WSGI application directly and tells the processor time a request: `python -m benchmarks.in_process KEY`.

For differences too small for HTTP to show. Waits for lines on its input: each names how many requests to
make, and is answered with microseconds a request.
"""

from __future__ import annotations

import io
import json
import random
import sys
import time
from typing import Any

from benchmarks.customers import CUSTOMERS


def make_environ(path: str, key: str) -> dict[str, Any]:
    """What the web server would hand over for a GET."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_X_API_KEY": key,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }


def microseconds(application: Any, paths: list[str], key: str) -> float:
    """Processor time a request, all threads of this process counted. ValueError when one is not answered with 200."""
    statuses: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
        statuses.append(status)

    environs = [make_environ(path, key) for path in paths]
    began = time.process_time()
    for environ in environs:
        answer = application(environ, start_response)
        b"".join(answer)
        close = getattr(answer, "close", None)
        if close:
            close()
    spent = time.process_time() - began
    if any(not status.startswith("200") for status in statuses):
        raise ValueError(f"not all were 200: {set(statuses)}")
    return spent / len(paths) * 1e6


def main(key: str) -> None:
    """Answer until the input ends."""
    from stackyard.wsgi import application

    chance = random.Random(7)
    for line in sys.stdin:
        paths = [f"/api:bench/customers/{chance.randint(1, CUSTOMERS)}" for _ in range(int(line))]
        print(json.dumps(microseconds(application, paths, key)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
