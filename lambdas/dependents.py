"""Which lambdas would stop being started when a table or another lambda goes away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.dispatch import receiver

from stackyard.core.errors import Detail, Faults, did_you_mean
from stackyard.core.models import Workspace
from stackyard.stacks.dependents import documents_of
from stackyard.tables.narrowing import ask, narrowed
from stackyard.tables.readers import Reader, read_by, readers_asked
from stackyard.tables.schema import fresh_schema

from .models import Lambda, Trigger


def ask_users(workspace_id: int, name: str) -> None:
    """A lambda's name is given up: stacks that run it and lambdas that follow it are asked. Problem `CONFLICT`."""
    followers = Trigger.objects.filter(workspace_id=workspace_id, kind="after", key=name)
    names = followers.order_by("target__name").values_list("target__name", flat=True).distinct()
    message = f'It follows the lambda "{name}".'
    ask(
        workspace_id,
        name,
        also=[Detail(f"lambda {follower}", "unknown_lambda", message) for follower in names],
    )


def warn_of_strangers(document: Mapping[str, Any], faults: Faults, known: Iterable[str]) -> None:
    """A warning for each lambda that is followed and not there: it may be made later, or its name be misspelt."""
    names = [*known]
    for number, leader in leaders_of(document):
        if leader not in names:
            path = ("triggers", number, "after", "lambda")
            message = f'There is no lambda "{leader}" yet; until there is, this starts nothing.'
            faults.warning(path, "unknown_lambda", f"{message}{did_you_mean(leader, names)}")


def leaders_of(document: Mapping[str, Any]) -> list[tuple[int, str]]:
    """The lambdas that a document's triggers follow, each with the trigger's number; broken triggers are left out."""
    found = []
    triggers = document.get("triggers")
    for number, trigger in enumerate(triggers if isinstance(triggers, list) else []):
        spec = trigger.get("after") if isinstance(trigger, Mapping) else None
        if isinstance(spec, Mapping) and isinstance(spec.get("lambda"), str):
            found.append((number, spec["lambda"]))
    return found


def names_in(workspace: Workspace) -> list[str]:
    """The workspace's lambdas."""
    return list(workspace.lambdas.values_list("name", flat=True))


@receiver(narrowed)
def _triggers_first(workspace_id: int, names: Sequence[str], **_: Any) -> list[Detail]:
    rows = Trigger.objects.filter(workspace_id=workspace_id, kind="record").select_related("target")
    watching = [row for row in rows if row.spec.get("table") in names]
    if not watching:
        return []
    # A renamed table keeps its id, and its triggers.
    kept = {str(table.id) for table in fresh_schema(workspace_id).tables.values()}
    return [
        Detail(f"lambda {row.target.name}", "unknown_table", f'It runs when "{row.spec["table"]}" changes.')
        for row in watching
        if row.key not in kept
    ]


@receiver(readers_asked)
def _lambdas_that_read(workspace_id: int, table: str, field: str, **_: Any) -> list[Reader]:
    rows = Lambda.objects.filter(workspace_id=workspace_id).select_related("published")
    return [
        reader
        for row in rows
        for reader in read_by("lambda", row.pk, row.name, documents_of(row), table, field)
    ]
