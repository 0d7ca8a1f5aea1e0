"""The family of launchers: ways to start a slot's process, each with its own walls around it.

A launcher starts Deno with the runner and nothing else. What every one of them owes is tested by the same
contract (`tests/test_lambda_launchers.py`): an empty environment, no right but to the slot's scratch
directory, a process group of its own, and no process left when the slot is killed or its parent dies.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from stackyard.core.kinds import Kind

from .memory_group import MemoryGroup
from .scratch import remove

RUNNER_SOURCE = Path(__file__).resolve().parents[1] / "runtime" / "runner.ts"
ON_LINUX = sys.platform == "linux"


class CannotLaunch(Exception):
    """A launcher does not run here; the text says why, in words for people."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a slot needs: a directory of its own under the home, and how large its JavaScript heap may grow."""

    folder: Path
    heap_mb: int


@dataclass(slots=True)
class Launched:
    """A started process.

    `pid` is the process that was started and leads its group; `inner` is Deno's own id as this process sees
    it (the same, or a descendant once a sandbox is up). `scratch` is the directory that the code may use,
    opened once, so that it can be emptied from outside; `handle` is a pidfd, where the launcher needs one;
    `group` bounds its memory, where one can be made.
    """

    popen: subprocess.Popen[bytes]
    folder: Path
    inner: int | None = None
    scratch: int | None = None
    handle: int | None = None
    group: MemoryGroup | None = None
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        """The id of the process that was started."""
        return self.popen.pid


class Launcher(Kind, family="launcher"):
    """One way to start slots. `rank` orders them: the highest that runs here is taken."""

    rank: ClassVar[int] = 0
    # Whether it bounds the memory of its slots itself.
    bounds_memory: ClassVar[bool] = False

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        """`home` is the folder for what a launcher keeps; `environment` tells a container program where its engine is."""
        self.home = home
        self.environment = environment

    def check(self) -> None:
        """Raise CannotLaunch when something it needs is not there. Quick; a slot that answers is the real proof."""

    def launch(self, order: Order) -> Launched:
        """Start a process; it says `ready` when it is up. CannotLaunch or OSError when it can't be started."""
        raise NotImplementedError

    def settle(self, launched: Launched) -> None:
        """Called once the process said `ready` and before any code is in it: find `inner` and `scratch`."""
        raise NotImplementedError

    def kill(self, launched: Launched) -> None:
        """End every process of the slot at once. Never raises for what is gone already."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(launched.pid, signal.SIGKILL)

    def discard(self, launched: Launched) -> None:
        """After its end: give back what the slot had."""
        for descriptor in (launched.scratch, launched.handle):
            if descriptor is not None:
                os.close(descriptor)
        launched.scratch = launched.handle = None
        if launched.group is not None:
            launched.group.remove()
        remove(launched.folder)


def find_deno() -> Path:
    """Deno's binary from the `deno` wheel, or from the PATH. CannotLaunch when there is none."""
    with suppress(ImportError, FileNotFoundError):
        from deno import find_deno_bin

        return Path(find_deno_bin()).resolve()
    found = shutil.which("deno")
    if found is None:
        raise CannotLaunch("Deno is not installed: pip install 'deno>=2.9,<2.10'")
    return Path(found).resolve()


def deno_arguments(runner: str, scratch: str, heap_mb: int) -> list[str]:
    """What follows `deno` on the command line: no right but to the scratch directory, nothing looked up, nothing asked."""
    return [
        "run",
        *(
            "--no-prompt",
            "--no-config",
            "--no-lock",
            "--no-npm",
            "--no-remote",
            "--cached-only",
            "--no-check",
        ),
        "--no-code-cache",
        f"--allow-read={scratch}",
        f"--allow-write={scratch}",
        f"--v8-flags=--max-old-space-size={heap_mb}",
        "--quiet",
        runner,
    ]


def deno_environment(nowhere: str) -> dict[str, str]:
    """What Deno has to be told; code can't read it, and nothing in it is a secret.

    `nowhere` is a directory that can't be made: what Deno would keep there (localStorage, caches) is kept nowhere.
    """
    return {"DENO_DIR": nowhere, "DENO_NO_UPDATE_CHECK": "1"}


@lru_cache
def lifeline() -> tuple[str, ...]:
    """A prefix for commands: the process is killed by the kernel when the thread that started it ends.

    setpriv(1) of util-linux, PR_SET_PDEATHSIG and no_new_privs. Where there is none the process still ends
    when its standard input does, unless it is busy, and then at its processor time limit.
    """
    found = shutil.which("setpriv") if ON_LINUX else None
    return (found, "--pdeathsig", "KILL", "--no-new-privs", "--") if found else ()


def spawn(
    command: Sequence[str], cwd: Path | str = "/", environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a command with pipes for its three streams, an environment of its own and a session of its own."""
    return subprocess.Popen(
        command,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=dict(environment or {}),
        start_new_session=True,
        close_fds=True,
    )
