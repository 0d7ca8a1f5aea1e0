"""How drf-spectacular describes a resource: from what its class declares, with the contract's errors."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from ..answers import status_phrase
from .lists import envelope_of

_STATUS_OF_DEED = {"create": 201, "destroy": 204}
_IN_PATH = re.compile(r"\{(\w+)\}")
_BY_ID = {"key": "API key", "index": "index", "call": "call", "record": "record"}
_VERBS = {"retrieve": "show", "partial_update": "edit", "destroy": "delete"}


class DetailSerializer(serializers.Serializer[Any]):
    """One place to mend."""

    field = serializers.CharField(help_text="A dotted path such as `items.2.price`.")
    code = serializers.CharField()
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """What happened and what to do."""

    code = serializers.CharField(help_text="What happened, for programs.")
    message = serializers.CharField(help_text="What happened, for people.")
    suggestion = serializers.CharField(required=False, help_text="What to do about it.")
    request_id = serializers.CharField(help_text="The same as `X-Request-ID`.")
    details = DetailSerializer(many=True, required=False)


class ErrorSerializer(serializers.Serializer[Any]):
    """What every error looks like."""

    error = ProblemSerializer()


class MetaSchema(AutoSchema):
    """Reads `noun`, `tag`, `shows`, `answers`, `bodies` and `queries` of a `MetaViewSet`."""

    view: Any

    def get_tags(self) -> list[str]:
        """The resource's tag."""
        return [self.view.tag]

    def get_operation_id(self) -> str:
        """Verb and noun: `list_variables`, `publish_endpoint`."""
        deed = self.view.deed
        if deed == "list":
            return f"list_{self.view.tag}".replace(" ", "_")
        return f"{_VERBS.get(deed, deed)}_{self.view.noun}".replace(" ", "_")

    def get_description(self) -> str:  # type: ignore[override]
        """The deed's docstring."""
        return " ".join((getattr(self.view, self.view.deed).__doc__ or "").split())

    def get_summary(self) -> str:
        """The docstring's first sentence."""
        return self.get_description().split(". ")[0].rstrip(".")

    def get_override_parameters(self) -> list[Any]:
        """The query serializer of the deed, and what the names in the path mean."""
        serializer = self.view.queries.get(self.view.deed)
        named = [_path_parameter(name) for name in _IN_PATH.findall(self.path)]
        return [*named, *([serializer] if serializer else [])]

    def _is_list_view(self, serializer: Any = None) -> bool:
        """Never: lists answer one envelope, which has a serializer of its own."""
        return False

    def get_request_serializer(self) -> Any:
        """The body serializer of the deed; an edit takes any part of it."""
        serializer = self.view.bodies.get(self.view.deed)
        return serializer(partial=self.view.deed == "partial_update") if serializer else None

    def get_response_serializers(self) -> Any:
        """What the deed answers, and the errors that can happen."""
        deed = self.view.deed
        status = _STATUS_OF_DEED.get(deed, 200)
        answer: Any = None if status == 204 else self.view.answers.get(deed, self.view.shows)
        if deed in self.view.pages:
            answer = envelope_of(answer)
        errors = [400, 401, 403]
        if _IN_PATH.search(self.path):
            errors.append(404)
        if self.view.bodies.get(deed) is not None:
            errors += [409, 413, 415]
        failures = {code: OpenApiResponse(ErrorSerializer, status_phrase(code)) for code in errors}
        return {status: OpenApiResponse(answer, status_phrase(status)), **failures}


def _path_parameter(name: str) -> OpenApiParameter:
    if name == "number":
        return OpenApiParameter(
            name, int, OpenApiParameter.PATH, description="The number of a revision, from 1."
        )
    if name in _BY_ID:
        return OpenApiParameter(
            name, int, OpenApiParameter.PATH, description=f"The id of the {_BY_ID[name]}."
        )
    return OpenApiParameter(name, str, OpenApiParameter.PATH, description=f"The name of the {name}.")
