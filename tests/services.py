"""The servers that tests need: found on this machine, started on free ports, gone at the end. Standard library only."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 30


def free_port() -> int:
    """A TCP port of the loopback address that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's own programs: on the PATH, or the newest of Debian's."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    return Path(max(found, key=lambda path: int(Path(path).parts[-3]))).parent if found else None


def find_redis() -> str | None:
    """The path of redis-server."""
    return shutil.which("redis-server")


def unprivileged() -> str | None:
    """Whom to run PostgreSQL as: it refuses root."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def running(
    command: list[str],
    is_ready: Callable[[], bool],
    user: str | None = None,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[None]:
    """Run a server until the block ends. RuntimeError with its output when it does not become ready."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, user=user, cwd="/")
        try:
            deadline = time.monotonic() + START_SECONDS
            while not is_ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    output.seek(0)
                    raise RuntimeError(f"{command[0]} did not start:\n{output.read()[-2000:]}")
                time.sleep(0.05)
            yield
        finally:
            process.send_signal(stop)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
    except OSError:
        return False
    return True


@contextmanager
def postgres(programs: Path) -> Iterator[str]:
    """A throw-away PostgreSQL cluster; yields its URL. It trusts the loopback address and keeps nothing safe."""
    user = unprivileged()
    with tempfile.TemporaryDirectory(prefix="stackyard-postgres-", ignore_cleanup_errors=True) as folder:
        if user:
            shutil.chown(folder, user)
        data, port = f"{folder}/data", free_port()
        initdb = [f"{programs}/initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8"]
        made = subprocess.run(
            [*initdb, "--locale=C.UTF-8", "--no-sync"], user=user, cwd="/", capture_output=True, text=True
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{made.stdout}{made.stderr}")
        quick = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200"]
        settings = [part for setting in quick for part in ("-c", setting)]
        # SIGINT is its fast stop: SIGTERM would wait for clients.
        command = [f"{programs}/postgres", "-D", data, "-p", str(port), "-k", folder]
        command += ["-c", "listen_addresses=127.0.0.1", *settings]
        # It listens before it lets anyone in, and says so to this program of its own.
        asked = [f"{programs}/pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(port)]
        with running(command, lambda: subprocess.run(asked).returncode == 0, user, signal.SIGINT):
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"


@contextmanager
def redis(program: str) -> Iterator[str]:
    """A Redis server that stores nothing; yields its URL."""
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with running(command, lambda: _answers(port)):
        yield f"redis://127.0.0.1:{port}/0"
