"""Ways to start the process that a lambda runs in (see `launcher`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stackyard.core.errors import Problem
from stackyard.core.kinds import load

from .launcher import CannotLaunch, Launched, Launcher, Order
from .trial import try_out

__all__ = ["CannotLaunch", "Launched", "Launcher", "Order", "choose", "survey"]


def choose(home: Path, forced: str = "", environment: Mapping[str, str] | None = None) -> Launcher:
    """The launcher to use: the one forced by name, else the best that starts a process here. `home` is a folder for what
    launchers keep. Problem `LAMBDA_FAILED` that says why when the forced one, or none, runs here."""
    reasons = []
    for launcher in _candidates(home, forced, environment or {}):
        try:
            try_out(launcher)
            return launcher
        except CannotLaunch as error:
            reasons.append(f"{launcher.name}: {error}")
    raise Problem("LAMBDA_FAILED", f"Lambdas can't run here. {' '.join(reasons)}")


def survey(home: Path, environment: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """Every launcher by name, best first, with why it does not run here, or an empty text."""
    found = {}
    for launcher in _candidates(home, "", environment or {}):
        try:
            try_out(launcher)
            found[launcher.name] = ""
        except CannotLaunch as error:
            found[launcher.name] = str(error)
    return found


def _candidates(home: Path, forced: str, environment: Mapping[str, str]) -> list[Launcher]:
    load(__name__)
    kinds = [Launcher.get(forced)] if forced else list(Launcher.all().values())
    return [kind(home, environment) for kind in sorted(kinds, key=lambda kind: -kind.rank)]
