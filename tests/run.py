"""Every test on every database found here: `make test` after its set-up. Arguments go to pytest.

Two sessions run at once: all tests on SQLite, and on PostgreSQL those that touch a database; the
files with a browser are divided between them. Each is shared out by file to two processes: many tests wait for a browser, a server or a time limit, and
one process would leave a third of two cores idle. The first session's output is shown as it comes,
the second one's whole, after it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests import services

ROOT = Path(__file__).resolve().parents[1]
SHARING = ["--numprocesses=2", "--dist=loadfile", "--no-loadscope-reorder"]
STRICT = os.environ.get("STACKYARD_REQUIRE_SERVICES") == "1"


def main() -> int:
    """Start the services, run the sessions, say how each ended. 0 when all passed."""
    # So that the services end with it, whoever ends it.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with ExitStack() as stack:
        environment = dict(os.environ)
        environment.pop("DATABASE_URL", None)
        environment.pop("REDIS_URL", None)
        redis = services.find_redis()
        if redis:
            environment["STACKYARD_TEST_REDIS_URL"] = stack.enter_context(services.redis(redis))
        programs = services.find_postgres()
        postgres = stack.enter_context(services.postgres(programs)) if programs else None
        announce(redis is not None, postgres is not None)
        build_console()
        return report(run_sessions(environment, postgres))


def announce(redis: bool, postgres: bool) -> None:
    """One line a service: found, or what its absence means."""
    consequence = (
        "failures, as STACKYARD_REQUIRE_SERVICES=1 asks" if STRICT else "tests that need it are skipped"
    )
    for name, found in (("postgres", postgres), ("redis-server", redis)):
        print(f"  {name}: {'started' if found else f'not installed; {consequence}'}", flush=True)


def build_console() -> None:
    """The console's scripts, here where the npm registry can still be asked; without them browser tests are skipped."""
    subprocess.run([sys.executable, "manage.py", "build_console", "--check-types"], cwd=ROOT)


def run_sessions(environment: dict[str, str], postgres: str | None) -> dict[str, int]:
    """Run both sessions at once; session name → exit status of pytest."""
    second = None
    if postgres:
        output = tempfile.TemporaryFile()  # noqa: SIM115 (read after the first session has ended)
        environment["STACKYARD_TEST_BROWSERS"] = "first"
        only = {"STACKYARD_TEST_DATABASE_ONLY": "1", "STACKYARD_TEST_BROWSERS": "second"}
        second = start({**environment, "DATABASE_URL": postgres, **only}, output)
    print("\nSession: SQLite", flush=True)
    try:
        ends = {"SQLite": start(environment).wait()}
        if second:
            ends["PostgreSQL"] = second.wait()
            print("\nSession: PostgreSQL", flush=True)
            output.seek(0)
            sys.stdout.buffer.write(output.read())
            sys.stdout.flush()
        elif STRICT:
            ends["PostgreSQL"] = 1
    finally:
        if second and second.poll() is None:
            second.terminate()
            second.wait()
    return ends


def start(environment: dict[str, str], output: object = None) -> subprocess.Popen[bytes]:
    """One pytest process over the suite, or over what the arguments name."""
    colour = ["--color=yes"] if sys.stdout.isatty() else []
    command = [sys.executable, "-m", "pytest", *colour, *SHARING, *sys.argv[1:]]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)


def report(ends: dict[str, int]) -> int:
    """Print how each session ended; the status to exit with. A session whose selection was empty (5) has not failed."""
    failed = [name for name, status in ends.items() if status not in (0, 5)]
    nothing_ran = all(status == 5 for status in ends.values())
    print()
    for name in ends:
        print(f"  {name}: {'FAILED' if name in failed else 'passed'}")
    return 1 if failed or nothing_ran else 0


if __name__ == "__main__":
    sys.exit(main())
