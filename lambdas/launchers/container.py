"""Launcher `container`: Deno in a long-lived OCI container by docker, podman or runc, one for each slot."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from . import engines
from .launcher import ON_LINUX, CannotLaunch, Launched, Launcher, Order


class ContainerLauncher(Launcher):
    """Deno in a container that lives as long as its slot: no network, read-only root, no capabilities, limits on memory
    and processes. By docker or podman where the runner's image is there, or by runc where its root has been built."""

    name = "container"
    label = "Container"
    icon = "package"
    sentence = "Deno in an OCI container"
    rank = 3
    bounds_memory = True

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        super().__init__(home, environment)
        self._engine: engines.Engine | None = None

    def check(self) -> None:
        """CannotLaunch unless an engine is there that has the image."""
        self._engine = self._find()

    def launch(self, order: Order) -> Launched:
        """Start a container in the foreground of its engine's command line program."""
        engine = self._engine or self._find()
        self._engine = engine
        order.folder.mkdir(parents=True, mode=0o700)
        return engine.start(order)

    def settle(self, launched: Launched) -> None:
        """The engine knows the process id of the container's first process, which is Deno."""
        assert self._engine is not None
        self._engine.settle(launched)
        if launched.inner is not None:
            # By a handle, since its id may belong to another process once the engine has seen its end (pidfd_open(2)).
            launched.handle = os.pidfd_open(launched.inner)

    def kill(self, launched: Launched) -> None:
        """Kill the first process, and with it all of its namespace; killing the engine's program would leave it running."""
        if launched.handle is not None:
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(launched.handle, signal.SIGKILL)
                return
        assert self._engine is not None
        self._engine.kill(launched)
        super().kill(launched)

    def discard(self, launched: Launched) -> None:
        """Delete the container, then what every slot has."""
        assert self._engine is not None
        self._engine.delete(launched)
        super().discard(launched)

    def build(self) -> str:
        """Make the image for the first engine that can; what it is called. CannotLaunch when none can."""
        return self._first(lambda engine: engine.build())

    def _find(self) -> engines.Engine:
        found: list[engines.Engine] = []

        def look(engine: engines.Engine) -> str:
            engine.check()
            found.append(engine)
            return ""

        self._first(look)
        found[0].sweep()
        return found[0]

    def _first(self, deed: Callable[[engines.Engine], str]) -> str:
        if not ON_LINUX:
            raise CannotLaunch("The container launcher runs on Linux only.")
        reasons: list[str] = []
        for kind in (engines.Docker, engines.Podman, engines.Runc):
            engine = kind(self.home, self.environment)
            try:
                return deed(engine)
            except CannotLaunch as error:
                reasons.append(str(error))
        raise CannotLaunch(" ".join(reasons))
