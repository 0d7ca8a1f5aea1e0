"""Drafts and revisions: saving never loses anything, publishing refuses faults and leaves an immutable revision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Max, QuerySet

from stackyard.core import version
from stackyard.core.audit.actor import meant_as
from stackyard.core.errors import Fault, Faults, Problem
from stackyard.core.models import Workspace
from stackyard.tables.narrowing import ask

from .catalogue import load_catalogue
from .check import Checked, check_document
from .document import FUNCTION_KEYS, empty_document, with_ids
from .models import Function, Revision, name_validator


class Owner(Protocol):
    """What has a draft and revisions: a Function or an Endpoint."""

    pk: int
    name: str
    draft: dict[str, Any]
    published: Revision | None

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Django's."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """How one kind of owner is published.

    `check` reports all faults (`with_scopes=True`: and the names in sight at each line); `switch` writes the published columns; `is_called` says that stacks call it.
    """

    kind: str
    workspace: Callable[[Any], Workspace]
    check: Callable[..., Checked]
    switch: Callable[[Any, dict[str, Any]], None]
    is_called: bool = False


def check_function(function: Function, document: dict[str, Any], *, with_scopes: bool = False) -> Checked:
    """Everything wrong with a function's document, as its workspace is now."""
    checked = check_document(
        document, load_catalogue(function.workspace), extra_keys=FUNCTION_KEYS, with_scopes=with_scopes
    )
    name = document.get("name", function.name)
    faults = Faults()
    if not isinstance(name, str) or not name_validator.regex.search(name):  # type: ignore[union-attr]
        faults.error(("name",), "name", str(name_validator.message))
    elif Function.objects.filter(workspace=function.workspace, name=name).exclude(pk=function.pk).exists():
        faults.error(("name",), "doubled_name", f'There is another function "{name}".')
    return replace(checked, faults=[*faults.found, *checked.faults])


def _switch_function(function: Function, document: dict[str, Any]) -> None:
    function.name = document.get("name", function.name)
    function.description = str(document.get("description") or "")


FUNCTIONS = Ownership(
    "function", lambda function: function.workspace, check_function, _switch_function, is_called=True
)


def create_function(workspace: Workspace, document: Mapping[str, Any], author: Any = None) -> Function:
    """A function with a first draft, not published yet. Problem 400/409 for a name that cannot be given."""
    name = document.get("name")
    if not isinstance(name, str) or not name_validator.regex.search(name):  # type: ignore[union-attr]
        raise Problem("INVALID_INPUT", f"name: {name_validator.message}")
    if Function.objects.filter(workspace=workspace, name=name).exists():
        raise Problem("CONFLICT", f'There is another function "{name}" in this workspace.')
    draft = with_ids({**empty_document(), **document})
    description = str(document.get("description") or "")
    return Function.objects.create(workspace=workspace, name=name, description=description, draft=draft)


def delete_function(function: Function) -> None:
    """Take a function away. Problem `CONFLICT` while something published calls it."""
    with transaction.atomic():
        Revision.objects.filter(owner_kind="function", owner_id=function.pk).delete()
        function.delete()
        version.bump(function.workspace_id)
        ask(function.workspace_id, function.name)


def save_draft(
    owner: Any, document: dict[str, Any], author: Any = None, ownership: Ownership = FUNCTIONS
) -> list[Fault]:
    """Keep a draft as it is, faults and all; the faults are returned."""
    owner.draft = with_ids(document)
    owner.save(update_fields=["draft", "updated_at"])
    return ownership.check(owner, owner.draft).faults


def publish(owner: Any, author: Any = None, message: str = "", ownership: Ownership = FUNCTIONS) -> Revision:
    """Make the draft what runs. Problem 400 with every fault when it has any; the draft equal to what runs makes no revision."""
    with transaction.atomic():
        draft = owner.draft
        checked = ownership.check(owner, draft)
        Faults(checked.faults).raise_errors()
        if owner.published is not None and owner.published.document == draft:
            return owner.published  # type: ignore[no-any-return]
        workspace = ownership.workspace(owner)
        before = owner.name
        revision = Revision.objects.create(
            workspace=workspace,
            owner_kind=ownership.kind,
            owner_id=owner.pk,
            number=next_number(ownership.kind, owner.pk),
            document=draft,
            message=message[:200],
            author=author,
        )
        owner.published = revision
        ownership.switch(owner, draft)
        owner.save()
        version.bump(workspace.pk)
        if ownership.is_called and revision.number > 1:
            # Whoever calls it must still fit its name, inputs and response.
            ask(workspace.pk, before)
    return revision


def next_number(kind: str, owner_id: int) -> int:
    """The number of the next revision, from 1."""
    found = Revision.objects.filter(owner_kind=kind, owner_id=owner_id).aggregate(last=Max("number"))
    return int(found["last"] or 0) + 1


def revisions(owner: Any, ownership: Ownership = FUNCTIONS) -> QuerySet[Revision]:
    """The revisions of an owner, newest first."""
    return Revision.objects.filter(owner_kind=ownership.kind, owner_id=owner.pk)


def restore(
    owner: Any, revision: Revision, author: Any = None, ownership: Ownership = FUNCTIONS
) -> list[Fault]:
    """Make an old revision the draft; it runs once that is published."""
    if revision.owner_kind != ownership.kind or revision.owner_id != owner.pk:
        raise Problem("NOT_FOUND", "This revision belongs to something else.")
    with meant_as("restore"):
        return save_draft(owner, revision.document, author, ownership)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference of two documents. `what` is added, removed or changed; values are JSON."""

    what: str
    path: tuple[str | int, ...]
    old: Any = None
    new: Any = None


def compare(old: Any, new: Any, path: tuple[str | int, ...] = ()) -> list[Change]:
    """What changed between two documents; lines are matched by id, everything else by key and place."""
    if isinstance(old, dict) and isinstance(new, dict):
        return _compare_maps(old, new, path)
    if _are_lines(old) and _are_lines(new):
        by_id = {line["id"]: line for line in old}
        new_by_id = {line["id"]: line for line in new}
        return _compare_maps(by_id, new_by_id, path)
    if old == new and type(old) is type(new):
        return []
    return [Change("changed", path, old, new)]


def _compare_maps(
    old: Mapping[str, Any], new: Mapping[str, Any], path: tuple[str | int, ...]
) -> list[Change]:
    made = [Change("removed", (*path, key), old=old[key]) for key in old if key not in new]
    for key, value in new.items():
        if key in old:
            made.extend(compare(old[key], value, (*path, key)))
        else:
            made.append(Change("added", (*path, key), new=value))
    return made


def _are_lines(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_line(part) for part in value)


def _is_line(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("id"), str) and value["id"] != ""
