"""Launcher `bubblewrap`: Deno in namespaces of its own, where there is nothing to see but Deno itself."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .launcher import (
    ON_LINUX,
    CannotLaunch,
    Launched,
    Launcher,
    Order,
    deno_arguments,
    find_deno,
    spawn,
)
from .limits import SCRATCH_BYTES
from .root import DENO, RUNNER_INSIDE, SCRATCH, environment, libraries, runner


class BubblewrapLauncher(Launcher):
    """Deno in new user, process, network, mount, IPC, host name and cgroup namespaces (bwrap(1)). The root holds Deno, its
    libraries and the runner, read-only, and no devices; the scratch directory is memory. Needs no root."""

    name = "bubblewrap"
    label = "Bubblewrap"
    icon = "box"
    sentence = "Deno in Linux namespaces with an empty root"
    rank = 2

    def check(self) -> None:
        """CannotLaunch without Linux, bwrap or Deno."""
        if not ON_LINUX:
            raise CannotLaunch("bubblewrap runs on Linux only.")
        if shutil.which("bwrap") is None:
            raise CannotLaunch("bwrap is not installed (Debian: apt install bubblewrap).")
        runner(self.home)

    def launch(self, order: Order) -> Launched:
        """Start bwrap, which becomes the parent of Deno; it dies with this thread, and Deno with it."""
        order.folder.mkdir(parents=True, mode=0o700)
        inside = [DENO, *deno_arguments(RUNNER_INSIDE, SCRATCH, order.heap_mb)]
        return Launched(spawn([*self._walls(), "--", *inside]), order.folder)

    def settle(self, launched: Launched) -> None:
        """bwrap's only child is the first process of the sandbox, whose only child is Deno (proc(5))."""
        first = only_child(launched.pid)
        launched.inner = only_child(first)
        launched.scratch = os.open(
            f"/proc/{launched.inner}/root{SCRATCH}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        )

    def _walls(self) -> list[str]:
        walls = [str(shutil.which("bwrap")), "--unshare-all", "--die-with-parent"]
        walls += [
            "--cap-drop",
            "ALL",
            "--uid",
            "65534",
            "--gid",
            "65534",
            "--hostname",
            "lambda",
            "--clearenv",
        ]
        for name, value in environment().items():
            walls += ["--setenv", name, value]
        for inside, file in {**libraries(), DENO: find_deno(), RUNNER_INSIDE: runner(self.home)}.items():
            walls += ["--ro-bind", str(file), inside]
        # Deno panics without /proc (its own binary's path, its main stack's bounds). It shows the sandbox alone.
        walls += ["--proc", "/proc"]
        walls += ["--size", str(SCRATCH_BYTES), "--tmpfs", SCRATCH]
        return [*walls, "--chdir", SCRATCH, "--remount-ro", "/"]


def only_child(pid: int) -> int:
    """The one child that a process has. OSError when the kernel does not say."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    if len(children) != 1:
        raise OSError(f"process {pid} has {len(children)} children where one was expected")
    return int(children[0])
