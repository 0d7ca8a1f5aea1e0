"""The courier: gives ids of accepted runs to Celery from a thread of its own.

No request ever waits for a broker that is slow, frozen or gone: what cannot be sent is forgotten here, and the
sweep sends it again.
"""

from __future__ import annotations

import logging
import queue
import threading
import time

_log = logging.getLogger(__name__)
_QUEUED = 10_000
_LOG_SECONDS = 60.0


class Courier:
    """A bounded queue and one thread per process."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[str] = queue.Queue(_QUEUED)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._logged_at = 0.0

    def send(self, run_id: str) -> None:
        """Give an id to Celery soon; dropped when too many wait, for the sweep finds it."""
        try:
            self._waiting.put_nowait(run_id)
        except queue.Full:
            return
        self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="run-courier", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        from .tasks import execute

        while True:
            run_id = self._waiting.get()
            try:
                execute.apply_async(args=[run_id], retry=False)
            except Exception as error:
                if time.monotonic() - self._logged_at > _LOG_SECONDS:
                    self._logged_at = time.monotonic()
                    _log.warning("Celery's broker is away (%s): runs wait for the sweep", error)
            finally:
                self._waiting.task_done()


courier = Courier()
