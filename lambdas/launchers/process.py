"""Launcher `process`: Deno as a plain process. Works everywhere; its walls are Deno's permissions and the kernel's limits."""

from __future__ import annotations

import os

from .launcher import (
    Launched,
    Launcher,
    Order,
    deno_arguments,
    deno_environment,
    find_deno,
    lifeline,
    spawn,
)
from .root import runner


class ProcessLauncher(Launcher):
    """Deno as a plain process: no root and no other program needed. It sees no file but its scratch directory,
    no environment, no network and no other program, because Deno refuses them; the kernel is as near as to any process."""

    name = "process"
    label = "Process"
    icon = "terminal"
    sentence = "Deno as a plain process"
    rank = 1

    def check(self) -> None:
        """CannotLaunch without Deno."""
        runner(self.home)

    def launch(self, order: Order) -> Launched:
        """Start Deno in an empty scratch directory of its own."""
        scratch = order.folder / "scratch"
        scratch.mkdir(parents=True, mode=0o700)
        command = [
            *lifeline(),
            str(find_deno()),
            *deno_arguments(str(runner(self.home)), str(scratch), order.heap_mb),
        ]
        return Launched(spawn(command, scratch, deno_environment("/dev/null/none")), order.folder)

    def settle(self, launched: Launched) -> None:
        """The prefix has become Deno: same process."""
        launched.inner = launched.pid
        launched.scratch = os.open(launched.folder / "scratch", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
