"""What knowing the caller costs: processor time that a key, a JWT and an OAuth token add to a call, cached and not.

Run by `make bench ARGS="--only access"` as a process of its own with an empty home: `python -m benchmarks.access`
prints microseconds as JSON. The difference is taken inside one process, against the same call of a public endpoint.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

CALLS, ROUNDS = 2000, 9
GOALS = {"key": 30.0, "jwt": 80.0, "oauth": 60.0}


def main() -> None:
    """Measure, and print `{"key": {"cached": µs, "uncached": µs}, …}`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stackyard.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("migrate", database="history", verbosity=0)
    print(json.dumps(measured(_bearers())))


def _bearers() -> dict[str, tuple[int, str]]:
    from oauth2_provider.models import set_token_value

    from auth.families import sign_in
    from auth.keys import create_key
    from auth.oauth.applications import register
    from auth.oauth.models import AccessToken
    from auth.oauth.validator import new_access_token
    from auth.tokens import Holder
    from stackyard.core.workspaces import create_workspace
    from stackyard.tables.changes import create_table

    workspace = create_workspace("shop")
    fields = {"email": {"type": "email", "unique": True}, "password": "password"}
    table = create_table(workspace, "members", fields=fields)
    holder = Holder(workspace.pk, table.pk, 1)
    pair = sign_in(holder, {})
    from auth.families import account_of

    application, _ = register(workspace, "Partner", ["shop"], ["https://a.example/b"])
    text = new_access_token(None)
    token = AccessToken(
        user=account_of(holder),
        application=application,
        scope="shop:read",
        expires=datetime.now(UTC) + timedelta(hours=1),
    )
    set_token_value(token, text)
    token.save()
    key = create_key(workspace, "bench")[1]
    return {"key": (workspace.pk, key), "jwt": (workspace.pk, pair.access), "oauth": (workspace.pk, text)}


def measured(bearers: dict[str, tuple[int, str]]) -> dict[str, dict[str, float]]:
    """Microseconds of each way, the median of the rounds."""
    from auth import holders, keys
    from auth.callers import Callers
    from auth.oauth import issued
    from stackyard.core import version

    names = {"key": "api_key", "jwt": "jwt", "oauth": "oauth2"}
    held: dict[str, Any] = {"key": keys._found, "jwt": holders._held, "oauth": issued._found}
    found = {}
    for what, (workspace_id, text) in bearers.items():
        callers, public = Callers([names[what]]), Callers(["public"])
        environ = {"HTTP_AUTHORIZATION": f"Bearer {text}", "REMOTE_ADDR": "127.0.0.1"}

        def asks(who: Callers = callers, environ: dict[str, str] = environ, of: int = workspace_id) -> None:
            who.identify(environ, of, "shop", "who", True)

        def asks_nobody(who: Callers = public, of: int = workspace_id) -> None:
            who.identify({}, of, "shop", "who", True)

        def asks_afresh(cache: Any = held[what], ask: Callable[[], None] = asks) -> None:
            cache.get().clear()
            ask()

        version.pin()
        nothing = _microseconds(asks_nobody, CALLS)
        found[what] = {
            "cached": _microseconds(asks, CALLS) - nothing,
            "uncached": _microseconds(asks_afresh, CALLS // 10) - nothing,
        }
        version.unpin()
    return found


def _microseconds(deed: Callable[[], None], calls: int) -> float:
    deed()
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(calls):
            deed()
        rounds.append((time.process_time() - began) / calls * 1e6)
    return median(rounds)


if __name__ == "__main__":
    main()
