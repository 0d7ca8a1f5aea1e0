"""Stored files in the management API."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from . import vault
from .errors import Detail, invalid_input
from .limits import LINK_SECONDS
from .meta.lists import PageQuery
from .meta.serializers import StrictSerializer, Text
from .meta.views import MetaViewSet, find, route
from .models import StoredFile
from .vault.keeping import ACCESS, KINDS


class FileSerializer(serializers.Serializer[Any]):
    """What is known of a file; `url` is null for private ones."""

    id = serializers.IntegerField()
    access = serializers.ChoiceField(choices=ACCESS)
    path = serializers.CharField()
    name = serializers.CharField()
    type = serializers.ChoiceField(choices=KINDS)
    size = serializers.IntegerField()
    mime = serializers.CharField()
    meta = serializers.DictField()
    url = serializers.CharField(allow_null=True)
    creator = serializers.CharField()
    created_at = serializers.DateTimeField()

    def to_representation(self, instance: StoredFile) -> dict[str, Any]:
        """The object that records hold, and who made it when."""
        more = {"creator": instance.creator, "created_at": instance.created_at}
        return {"id": instance.pk, **vault.as_json(instance), **more}


class FilesQuery(PageQuery):
    """Which files."""

    search = serializers.CharField(required=False, help_text="Text in the name.")
    type = serializers.ChoiceField(choices=KINDS, required=False)
    access = serializers.ChoiceField(choices=ACCESS, required=False)


class NewFileSerializer(StrictSerializer):
    """A file: its content as text, or as base64."""

    name = Text(max_length=200)
    text = Text(required=False, allow_blank=True)
    base64 = Text(required=False, allow_blank=True)
    type = serializers.ChoiceField(choices=KINDS, default="attachment")
    access = serializers.ChoiceField(choices=ACCESS, default="public")


class LinkQuerySerializer(StrictSerializer):
    """How long a link is to be good."""

    seconds = serializers.IntegerField(
        min_value=1, max_value=LINK_SECONDS.maximum, default=LINK_SECONDS.default
    )


class LinkSerializer(serializers.Serializer[Any]):
    """A link that opens a file for a while."""

    url = serializers.CharField()


class FileViewSet(MetaViewSet):
    """The files of a workspace."""

    noun, tag, model = "file", "files", StoredFile
    shows = FileSerializer
    answers = {"sign": LinkSerializer}
    queries = {"list": FilesQuery}
    bodies = {"create": NewFileSerializer, "sign": LinkQuerySerializer}

    def file(self) -> StoredFile:
        """The file that the URL names. Problem `NOT_FOUND`."""
        found: StoredFile = find(self.workspace().stored_files.all(), "file", pk=self.kwargs["file"])
        return found

    def list(self, request: Request, workspace: str) -> Response:
        """List the files, newest first."""
        found, asked = self.workspace().stored_files.all(), self.query
        if "search" in asked:
            found = found.filter(name__icontains=asked["search"])
        for name, column in (("type", "kind"), ("access", "access")):
            if name in asked:
                found = found.filter(**{column: asked[name]})
        return self.listed(found)

    def create(self, request: Request, workspace: str) -> Response:
        """Keep a file. Large ones are for an endpoint made by the blueprint `upload`."""
        owner, given = self.workspace(), self.body()
        principal = self.principal
        row = vault.create(
            owner.pk,
            _content(given),
            kind=given["type"],
            access=given["access"],
            name=given["name"],
            creator=f"{principal.kind}:{principal.id}",
        )
        return self.shown(row, status=201)

    def retrieve(self, request: Request, workspace: str, file: int) -> Response:
        """Show what is known of a file."""
        return self.shown(self.file())

    def sign(self, request: Request, workspace: str, file: int) -> Response:
        """Make a link that opens the file for a while."""
        seconds = self.body()["seconds"]
        return Response({"url": vault.signed_url(self.file(), seconds)})

    def destroy(self, request: Request, workspace: str, file: int) -> Response:
        """Delete a file. Records that hold its object keep it."""
        vault.delete(self.file())
        return Response(status=204)


def _content(given: dict[str, Any]) -> bytes:
    if ("text" in given) == ("base64" in given):
        raise invalid_input([Detail("text", "value", "give the content as text or as base64")])
    if "text" in given:
        return str(given["text"]).encode()
    try:
        return base64.b64decode(given["base64"], validate=True)
    except (binascii.Error, ValueError):
        raise invalid_input([Detail("base64", "format", "is not base64")]) from None


_FILES = "workspaces/<str:workspace>/files"

urlpatterns = [
    route(_FILES, FileViewSet, get="list", post="create"),
    route(f"{_FILES}/<int:file>", FileViewSet, get="retrieve", delete="destroy"),
    route(f"{_FILES}/<int:file>/link", FileViewSet, post="sign"),
]
