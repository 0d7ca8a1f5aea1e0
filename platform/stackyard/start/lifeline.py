"""A process that does not outlive its parent, however the parent ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def stop_with_parent(parent: int) -> None:
    """Have the kernel send SIGTERM to this process when its parent dies, kill -9 included.

    `parent` is the id of the parent as the parent knew it: when it is already gone, this process
    ends at once. Linux only (prctl(2), PR_SET_PDEATHSIG); it survives exec. Elsewhere nothing
    happens, and only a supervisor that was killed outright leaves its children behind.
    """
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
