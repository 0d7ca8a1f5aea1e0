"""The web server's process: granian in WSGI mode, which serves `stackyard.wsgi:application`.

Synchronous workers and few threads on purpose (measured): Django's ASGI handler costs a synchronous
view more than twice its own time, and extra threads a fifth of the throughput. On PostgreSQL a
second thread overlaps the waits; SQLite never waits.
"""

from __future__ import annotations

import atexit
import os
import signal
from collections.abc import Callable
from functools import partial
from multiprocessing.util import Finalize
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from .lifeline import stop_with_parent

_STOP_SECONDS = 8


def _load(parent: int) -> Callable[..., Any]:
    """The application, in a worker that ends with the server's main process."""
    # Until the server sets its own: the one inherited from the main process would swallow an early stop.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    stop_with_parent(parent)
    # The server hands the process's environment to every request, where a variable HTTP_X reads as a header X.
    for name in [name for name in os.environ if name.startswith("HTTP_")]:
        del os.environ[name]
    # multiprocessing ends a child without what atexit holds, such as writing the last of the request history.
    Finalize(None, atexit._run_exitfuncs, exitpriority=0)
    from stackyard.wsgi import application

    return application


def serve() -> None:
    """Serve HOST:PORT with WEB_PROCESSES workers until SIGTERM."""
    # The settings alone: Django is set up in the workers, after they have been forked.
    from stackyard import settings

    server = Granian(
        "stackyard.wsgi:application",
        address=settings.HOST,
        port=settings.PORT,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=settings.WEB_PROCESSES,
        blocking_threads=settings.WEB_THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_SECONDS,
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=partial(_load, os.getpid()), wrap_loader=False)


if __name__ == "__main__":
    serve()
