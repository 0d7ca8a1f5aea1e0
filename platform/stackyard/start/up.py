"""`make up` after the environment: the stages, then the processes in the foreground, then what to open."""

from __future__ import annotations

import socket
import sys
import time

from django.conf import settings
from django.db import connections

from . import frontend, installation, words
from .environment import check_port
from .stages import Stages
from .supervisor import Program, Supervisor

# Every process of an installation; one more is one more line.
PROGRAMS = (
    Program("web", (sys.executable, "-m", "stackyard.start.web")),
    # Longer than its soft shutdown, which lets the runs in its hands end.
    Program(
        "worker",
        (sys.executable, "-m", "stackyard.start.worker"),
        stop_seconds=settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT + 5,
    ),
    Program("scheduler", (sys.executable, "-m", "stackyard.start.scheduler")),
)


def run_up(stages: Stages) -> int:
    """Make what is missing, serve until it is asked to stop; the status to exit with. Unready when it cannot."""
    check_port()
    with stages.stage("database") as stage:
        stage.note = installation.migrate()
    with stages.stage("tables") as stage:
        stage.note = installation.finish_changes()
    with stages.stage("owner") as stage:
        owner = installation.find_or_make_owner()
        stage.note = f"{'made' if owner.password else 'reused'} {owner.user.email}"
    with stages.stage("sample") as stage:
        stage.note = installation.make_sample(owner)
    with stages.stage("first key") as stage:
        key = installation.find_or_make_first_key(owner)
        stage.note = f"kept in {settings.HOME / 'first-key'}" if key else "none that is valid"
    with stages.stage("console") as stage:
        stage.note = f"{build_console(stages)}, {words.compile_all()}"
    # The processes have connections of their own.
    connections.close_all()
    began = time.monotonic()

    def on_ready() -> None:
        names = ", ".join(program.name for program in PROGRAMS)
        stages.done("server", f"{names}; {settings.WEB_PROCESSES} web workers", time.monotonic() - began)
        stages.table(what_to_open(owner, key))
        stages.say("Ctrl-C stops it.")

    return Supervisor(PROGRAMS, stages.say).run(web_answers, on_ready)


def build_console(stages: Stages) -> str:
    """Bundle the console's scripts; without them the console works as plain forms, so a failure stops nothing."""
    try:
        return frontend.build()
    except frontend.NotBuilt as reason:
        stages.say(f"! {reason} Pages work as plain forms until then; to build: {frontend.COMMAND}")
        return "scripts of an earlier build" if frontend.built_from() else "without scripts"


def what_to_open(owner: installation.Owner, key: str | None) -> list[tuple[str, str]]:
    """What is printed at the end: addresses, the login, the first key, and a line to paste."""
    base = f"{settings.PUBLIC_URL}/api:{installation.SAMPLE}"
    if owner.password is None:
        password = f"password as set (a new one: manage.py changepassword {owner.user.email})"
    elif settings.OWNER_PASSWORD:
        password = "password from STACKYARD_OWNER_PASSWORD"
    else:
        password = f"password {owner.password} (shown this once)"
    rows = [
        ("Console", f"{settings.PUBLIC_URL}/admin/"),
        ("Owner", f"{owner.user.email}  {password}"),
        ("API base", base),
    ]
    if key is None:
        make = f"manage.py apikey create --workspace {installation.SAMPLE} --name LABEL"
        return [*rows, ("API key", f"make one: .venv/bin/python {make}")]
    return [*rows, ("API key", key), ("Try", f"curl -H 'X-API-Key: {key}' {base}/customers/1")]


def web_answers() -> bool:
    """Whether the web server answers a request at all."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)
    try:
        with socket.create_connection((host, settings.PORT), timeout=0.5) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(5) == b"HTTP/"
    except OSError:
        return False
