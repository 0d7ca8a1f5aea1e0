"""The courier: gives ids of accepted runs to Celery from a thread of its own.

No request ever waits for a broker that is slow, frozen or gone: what cannot be sent is forgotten here, and the
sweep sends it again.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import time
from functools import lru_cache
from typing import Any

from kombu.utils.uuid import uuid

_log = logging.getLogger(__name__)
_QUEUED = 10_000
_LOG_SECONDS = 60.0
_FLUSH_SECONDS = 1.0
_DEPTH_SECONDS = 1.0


class Courier:
    """A bounded queue and one thread per process."""

    def __init__(self) -> None:
        self._logged_at = -_LOG_SECONDS
        self.reset()

    def reset(self) -> None:
        """Begin afresh: what waits in another process is that one's."""
        # The id of a run, and for one that is sent again how many runs wait in all.
        self._waiting: queue.Queue[tuple[str, int | None]] = queue.Queue(_QUEUED)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._depth, self._depth_at = 0, -_DEPTH_SECONDS

    def send(self, run_id: str) -> None:
        """Give an id to Celery soon; dropped when too many wait, for the sweep finds it."""
        self._put(run_id, None)

    def send_again(self, run_id: str, waiting: int) -> None:
        """Give an id to Celery once more, unless there are as many messages as runs that wait (`waiting`) anyhow.

        So a long queue does not grow for being long, and one that was lost is filled again.
        """
        self._put(run_id, waiting)

    def _put(self, run_id: str, waiting: int | None) -> None:
        try:
            self._waiting.put_nowait((run_id, waiting))
        except queue.Full:
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="run-courier", daemon=True)
                self._thread.start()

    def flush(self, seconds: float = _FLUSH_SECONDS) -> bool:
        """Wait until all is sent, so long at most; whether it is."""
        deadline = time.monotonic() + seconds
        while self._waiting.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.005)
        return not self._waiting.unfinished_tasks

    def _run(self) -> None:
        waiting = self._waiting
        while True:
            run_id, count = waiting.get()
            try:
                self._publish(run_id, count)
            except Exception as error:
                if time.monotonic() - self._logged_at > _LOG_SECONDS:
                    self._logged_at = time.monotonic()
                    _log.warning("the broker is away (%s): runs wait until it is back", error)
            finally:
                waiting.task_done()

    def _publish(self, run_id: str, waiting: int | None) -> None:
        from .tasks import execute

        if waiting is not None:
            if self._measure() >= waiting:
                return
            self._depth += 1
        app = execute.app
        # What execute.apply_async(args=[run_id], retry=False) sends, less than half as dear: nearly all of it is the
        # same each time. The nameless exchange goes straight to the queue.
        message_id = uuid()
        headers, (_, keywords, embedded) = _envelope()
        with app.producer_or_acquire() as producer:
            producer.publish(
                ([run_id], keywords, embedded),
                exchange="",
                routing_key=app.conf.task_default_queue,
                serializer=app.conf.task_serializer,
                delivery_mode=2,
                retry=False,
                headers={**headers, "id": message_id, "root_id": message_id},
                correlation_id=message_id,
            )

    def _measure(self) -> int:
        """About how many messages wait, measured at most once a second."""
        from .tasks import execute

        if time.monotonic() - self._depth_at > _DEPTH_SECONDS:
            with execute.app.producer_pool.acquire(block=True) as producer:
                self._depth = int(producer.channel._size(execute.app.conf.task_default_queue))
            self._depth_at = time.monotonic()
        return self._depth


@lru_cache(maxsize=1)
def _envelope() -> tuple[dict[str, Any], tuple[Any, Any, Any]]:
    """Headers and body of a message for our one task, as Celery makes them (its message protocol, version 2)."""
    from .tasks import execute

    message = execute.app.amqp.create_task_message(uuid(), execute.name, args=[""], ignore_result=True)
    return message.headers, message.body


courier = Courier()
os.register_at_fork(after_in_child=courier.reset)
# A command that accepts a run and ends: its message still leaves.
atexit.register(courier.flush)
