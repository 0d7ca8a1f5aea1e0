"""Launcher `process`: Deno as a plain process. Works everywhere; its walls are Deno's permissions and the kernel's limits."""

from __future__ import annotations

import os

from .launcher import RUNNER, Launched, Launcher, Order, deno_arguments, find_deno, lifeline, spawn

# Deno keeps localStorage and caches under its own directory: one that can't be there.
NOWHERE = "/dev/null/none"


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
        find_deno()

    def launch(self, order: Order) -> Launched:
        """Start Deno in an empty scratch directory of its own."""
        scratch = order.folder / "scratch"
        scratch.mkdir(parents=True, mode=0o700)
        command = [*lifeline(), str(find_deno()), *deno_arguments(str(RUNNER), str(scratch), order.heap_mb)]
        environment = {"DENO_DIR": NOWHERE, "DENO_NO_UPDATE_CHECK": "1"}
        return Launched(spawn(command, scratch, environment), order.folder)

    def settle(self, launched: Launched) -> None:
        """The prefix has become Deno: same process."""
        launched.inner = launched.pid
        launched.scratch = os.open(launched.folder / "scratch", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
