"""Ways to start the process that a lambda runs in (see `launcher`)."""

from __future__ import annotations

from stackyard.core.kinds import load

from .launcher import CannotLaunch, Launcher

__all__ = ["CannotLaunch", "Launcher", "choose"]


def choose(forced: str = "") -> Launcher:
    """The launcher to use: the one that is forced by name, else the best that runs here."""
    load(__name__)
    return Launcher.get(forced or "process")()
