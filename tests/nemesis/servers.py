"""A Redis and a PostgreSQL that can be hurt: killed, frozen, made deaf, restarted as after a crash."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import services

from .processes import freeze

_START_SECONDS = 30
KILL, TERM = signal.SIGKILL, signal.SIGTERM


class Redis:
    """A redis-server that stores nothing."""

    def __init__(self, program: str) -> None:
        self._program, self.port = program, services.free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What goes into REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen([*command, "--appendonly", "no"], stdout=subprocess.DEVNULL, cwd="/")
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=0.5).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("redis-server did not start")

    def kill(self) -> None:
        """kill -9: all it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def kill_and_restart(self, seconds: float) -> None:
        """Away for a while, and empty afterwards."""
        self.kill()
        time.sleep(seconds)
        self.start()

    def freeze(self, seconds: float) -> None:
        """Connections stay and nothing answers; afterwards all goes on."""
        assert self._process is not None
        freeze(self._process.pid, seconds)

    def black_hole(self, seconds: float) -> None:
        """In its place a listener that accepts and never answers; afterwards an empty Redis."""
        self.kill()
        held: list[socket.socket] = []
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.port))
            listener.listen(128)
            listener.settimeout(0.1)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                try:
                    held.append(listener.accept()[0])
                except TimeoutError:
                    continue
        for connection in held:
            connection.close()
        self.start()


class Postgres:
    """A throw-away cluster whose commits survive its processes (not a power cut)."""

    def __init__(self, programs: Path, folder: str) -> None:
        self._programs, self._data, self.port = programs, f"{folder}/data", services.free_port()
        self._user = services.unprivileged()
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": folder,
            "fsync": "off",
            "synchronous_commit": "on",
            "max_connections": "100",
        }
        with open(f"{self._data}/postgresql.conf", "a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    @property
    def url(self) -> str:
        """What goes into DATABASE_URL."""
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it and wait until it lets people in."""
        self._run("pg_ctl", "-w", "-l", f"{self._data}/log", "start")

    def restart_as_after_a_crash(self) -> None:
        """Every backend is quit at once; the next start goes through recovery."""
        self._run("pg_ctl", "-w", "-m", "immediate", "-l", f"{self._data}/log", "restart")

    def stop(self) -> None:
        """Stop it at once."""
        self._run("pg_ctl", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [f"{self._programs}/{program}", "-D", self._data, *arguments]
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(command, user=self._user, cwd="/", stdout=output, stderr=output)
            if done.returncode:
                output.seek(0)
                raise RuntimeError(f"{program} failed:\n{output.read()[-2000:]}")


@contextmanager
def redis(program: str) -> Iterator[Redis]:
    """A Redis until the block ends."""
    server = Redis(program)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def postgres(programs: Path) -> Iterator[Postgres]:
    """A PostgreSQL until the block ends."""
    with tempfile.TemporaryDirectory(prefix="stackyard-nemesis-", ignore_cleanup_errors=True) as folder:
        server = Postgres(programs, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
