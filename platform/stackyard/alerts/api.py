"""Alert rules in the management API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from endpoints.models import Endpoint
from stackyard.core.errors import Detail, invalid_input
from stackyard.core.meta.serializers import Moment, StrictModelSerializer, StrictSerializer, Text
from stackyard.core.meta.views import MetaViewSet, find, route

from .models import MEASURES, AlertRule, Incident
from .rules import change_rule, create_rule, delete_rule

SHOWN_INCIDENTS = 20


class IncidentSerializer(StrictModelSerializer):
    """From when to when a rule was broken."""

    opened_at = Moment()
    resolved_at = Moment(allow_null=True)

    class Meta:
        model = Incident
        fields = ["id", "opened_at", "resolved_at", "value", "last_value"]


class AlertSerializer(serializers.Serializer[Any]):
    """A rule and its newest incidents."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    measure = serializers.ChoiceField(choices=list(MEASURES))
    group = serializers.CharField(source="endpoint.group.name", default=None, allow_null=True)
    endpoint = serializers.CharField(source="endpoint.name", default=None, allow_null=True)
    threshold = serializers.FloatField()
    window_minutes = serializers.IntegerField()
    at_least_calls = serializers.IntegerField()
    channel = serializers.CharField()
    target = serializers.CharField()
    active = serializers.BooleanField()
    incidents = serializers.SerializerMethodField()

    def get_incidents(self, rule: AlertRule) -> list[dict[str, Any]]:
        """The newest first."""
        return [dict(IncidentSerializer(one).data) for one in rule.incidents.all()[:SHOWN_INCIDENTS]]


class MadeAlertSerializer(AlertSerializer):
    """A rule that was just made or changed. Nobody can see `secret` again; null where there is no new one."""

    secret = serializers.CharField(allow_null=True, help_text="What signs the webhooks (Standard Webhooks).")


class AlertBody(StrictSerializer):
    """What a rule says."""

    name = Text(max_length=100)
    measure = serializers.ChoiceField(choices=list(MEASURES))
    group = Text(max_length=63, required=False, allow_null=True, help_text="The API group of `endpoint`.")
    endpoint = Text(max_length=100, required=False, allow_null=True, help_text="Null: the whole workspace.")
    threshold = serializers.FloatField(
        help_text="There is an incident above it: a share of calls (0 to 1), milliseconds, or a number of runs."
    )
    window_minutes = serializers.IntegerField(required=False, min_value=1, max_value=1440)
    at_least_calls = serializers.IntegerField(required=False, min_value=1, max_value=1_000_000)
    channel = serializers.ChoiceField(choices=["email", "webhook"])
    target = Text(max_length=500, help_text="An e-mail address, or the URL of the webhook.")
    active = serializers.BooleanField(required=False)


class AlertViewSet(MetaViewSet):
    """Who is told when calls or runs of the workspace go wrong."""

    noun, tag, model = "alert", "alerts", AlertRule
    shows = AlertSerializer
    answers = {"create": MadeAlertSerializer, "partial_update": MadeAlertSerializer}
    bodies = {"create": AlertBody, "partial_update": AlertBody}

    def rule(self) -> AlertRule:
        """The rule that the URL names by its id. Problem `NOT_FOUND`."""
        rules = self.workspace().alert_rules.select_related("endpoint__group", "workspace")
        found: AlertRule = find(rules, "alert", pk=self.kwargs["alert"])
        return found

    def list(self, request: Request, workspace: str) -> Response:
        """List the rules."""
        return self.listed(self.workspace().alert_rules.select_related("endpoint__group"))

    def create(self, request: Request, workspace: str) -> Response:
        """Make a rule; for a webhook the secret that signs it is shown, once."""
        rule, secret = create_rule(self.workspace(), **self._values())
        return self._made(rule, secret, 201)

    def retrieve(self, request: Request, workspace: str, alert: int) -> Response:
        """Show a rule and its incidents."""
        return self.shown(self.rule())

    def partial_update(self, request: Request, workspace: str, alert: int) -> Response:
        """Change a rule; its open incident, if any, is forgotten."""
        rule = self.rule()
        return self._made(rule, change_rule(rule, self._values(partial=True)))

    def destroy(self, request: Request, workspace: str, alert: int) -> Response:
        """Delete a rule."""
        delete_rule(self.rule())
        return Response(status=204)

    def _made(self, rule: AlertRule, secret: str, status: int = 200) -> Response:
        rule.secret = secret or None  # type: ignore[attr-defined]
        return self.shown(rule, status=status)

    def _values(self, *, partial: bool = False) -> dict[str, Any]:
        """The body with its endpoint looked up. Problem `INVALID_INPUT` for one that is not there."""
        asked = self.body(partial=partial)
        group, name = asked.pop("group", None), asked.get("endpoint")
        if name:
            endpoints = Endpoint.objects.filter(group__workspace=self.workspace(), group__name=group or "")
            asked["endpoint"] = endpoints.filter(name=name).first()
            if asked["endpoint"] is None:
                raise invalid_input([Detail("endpoint", "not_found", "name an endpoint and its group")])
        return asked


_ALERTS = "workspaces/<str:workspace>/alerts"

urlpatterns = [
    route(_ALERTS, AlertViewSet, get="list", post="create"),
    route(f"{_ALERTS}/<int:alert>", AlertViewSet, get="retrieve", patch="partial_update", delete="destroy"),
]
