"""Drafts and revisions in the management API: the deeds that functions and endpoints share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.data_source import LIVE, SOURCES
from stackyard.core.errors import Detail, Fault, Faults, invalid_input
from stackyard.core.meta.bodies import read_json
from stackyard.core.meta.lists import PageQuery
from stackyard.core.meta.serializers import AnyJSON, Flag, StrictModelSerializer, StrictSerializer, Text
from stackyard.core.meta.views import MetaViewSet, find
from stackyard.core.request_id import request_id_of

from .document import empty_document
from .execution import RequestFacts
from .models import Revision
from .publishing import Ownership, compare, revisions
from .spelling import from_spelling, to_spelling
from .trial import try_document


class DocumentSerializer(serializers.Serializer[Any]):
    """A stack's document: canonical with `lines`, or as files spell it, with `stack`."""

    format = serializers.IntegerField(required=False, help_text="1")
    name = serializers.CharField(required=False)
    description = serializers.CharField(required=False)
    inputs = serializers.DictField(required=False, help_text="Name → type and options.")
    lines = serializers.ListField(child=serializers.DictField(), required=False)
    stack = serializers.ListField(child=serializers.DictField(), required=False)
    response = AnyJSON(required=False)


class FaultSerializer(serializers.Serializer[Any]):
    """What the check found. `level` is `error` (blocks publishing) or `warning`."""

    path = serializers.ListField(help_text="Keys and indexes through the canonical document.")
    code = serializers.CharField()
    message = serializers.CharField()
    suggestion = serializers.CharField(allow_null=True)
    line_id = serializers.CharField(allow_null=True)
    line = serializers.IntegerField(allow_null=True, help_text="Of a lambda's code, from 1.")
    column = serializers.IntegerField(allow_null=True)
    level = serializers.CharField()


class FaultsSerializer(serializers.Serializer[Any]):
    """Everything the check found."""

    faults = FaultSerializer(many=True)


class DraftSerializer(serializers.Serializer[Any]):
    """The draft, and whether it differs from what is published."""

    document = AnyJSON()
    has_changes = serializers.BooleanField()
    faults = FaultSerializer(many=True)


class DraftQuery(StrictSerializer):
    """How the document is written."""

    form = serializers.ChoiceField(
        choices=["canonical", "spelled"], default="canonical", help_text="`spelled` is the form of files."
    )


class PublishSerializer(StrictSerializer):
    """A word about the change."""

    message = Text(max_length=200, required=False, allow_blank=True, default="")


class RevisionSerializer(StrictModelSerializer):
    """A published document, for good."""

    author = serializers.CharField(allow_null=True, help_text="E-mail; null when a key or a file did it.")

    class Meta:
        model = Revision
        fields = ["number", "message", "author", "created_at"]

    def to_representation(self, instance: Revision) -> dict[str, Any]:
        """The revision without its document."""
        return {
            "number": instance.number,
            "message": instance.message,
            "author": str(instance.author) if instance.author is not None else None,
            "created_at": instance.created_at,
        }


class WholeRevisionSerializer(RevisionSerializer):
    """A published document with its text."""

    document = AnyJSON()

    class Meta(RevisionSerializer.Meta):
        fields = [*RevisionSerializer.Meta.fields, "document"]

    def to_representation(self, instance: Revision) -> dict[str, Any]:
        """The revision with its document."""
        return {**super().to_representation(instance), "document": instance.document}


class CompareQuery(StrictSerializer):
    """Two revisions by number; without `new`, the draft."""

    old = serializers.IntegerField(min_value=1)
    new = serializers.IntegerField(min_value=1, required=False)


class ChangeSerializer(serializers.Serializer[Any]):
    """One difference."""

    what = serializers.ChoiceField(choices=["added", "removed", "changed"])
    path = serializers.ListField()
    old = AnyJSON()
    new = AnyJSON()


class ChangesSerializer(serializers.Serializer[Any]):
    """What changed between two documents; lines are matched by id."""

    changes = ChangeSerializer(many=True)


class TrialSerializer(StrictSerializer):
    """Inputs by name; `document` instead of the draft; `keep_changes` leaves what the run did to records."""

    inputs = serializers.DictField(required=False, default=dict)
    keep_changes = Flag(required=False, default=False)
    data_source = serializers.ChoiceField(choices=list(SOURCES), required=False, default=LIVE)
    document = serializers.DictField(required=False)


class TrialResultSerializer(serializers.Serializer[Any]):
    """What the run came to: `response`, or `error` with its `place`; and the trace of its lines."""

    status = serializers.IntegerField()
    milliseconds = serializers.FloatField()
    headers = serializers.ListField()
    stopped = serializers.BooleanField()
    kept = serializers.BooleanField()
    data_source = serializers.CharField()
    lines = serializers.ListField(child=serializers.DictField())
    response = AnyJSON(required=False)
    bytes = serializers.IntegerField(required=False)
    error = serializers.DictField(required=False)
    place = serializers.DictField(required=False)


class DraftViewSet(MetaViewSet):
    """Base of what has a draft and revisions: `deeds` is its publishing module, `ownership` says how it is checked."""

    deeds: ClassVar[Any]
    ownership: ClassVar[Ownership]

    rights = {
        "save_draft": "change",
        "check": "view",
        "publish": "change",
        "restore": "change",
        "run": "change",
    }
    bodies = {
        "create": DocumentSerializer,
        "save_draft": DocumentSerializer,
        "check": DocumentSerializer,
        "publish": PublishSerializer,
        "run": TrialSerializer,
    }
    queries = {
        "list": PageQuery,
        "draft": DraftQuery,
        "revisions": PageQuery,
        "compare": CompareQuery,
    }
    answers = {
        "draft": DraftSerializer,
        "save_draft": FaultsSerializer,
        "check": FaultsSerializer,
        "publish": RevisionSerializer,
        "revisions": RevisionSerializer,
        "revision": WholeRevisionSerializer,
        "restore": FaultsSerializer,
        "compare": ChangesSerializer,
        "run": TrialResultSerializer,
    }
    pages = frozenset({"list", "revisions"})

    def owner(self) -> Any:
        """The function or endpoint that the URL names. Problem `NOT_FOUND`."""
        raise NotImplementedError

    def request_facts(self, owner: Any, document: dict[str, Any]) -> RequestFacts | None:
        """What a trial's stack sees as `request`."""
        return None

    def faults(self, owner: Any, document: dict[str, Any]) -> Iterable[Fault]:
        """Everything wrong with a document as this owner's."""
        return self.ownership.check(owner, document).faults

    def document(self) -> dict[str, Any]:
        """The request's body as a canonical document. Problem `INVALID_INPUT` for a body that is none."""
        return canonical(read_json(self.request._request))

    def draft(self, request: Request, **names: Any) -> Response:
        """Show the draft with everything the check finds in it."""
        owner = self.owner()
        document = to_spelling(owner.draft) if self.query["form"] == "spelled" else owner.draft
        faults = [fault.as_dict() for fault in self.faults(owner, owner.draft)]
        return Response({"document": document, "has_changes": owner.has_changes, "faults": faults})

    def save_draft(self, request: Request, **names: Any) -> Response:
        """Replace the draft, faulty or not. What is published stays as it is."""
        owner = self.owner()
        return self._faults(self.deeds.save_draft(owner, self.document(), self.account))

    def check(self, request: Request, **names: Any) -> Response:
        """Check a document without keeping it."""
        owner = self.owner()
        return self._faults(self.faults(owner, self.document()))

    def publish(self, request: Request, **names: Any) -> Response:
        """Make the draft what runs. Refused with every fault while it has any."""
        owner = self.owner()
        return self.shown(self.deeds.publish(owner, self.account, self.body()["message"]))

    def revisions(self, request: Request, **names: Any) -> Response:
        """List the revisions, newest first."""
        return self.listed(self._revisions(self.owner()).select_related("author"))

    def revision(self, request: Request, number: int, **names: Any) -> Response:
        """Show a revision with its document."""
        return self.shown(self._revision(self.owner(), number))

    def restore(self, request: Request, number: int, **names: Any) -> Response:
        """Make an old revision the draft. Publishing it is a step of its own."""
        owner = self.owner()
        return self._faults(self.deeds.restore(owner, self._revision(owner, number), self.account))

    def compare(self, request: Request, **names: Any) -> Response:
        """Compare two revisions, or a revision with the draft."""
        owner = self.owner()
        old = self._revision(owner, self.query["old"]).document
        new = self._revision(owner, self.query["new"]).document if "new" in self.query else owner.draft
        changes = [
            {"what": change.what, "path": list(change.path), "old": change.old, "new": change.new}
            for change in compare(old, new)
        ]
        return Response({"changes": changes})

    def run(self, request: Request, **names: Any) -> Response:
        """Run & Debug: run the draft, show every line, and roll back what it changed."""
        owner, asked = self.owner(), self.body()
        document = canonical(asked["document"]) if "document" in asked else owner.draft
        trial = try_document(
            self.ownership.workspace(owner),
            document,
            asked["inputs"],
            principal=self.principal,
            request=self.request_facts(owner, document),
            keep_changes=asked["keep_changes"],
            source=asked["data_source"],
        )
        return Response(trial.as_value(request_id_of(request._request)))

    def _faults(self, faults: Iterable[Fault]) -> Response:
        return Response({"faults": [fault.as_dict() for fault in faults]})

    def _revisions(self, owner: Any) -> QuerySet[Revision]:
        return revisions(owner, self.ownership)

    def _revision(self, owner: Any, number: int) -> Revision:
        found: Revision = find(self._revisions(owner), "revision", number=number)
        return found


def canonical(data: Any) -> dict[str, Any]:
    """A document in canonical form, from either form. Problem `INVALID_INPUT` where the form itself is wrong."""
    if not isinstance(data, dict):
        raise invalid_input(
            [Detail("", "type", "expected an object: a document with inputs, lines and response")]
        )
    if "stack" not in data:
        return {**empty_document(), **data}
    faults = Faults()
    document = from_spelling(data, faults)
    faults.raise_errors()
    return document
