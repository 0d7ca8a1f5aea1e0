"""Who is at work: set by each door (console, management API, command, run), read where a change is noted."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ..principal import Principal

CONSOLE, API, COMMAND, RUN, SYSTEM = "console", "api", "command", "run", "system"
SOURCES = (CONSOLE, API, COMMAND, RUN, SYSTEM)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something: as people read it, the account where it is one, through which door, from which address."""

    who: str
    source: str
    account_id: int | None = None
    address: str = ""


NOBODY = Actor("", SYSTEM)
_actor: ContextVar[Actor] = ContextVar("actor", default=NOBODY)
_meaning: ContextVar[str] = ContextVar("meaning", default="")


def present() -> Actor:
    """Who is at work in this thread or task; `NOBODY` is the installation by itself."""
    return _actor.get()


def become(actor: Actor) -> None:
    """From here on it is this one, until an `acting` around it ends."""
    _actor.set(actor)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """What is changed within is this one's deed."""
    before = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(before)


def meaning() -> str:
    """What a change is called that cannot be told from before and after; else empty."""
    return _meaning.get()


@contextmanager
def meant_as(deed: str) -> Iterator[None]:
    """Changes within are this deed, such as `restore`."""
    before = _meaning.set(deed)
    try:
        yield
    finally:
        _meaning.reset(before)


def of_principal(principal: Principal, source: str, address: str = "") -> Actor:
    """A caller as an actor."""
    account = principal.id if principal.kind == "builder" and isinstance(principal.id, int) else None
    name = principal.label or principal.kind
    return Actor(f"API key {name}" if principal.kind == "api_key" else name, source, account, address)


@contextmanager
def as_command(argv: Sequence[str]) -> Iterator[None]:
    """What a command line changes within is the deed of whoever runs it on the machine."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = ""  # a container may run under a number that has no name
    command = " ".join(["manage.py", *argv[1:2]])
    with acting(Actor(f"{user} ({command})".strip(), COMMAND)):
        yield


def of_run(principal: Any) -> Actor:
    """Whoever a durable run was accepted for (`Run.principal`)."""
    said: Mapping[str, Any] = principal if isinstance(principal, Mapping) else {}
    account = said.get("id") if said.get("kind") == "builder" else None
    return Actor(
        str(said.get("label") or said.get("kind") or ""), RUN, account if isinstance(account, int) else None
    )
