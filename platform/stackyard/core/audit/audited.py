"""Audited: the one seam at which changes are noted. A model that is one cannot be saved or deleted without an entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from django.db import models, transaction
from django.db.models.signals import pre_delete
from django.utils import timezone

from ..errors import Problem
from ..jsonout import encode
from ..masking import Masker, masker_of
from ..secrets import MASK
from .actor import meaning, present
from .difference import Flat, bounded, difference

State = dict[str, Any]
AUDITED: list[type[Audited]] = []
"""Every audited model, as they are declared."""
_NEVER = frozenset({"id", "created_at", "updated_at", "created", "updated", "workspace"})
_DEEDS_OF = {"published": "publish", "revoked_at": "revoke", "accepted_at": "accept"}
"""Fields whose new value says what was done."""


class Audited(models.Model):
    """A model whose changes stand in the audit log.

    `audit_kind` is what people filter by. `audit_hidden` are the fields of which only a mask is stored, `audit_ignored` those
    that change by themselves, `audit_names` what a column is called there. A row with `hidden_at` counts as gone.
    """

    audit_kind: ClassVar[str] = ""
    audit_hidden: ClassVar[frozenset[str]] = frozenset()
    audit_ignored: ClassVar[frozenset[str]] = frozenset()
    audit_names: ClassVar[Mapping[str, str]] = {}

    class Meta:
        abstract = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.audit_kind:
            AUDITED.append(cls)
            pre_delete.connect(_note_end, sender=cls)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Django's, with an entry in the same transaction where anything that counts is different after it."""
        named = kwargs.get("update_fields")
        if not self.is_audited() or (named is not None and not set(named) - self.audit_ignored - _NEVER):
            super().save(*args, **kwargs)
            return
        with transaction.atomic():
            before = None if self._state.adding else _stored(self)
            super().save(*args, **kwargs)
            _note(self, before, _stored(self))

    def is_audited(self) -> bool:
        """Whether this row is one of those that people change."""
        return True

    def audit_name(self) -> str:
        """What the entry calls it."""
        return str(self)

    def audit_workspace(self) -> int | None:
        """The id of its workspace; None for what is the installation's."""
        return getattr(self, "workspace_id", None)

    def audit_secrets(self, before: State | None, after: State | None) -> frozenset[str]:
        """The fields of which only a mask is stored."""
        return self.audit_hidden


def kinds() -> list[str]:
    """What an entry can be about."""
    return sorted(model.audit_kind for model in AUDITED)


def _stored(thing: Audited) -> State | None:
    """What the database holds of a row, as JSON; None where it holds none."""
    names = [
        field.attname
        for field in thing._meta.concrete_fields
        if field.name not in _NEVER and field.name not in thing.audit_ignored
    ]
    row = type(thing)._base_manager.filter(pk=thing.pk).values(*names).first()
    return orjson.loads(encode(row)) if row is not None else None


def _note_end(instance: Audited, **_: Any) -> None:
    if instance.is_audited():
        _note(instance, _stored(instance), None)


def _note(thing: Audited, before: State | None, after: State | None) -> None:
    """One entry, if anything is different."""
    from .models import AuditEntry

    is_new = before is None
    secret = thing.audit_secrets(before, after)
    shown, wanted = _in_sight(before), _in_sight(after)
    if shown is None or wanted is None:
        old, new = dict(shown or {}), dict(wanted or {})
    else:
        old, new = difference(shown, wanted)
    if not old and not new:
        return
    workspace_id = thing.audit_workspace()
    actor = present()
    AuditEntry(
        at=timezone.now(),
        workspace_id=workspace_id,
        workspace_name=_name_of(workspace_id),
        kind=thing.audit_kind,
        object_id=thing.pk,
        name=thing.audit_name()[:200],
        deed=_deed(shown, wanted, new, is_new),
        who=actor.who[:200],
        account_id=actor.account_id,
        source=actor.source,
        address=actor.address[:64],
        before=_told(thing, old, secret, workspace_id) if shown is not None else None,
        after=_told(thing, new, secret, workspace_id) if wanted is not None else None,
    ).save()


def _in_sight(state: State | None) -> State | None:
    return None if state is None or state.get("hidden_at") else state


def _deed(before: State | None, after: State | None, new: Flat, is_new: bool) -> str:
    if after is None:
        return "delete"
    if before is None:
        return "create" if is_new else "restore"
    for field, deed in _DEEDS_OF.items():
        if new.get(field) or new.get(f"{field}_id"):
            return deed
    return meaning() or "change"


def _told(thing: Audited, flat: Flat, secret: frozenset[str], workspace_id: int | None) -> Flat:
    """The values as they are stored: secrets masked by field and by value, others named, long ones cut."""
    said: Flat = {}
    for place, value in flat.items():
        column, dot, rest = place.partition(".")
        field = thing._meta.get_field(column.removesuffix("_id") if _is_key(thing, column) else column)
        name = thing.audit_names.get(field.name, field.name)
        if field.name in secret:
            said[name] = MASK if value else value
        elif isinstance(field, models.ForeignKey):
            said[name] = _named(field, value)
        else:
            said[name + dot + rest] = value
    if workspace_id is not None:
        said = _masker(workspace_id).hide_in(said)
    return bounded(said)


def _masker(workspace_id: int) -> Masker:
    try:
        return masker_of(workspace_id)
    except Problem:
        # The keys of the home do not open its secrets: nobody knows them, and the change is not stopped.
        return Masker(())


def _is_key(thing: Audited, column: str) -> bool:
    return any(field.attname == column and field.name != column for field in thing._meta.concrete_fields)


def _named(field: models.ForeignKey[Any, Any], value: Any) -> Any:
    """What a foreign key leads to, in words."""
    if value is None:
        return None
    found = field.related_model._base_manager.filter(pk=value).first()
    return str(found) if found is not None else value


def _name_of(workspace_id: int | None) -> str:
    from ..models import Workspace

    if workspace_id is None:
        return ""
    found = Workspace.objects.filter(pk=workspace_id).values_list("name", flat=True).first()
    return found or ""
