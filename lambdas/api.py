"""Lambdas in the management API: drafts, revisions, runs now and in the background."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import URLPattern
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from stackyard.core.data_source import LIVE, SOURCES
from stackyard.core.errors import Detail, invalid_input
from stackyard.core.idempotency import read_key
from stackyard.core.meta.bodies import read_json
from stackyard.core.meta.serializers import AnyJSON, Moment, StrictModelSerializer, StrictSerializer
from stackyard.core.meta.views import find, route
from stackyard.runs import dispatch
from stackyard.runs.api import StartedSerializer
from stackyard.stacks.api import draft_routes
from stackyard.stacks.api_drafts import DraftQuery, DraftViewSet

from . import publishing
from .document import DEFAULTS, with_defaults
from .models import Lambda
from .running import start_lambda
from .trial import try_lambda
from .types import type_faults


class LambdaSerializer(StrictModelSerializer):
    """Code that runs in a process of its own. `published` is the number of the revision that runs, or null."""

    published = serializers.IntegerField(source="published.number", allow_null=True)
    has_changes = serializers.BooleanField()
    webhook = serializers.SerializerMethodField()

    class Meta:
        model = Lambda
        fields = ["name", "description", "published", "has_changes", "webhook", "created_at", "updated_at"]

    def get_webhook(self, target: Lambda) -> str | None:
        """The address of its webhook, when it has one: whoever knows it can run the lambda."""
        keys = [trigger.key for trigger in target.triggers.all() if trigger.kind == "webhook"]
        return f"/hook:{keys[0]}" if keys else None


class LambdaDocumentSerializer(serializers.Serializer[Any]):
    """A lambda's document; what is left out has its default."""

    name = serializers.CharField()
    description = serializers.CharField(required=False)
    code = serializers.CharField(required=False, help_text="TypeScript or JavaScript.")
    timeout = serializers.IntegerField(default=DEFAULTS["timeout"], help_text="Seconds, 1 to 300.")
    memory_mb = serializers.IntegerField(default=DEFAULTS["memory_mb"])
    fresh_process = serializers.BooleanField(default=False)
    triggers = serializers.ListField(child=serializers.DictField(), required=False)
    catch_up = serializers.ChoiceField(choices=["none", "last", "all"], default="none")
    retry_safe = serializers.BooleanField(default=False)
    max_attempts = serializers.IntegerField(default=DEFAULTS["max_attempts"])
    variables = serializers.ListField(child=serializers.CharField(), required=False)
    network = serializers.ListField(child=serializers.CharField(), required=False)


class TryLambdaSerializer(StrictSerializer):
    """What the code sees as `input`; `document` instead of the draft."""

    input = AnyJSON(required=False, default=None)
    data_source = serializers.ChoiceField(choices=list(SOURCES), default=LIVE)
    document = serializers.DictField(required=False)


class FinishedSerializer(serializers.Serializer[Any]):
    """How a run ended. `error` has name, message, stack, and `line` and `column` of the lambda's own code."""

    state = serializers.CharField()
    milliseconds = serializers.FloatField()
    result = AnyJSON()
    error = AnyJSON()
    logs = serializers.CharField()


class StartSerializer(StrictSerializer):
    """What the code sees as `input`, and when it is to run; at once when that is not said."""

    input = AnyJSON(required=False, default=None)
    data_source = serializers.ChoiceField(choices=list(SOURCES), default=LIVE)
    run_at = Moment(required=False, help_text="ISO 8601 with a zone, or epoch milliseconds; within a year.")


class LambdaViewSet(DraftViewSet):
    """The workspace's lambdas."""

    noun, tag, model = "lambda", "lambdas", Lambda
    shows = LambdaSerializer
    deeds: ClassVar[Any] = publishing
    ownership = publishing.LAMBDAS
    rights = {**DraftViewSet.rights, "start": "change"}
    bodies = {
        **DraftViewSet.bodies,
        "create": LambdaDocumentSerializer,
        "save_draft": LambdaDocumentSerializer,
        "check": LambdaDocumentSerializer,
        "run": TryLambdaSerializer,
        "start": StartSerializer,
    }
    queries = {**DraftViewSet.queries, "draft": DraftQuery}
    answers = {**DraftViewSet.answers, "run": FinishedSerializer, "start": StartedSerializer}

    def owner(self) -> Lambda:
        """The lambda that the URL names. Problem `NOT_FOUND`."""
        found: Lambda = find(self._lambdas(), "lambda", name=self.kwargs["lambda"])
        return found

    def _lambdas(self) -> Any:
        rows = self.workspace().lambdas.select_related("published", "workspace")
        return rows.prefetch_related("triggers")

    def document(self) -> dict[str, Any]:
        """The request's body as a document with its defaults. Problem `INVALID_INPUT` for a body that is none."""
        data = read_json(self.request._request)
        if not isinstance(data, dict):
            raise invalid_input([Detail("", "type", "expected an object: a lambda with name and code")])
        return with_defaults(data)

    def list(self, request: Request, workspace: str) -> Response:
        """List the lambdas by name."""
        return self.listed(self._lambdas())

    def create(self, request: Request, workspace: str) -> Response:
        """Make a lambda with its first draft."""
        return self.shown(
            publishing.create_lambda(self.workspace(), self.document(), self.account), status=201
        )

    def retrieve(self, request: Request, **names: Any) -> Response:
        """Show a lambda."""
        return self.shown(self.owner())

    def destroy(self, request: Request, **names: Any) -> Response:
        """Delete a lambda with its revisions and schedules. 409 while something published runs or follows it."""
        publishing.delete_lambda(self.owner())
        return Response(status=204)

    def draft(self, request: Request, **names: Any) -> Response:
        """Show the draft with everything the check finds in it. Both forms are the same for a lambda."""
        owner = self.owner()
        faults = [fault.as_dict() for fault in self.faults(owner, owner.draft)]
        return Response({"document": owner.draft, "has_changes": owner.has_changes, "faults": faults})

    def check(self, request: Request, **names: Any) -> Response:
        """Check a document without keeping it: settings, syntax, and when they are fine, types."""
        owner, document = self.owner(), self.document()
        found = list(self.faults(owner, document))
        if not any(fault.level == "error" for fault in found):
            found += type_faults(owner.workspace, document)
        return self._faults(found)

    def run(self, request: Request, **names: Any) -> Response:
        """Run the draft now and wait for its end. It runs for real: what it changes stays."""
        owner, asked = self.owner(), self.body()
        document = asked.get("document", owner.draft)
        finished = try_lambda(
            owner, document, asked["input"], self.principal, data_source=asked["data_source"]
        )
        return Response(
            {
                "state": finished.state,
                "milliseconds": round(finished.duration_seconds * 1000, 3),
                "result": finished.value,
                "error": finished.error.as_dict() if finished.error is not None else None,
                "logs": finished.logs,
            }
        )

    def start(self, request: Request, **names: Any) -> Response:
        """Accept a run of what is published, done by a worker, now or at `run_at`. `Idempotency-Key` makes a second call the same run."""
        key = request.headers.get("Idempotency-Key")
        asked = self.body()
        run = start_lambda(
            self.owner(),
            asked["input"],
            principal=self.principal,
            trigger="api",
            run_after=dispatch.run_at(asked["run_at"]) if "run_at" in asked else None,
            idempotency_key=read_key(key) if key is not None else None,
            data_source=asked["data_source"],
        )
        return self.shown(run, status=202)


_W = "workspaces/<str:workspace>"
_ONE = f"{_W}/lambdas/<str:lambda>"

urlpatterns: list[URLPattern] = [
    route(f"{_W}/lambdas", LambdaViewSet, get="list", post="create"),
    route(_ONE, LambdaViewSet, get="retrieve", delete="destroy"),
    *draft_routes(_ONE, LambdaViewSet),
    route(f"{_ONE}/runs", LambdaViewSet, post="start"),
]
