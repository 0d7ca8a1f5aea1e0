"""The audit log in the management API: filtered, newest first, paged by cursor; nothing can be written to it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ..limits import PAGE_RECORDS
from ..masking import masker_of
from ..meta.serializers import Moment, StrictSerializer
from ..meta.views import MetaViewSet, find, route
from .actor import SOURCES
from .audited import kinds
from .models import DEEDS, AuditEntry
from .search import FILTERS, entries


class AuditQuery(StrictSerializer):
    """Which changes. All conditions must hold."""

    who = serializers.CharField(
        required=False, max_length=200, help_text="A person's address, or a key's name."
    )
    kind = serializers.ChoiceField(choices=kinds(), required=False)
    deed = serializers.ChoiceField(choices=list(DEEDS), required=False)
    source = serializers.ChoiceField(choices=SOURCES, required=False)  # type: ignore[assignment]
    object_id = serializers.IntegerField(required=False, min_value=1, max_value=2**62)
    since = Moment(required=False)
    until = Moment(required=False)
    per_page = serializers.IntegerField(min_value=1, max_value=PAGE_RECORDS.maximum, default=20)
    cursor = serializers.IntegerField(
        required=False, min_value=1, max_value=2**62, help_text="`nextCursor` of the page before."
    )


class AuditSerializer(serializers.Serializer[Any]):
    """One change. `before` and `after` map places (`draft.lines.2.args`) to values; null where there was or is nothing."""

    id = serializers.IntegerField()
    at = Moment()
    who = serializers.CharField()
    source = serializers.ChoiceField(choices=SOURCES)  # type: ignore[assignment]
    address = serializers.CharField()
    deed = serializers.ChoiceField(choices=list(DEEDS))
    kind = serializers.CharField()
    object_id = serializers.IntegerField()
    name = serializers.CharField()
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)

    def to_representation(self, instance: AuditEntry) -> dict[str, Any]:
        """The entry; what has become a secret since is a mask."""
        said = super().to_representation(instance)
        hide = masker_of(instance.workspace_id or 0).hide_in
        return {**said, "before": hide(said["before"]), "after": hide(said["after"])}


class AuditPageSerializer(serializers.Serializer[Any]):
    """A page of the audit log; `nextCursor` is null at its end."""

    itemsReceived = serializers.IntegerField()
    perPage = serializers.IntegerField()
    nextCursor = serializers.IntegerField(allow_null=True)
    items = AuditSerializer(many=True)


class AuditViewSet(MetaViewSet):
    """What was changed in the workspace, by whom, when and from where. For owners, and keys with the scope meta."""

    noun, tag, model = "audit entry", "audit log", AuditEntry
    owners_only = frozenset({"list", "retrieve"})
    shows = AuditSerializer
    answers = {"list": AuditPageSerializer}
    queries = {"list": AuditQuery}
    pages = frozenset()

    def list(self, request: Request, workspace: str) -> Response:
        """List changes, newest first."""
        asked = {name: self.query[name] for name in FILTERS if name in self.query}
        found = entries(self.workspace().pk, **asked)
        if "cursor" in self.query:
            found = found.filter(pk__lt=self.query["cursor"])
        size = self.query["per_page"]
        rows = list(found[: size + 1])
        return Response(
            {
                "itemsReceived": len(rows[:size]),
                "perPage": size,
                "nextCursor": rows[size - 1].pk if len(rows) > size else None,
                "items": [AuditSerializer(row).data for row in rows[:size]],
            }
        )

    def retrieve(self, request: Request, workspace: str, entry: int) -> Response:
        """Show one change."""
        return self.shown(find(entries(self.workspace().pk), "audit entry", pk=entry))


_AUDIT = "workspaces/<str:workspace>/audit"

urlpatterns = [
    route(_AUDIT, AuditViewSet, get="list"),
    route(f"{_AUDIT}/<int:entry>", AuditViewSet, get="retrieve"),
]
