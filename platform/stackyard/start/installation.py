"""What a start finds or makes: the databases' tables, the owner, the sample workspace, the first API key."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connections
from django.db.migrations.executor import MigrationExecutor

from auth.keys import create_key, find_key
from auth.models import User
from stackyard.core import files
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.core.secrets import write_private
from stackyard.tables.drift import find_drift, mend

from .environment import Unready

SAMPLE = "shop"


@dataclass(frozen=True)
class Owner:
    """The account that owns the installation. `password` is only there in the start that made it."""

    user: User
    password: str | None = None


def migrate() -> str:
    """Bring every database's tables up to date; says how much there was to do. Unready when one does not answer."""
    applied = 0
    # On PostgreSQL both aliases mean one database.
    for alias in ["default"] if settings.ON_POSTGRESQL else ["default", "history"]:
        try:
            executor = MigrationExecutor(connections[alias])
        except OperationalError as error:
            reason = str(error).strip().splitlines()[0]
            raise Unready(
                f"The database does not answer: {reason}.", "Start it, or mend DATABASE_URL; then again."
            ) from None
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            call_command("migrate", database=alias, verbosity=0, interactive=False)
        applied += len(plan)
    kind = "PostgreSQL" if settings.ON_POSTGRESQL else "SQLite"
    return f"{kind}, {applied} migrations applied" if applied else f"{kind}, up to date"


def finish_changes() -> str:
    """Take changes of tables that a killed process left half done to their end or back; says what else differs."""
    found = find_drift()
    ended = mend(found, only_unfinished=True)
    left = [one for one in found if one not in ended]
    said = [f"{len(ended)} unfinished changes ended"] if ended else []
    if left:
        said.append(f"{len(left)} differences from the catalogue: `manage.py drift` shows them")
    return ", ".join(said) or "as the catalogue says"


def find_or_make_owner() -> Owner:
    """The first owner account; when there is none it is made, with a generated password unless one is set."""
    user = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if user is not None:
        return Owner(user)
    password = settings.OWNER_PASSWORD or secrets.token_urlsafe(12)
    return Owner(User.objects.create_superuser(settings.OWNER_EMAIL, password), password)


def make_sample(owner: Owner) -> str:
    """Apply the sample workspace on the first start only, so that one that was deleted stays away."""
    marker = settings.HOME / "sample-made"
    there = Workspace.objects.filter(name=SAMPLE).exists()
    if there or marker.exists():
        marker.touch()
        return f"reused workspace {SAMPLE}" if there else "none (the sample was deleted)"
    plan = files.apply(settings.ROOT / "examples" / SAMPLE, author=owner.user)
    marker.touch()
    return f"made workspace {SAMPLE}: {plan}"


def find_or_make_first_key(owner: Owner) -> str | None:
    """The key kept in the home while it is valid; made when it was never made and the sample is there."""
    path = settings.HOME / "first-key"
    if path.exists():
        text = path.read_text().strip()
        return text if _is_valid(text) else None
    workspace = Workspace.objects.filter(name=SAMPLE).first()
    if workspace is None:
        return None
    _, text = create_key(workspace, "first key", created_by=owner.user)
    write_private(path, text + "\n")
    return text


def _is_valid(text: str) -> bool:
    try:
        return find_key(text) is not None
    except Problem:
        return False
