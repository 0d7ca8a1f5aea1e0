"""Container engines: what each is asked to start, inspect, kill and delete one slot's container."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from .launcher import CannotLaunch, Launched, Order, deno_arguments, lifeline, spawn
from .limits import BESIDE_HEAP_MB, SCRATCH_BYTES, THREADS, process_limits
from .root import DENO, RUNNER_INSIDE, SCRATCH, SETPRIV, build_root, environment, root_of, setpriv, tag

_NOBODY = 65534
_IMAGE = "stackyard-lambda"
_PREFIX = "stackyard"
# System calls that no JavaScript program needs and that kernel bugs are reached by.
_REFUSED_CALLS = [
    "acct",
    "add_key",
    "bpf",
    "clock_adjtime",
    "clock_settime",
    "delete_module",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "mount",
    "mount_setattr",
    "move_mount",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pivot_root",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "quotactl",
    "reboot",
    "request_key",
    "setns",
    "settimeofday",
    "socket",
    "swapoff",
    "swapon",
    "syslog",
    "umount2",
    "unshare",
    "userfaultfd",
]


class Engine:
    """One engine, told by command line. `home` is where it may keep what it needs, `environment` what tells it where
    its engine is."""

    program = ""
    package = ""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.home = home
        self.environment = environment

    def check(self) -> None:
        """CannotLaunch with the reason when it is not there or has no image."""
        if shutil.which(self.program) is None:
            raise CannotLaunch(f"{self.program} is not installed.")

    def build(self) -> str:
        """Make the image from the Deno that is installed here; what to call it by. CannotLaunch when it can't be made."""
        raise NotImplementedError

    def start(self, order: Order) -> Launched:
        """Start a container in the foreground."""
        raise NotImplementedError

    def settle(self, launched: Launched) -> None:
        """Find the first process and the scratch directory. OSError when they can't be found."""
        raise NotImplementedError

    def kill(self, launched: Launched) -> None:
        """Kill the container through the engine: slow, for when its first process is not known."""
        raise NotImplementedError

    def delete(self, launched: Launched) -> None:
        """Forget the container."""
        raise NotImplementedError

    def sweep(self) -> None:
        """Delete containers whose supervisor is gone; their names begin with its process id."""
        raise NotImplementedError

    def ask(self, *arguments: str) -> str:
        """What the engine says; CannotLaunch with its words when it fails."""
        try:
            told = subprocess.run(
                [self.program, *arguments],
                capture_output=True,
                text=True,
                timeout=60,
                env=dict(self.environment),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CannotLaunch(f"{self.program} can't be run: {error}") from error
        if told.returncode:
            raise CannotLaunch(
                f"{self.program} says: {told.stderr.strip().splitlines()[-1:] or told.returncode}"
            )
        return told.stdout

    def delete_orphans(self, names: Sequence[str]) -> list[str]:
        """Of these container names, those that a supervisor made that is no more."""
        return [name for name in names if _is_orphan(name)]


class Docker(Engine):
    """docker(1), or what speaks like it."""

    program = "docker"
    # Whom the container runs as: somebody whose files this process can delete.
    user_arguments: Sequence[str] = ("--user", f"{os.getuid() or _NOBODY}:{os.getgid() or _NOBODY}")

    def check(self) -> None:
        """CannotLaunch without the program, its engine, or the image."""
        super().check()
        try:
            self.ask("image", "inspect", "--format", "{{.Id}}", self.image)
        except CannotLaunch as error:
            raise CannotLaunch(f"{self.program} has no image {self.image} ({error}).") from error

    @cached_property
    def image(self) -> str:
        """The image's name, which changes with Deno and the runner."""
        return f"{_IMAGE}:{tag()}"

    def build(self) -> str:
        """Import the root as an image; nothing is downloaded."""
        self.ask("version")
        root = build_root(self.home)
        with TemporaryFile() as archive:
            with tarfile.open(fileobj=archive, mode="w") as packed:
                packed.add(root, arcname=".")
            archive.seek(0)
            told = subprocess.run(
                [self.program, "import", "-", self.image],
                stdin=archive,
                capture_output=True,
                text=True,
                env=dict(self.environment),
            )
        if told.returncode:
            raise CannotLaunch(f"{self.program} could not import the image: {told.stderr.strip()}")
        return self.image

    def start(self, order: Order) -> Launched:
        """`docker run --interactive`, with every wall there is a flag for."""
        scratch = order.folder / "scratch"
        scratch.mkdir(mode=0o700)
        if os.getuid() == 0:
            os.chown(scratch, _NOBODY, _NOBODY)
        name = f"{_PREFIX}-{os.getpid()}-{order.folder.name}"
        command = [
            *lifeline(),
            str(shutil.which(self.program)),
            *self.run_arguments(name, scratch, order.heap_mb),
        ]
        return Launched(spawn(command, environment=self.environment), order.folder, marks={"name": name})

    def run_arguments(self, name: str, scratch: Path, heap_mb: int) -> list[str]:
        """What follows the program's name."""
        memory = f"{heap_mb + BESIDE_HEAP_MB}m"
        limits = process_limits(heap_mb)
        walls = ["--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
        walls += [f"--memory={memory}", f"--memory-swap={memory}", f"--pids-limit={THREADS}"]
        for limit, value in limits.items():
            walls += ["--ulimit", f"{limit.removeprefix('RLIMIT_').lower()}={value}:{value}"]
        for variable, text in environment().items():
            walls += ["--env", f"{variable}={text}"]
        mounted = ["--mount", f"type=bind,source={scratch},target={SCRATCH}", "--workdir", SCRATCH]
        inside = [DENO, *deno_arguments(RUNNER_INSIDE, SCRATCH, heap_mb)]
        return [
            "run",
            "--interactive",
            "--rm",
            "--name",
            name,
            *self.user_arguments,
            *walls,
            *mounted,
            self.image,
            *inside,
        ]

    def settle(self, launched: Launched) -> None:
        """The engine's process id, where its engine runs here; the scratch directory is one of ours."""
        with suppress(CannotLaunch, ValueError):
            pid = int(self.ask("inspect", "--format", "{{.State.Pid}}", launched.marks["name"]))
            launched.inner = pid if pid > 0 and Path(f"/proc/{pid}").exists() else None
        launched.scratch = os.open(launched.folder / "scratch", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def kill(self, launched: Launched) -> None:
        """`docker kill`."""
        with suppress(CannotLaunch):
            self.ask("kill", launched.marks["name"])

    def delete(self, launched: Launched) -> None:
        """`docker rm --force`; it is gone already when its process has ended."""
        with suppress(CannotLaunch):
            self.ask("rm", "--force", launched.marks["name"])

    def sweep(self) -> None:
        """Remove what dead supervisors left."""
        names = self.ask("ps", "--all", "--filter", f"name=^{_PREFIX}-", "--format", "{{.Names}}").split()
        for name in self.delete_orphans(names):
            with suppress(CannotLaunch):
                self.ask("rm", "--force", name)


class Podman(Docker):
    """podman(1): the same words; rootless, its containers run as this user."""

    program = "podman"
    user_arguments = (
        Docker.user_arguments if os.getuid() == 0 else ("--userns=keep-id", *Docker.user_arguments)
    )


class Runc(Engine):
    """runc(8) alone: no daemon and no image, a root file system under the home. It wants root."""

    program = "runc"

    @cached_property
    def root(self) -> Path:
        """Where the root file system is."""
        return root_of(self.home)

    def check(self) -> None:
        """CannotLaunch without runc, or until the root has been built."""
        super().check()
        if not self.root.is_dir():
            raise CannotLaunch("For runc the root file system has not been built.")

    def build(self) -> str:
        """Build the root file system."""
        return str(build_root(self.home))

    def start(self, order: Order) -> Launched:
        """Write the bundle's configuration (OCI runtime specification 1.0) and run it."""
        name = f"{_PREFIX}-{os.getpid()}-{order.folder.name}"
        (order.folder / "config.json").write_text(json.dumps(self.configuration(name, order.heap_mb)))
        run = ["run", "--bundle", str(order.folder), "--pid-file", str(order.folder / "pid"), name]
        command = [*lifeline(), str(shutil.which("runc")), "--root", str(self.states), *run]
        return Launched(spawn(command), order.folder, marks={"name": name})

    @property
    def states(self) -> Path:
        """Where runc keeps what it knows of its containers."""
        return self.home / "runc"

    def configuration(self, name: str, heap_mb: int) -> dict[str, Any]:
        """The bundle's `config.json`."""
        tied = [SETPRIV, "--pdeathsig", "KILL", "--"] if setpriv() else []
        process = {
            "user": {"uid": _NOBODY, "gid": _NOBODY},
            # Deno's parent is runc itself, which dies with this thread: killing runc alone would leave it running.
            "args": [*tied, DENO, *deno_arguments(RUNNER_INSIDE, SCRATCH, heap_mb)],
            "env": [f"{variable}={value}" for variable, value in environment().items()],
            "cwd": SCRATCH,
            "noNewPrivileges": True,
            "capabilities": {},
            "rlimits": [
                {"type": limit, "soft": value, "hard": value}
                for limit, value in process_limits(heap_mb).items()
            ],
        }
        memory = (heap_mb + BESIDE_HEAP_MB) * 1_000_000
        scratch = ["nosuid", "nodev", "noexec", f"uid={_NOBODY}", "mode=0700", f"size={SCRATCH_BYTES}"]
        return {
            "ociVersion": "1.0.2",
            "process": process,
            "root": {"path": str(self.root), "readonly": True},
            "hostname": "lambda",
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": SCRATCH, "type": "tmpfs", "source": "tmpfs", "options": scratch},
            ],
            "linux": {
                "cgroupsPath": f"/{_PREFIX}/{name}",
                "resources": {
                    "memory": {"limit": memory},
                    "pids": {"limit": THREADS},
                    "devices": [{"allow": False, "access": "rwm"}],
                },
                "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
                "seccomp": {
                    "defaultAction": "SCMP_ACT_ALLOW",
                    "syscalls": [{"names": _REFUSED_CALLS, "action": "SCMP_ACT_ERRNO"}],
                },
                "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug"],
                "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
            },
        }

    def settle(self, launched: Launched) -> None:
        """From the pid file; the scratch directory is reached through the process's root (proc(5))."""
        launched.inner = read_pid(launched.folder / "pid")
        launched.scratch = os.open(
            f"/proc/{launched.inner}/root{SCRATCH}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        )

    def kill(self, launched: Launched) -> None:
        """`runc delete --force`."""
        self.delete(launched)

    def delete(self, launched: Launched) -> None:
        """Forget the container; runc has done so when it saw its end."""
        with suppress(CannotLaunch):
            self.ask("--root", str(self.states), "delete", "--force", launched.marks["name"])

    def sweep(self) -> None:
        """Delete what dead supervisors left: killing runc itself leaves its container running."""
        if self.states.is_dir():
            for name in self.delete_orphans([folder.name for folder in self.states.iterdir()]):
                with suppress(CannotLaunch):
                    self.ask("--root", str(self.states), "delete", "--force", name)


def read_pid(path: Path) -> int:
    """The process id that runc writes, at times after the process has said its first words. OSError when it never does."""
    deadline = time.monotonic() + 5
    while True:
        with suppress(FileNotFoundError, ValueError):
            return int(path.read_text())
        if time.monotonic() > deadline:
            raise FileNotFoundError(f"{path} was not written")
        time.sleep(0.001)


def _is_orphan(name: str) -> bool:
    parts = name.split("-")
    if len(parts) != 3 or parts[0] != _PREFIX or not parts[1].isdigit():
        return False
    return not Path(f"/proc/{parts[1]}").exists()
