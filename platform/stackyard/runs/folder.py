"""The courier's embedded transport: a folder of messages, one file each, for installations without Redis.

Kombu's own filesystem transport, made safe to be killed: a message appears under its name when it is whole and is
taken by one rename within the same folder, so nobody reads half a message and nothing is left in the system's
temporary folder; and there is no file of bindings that could be left half written, because every exchange here
has one queue, of its own name.
"""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem, virtual
from kombu.utils.json import dumps, loads

_LEFT_SECONDS = 60.0


class Channel(filesystem.Channel):  # type: ignore[misc]
    """Messages as files `<time>_<id>.<queue>.msg`, taken in the order of their names."""

    supports_fanout = False

    def get_table(self, exchange: str) -> list[Any]:
        """The one binding of an exchange."""
        return [filesystem.exchange_queue_t(exchange, "", exchange)]

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        """Bindings are not kept."""

    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        # Time since 1970, not since the machine's start: older messages stay first after a restart of it.
        name = f"{time.time_ns() // 1_000_000:014}_{uuid.uuid4().hex}.{queue}.msg"
        half = folder / f"{name}.half"
        half.write_text(dumps(payload))
        half.rename(folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = folder / f"{name}.taken"
            try:
                (folder / name).rename(taken)
                text = taken.read_text()
                taken.unlink()
                return loads(text)
            except (OSError, ValueError):
                # Another worker was faster, or a power cut has left it empty: its run is sent again.
                continue
        raise Empty

    def _delete(self, queue: str, *_: Any, **__: Any) -> None:
        self._purge(queue)


class Transport(filesystem.Transport):  # type: ignore[misc]
    """The transport of the broker URL `folder://` (stackyard/celery.py)."""

    Channel = Channel
    global_state = virtual.BrokerState()
    driver_type = driver_name = "folder"


def sweep_leftovers(folder: Path) -> int:
    """Remove what processes that were killed have left half done; how many files."""
    removed = 0
    for path in [*folder.glob("*.half"), *folder.glob("*.taken")]:
        try:
            if time.time() - path.stat().st_mtime > _LEFT_SECONDS:
                path.unlink()
                removed += 1
        except FileNotFoundError:
            continue
    return removed
