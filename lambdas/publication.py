"""Publishing with npm packages as a durable run: whoever publishes sees how far it is, and may close the page or cancel."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from stackyard.core.errors import Faults, Problem
from stackyard.core.principal import Principal
from stackyard.runs import dispatch, states
from stackyard.runs.models import Run
from stackyard.runs.run_kind import ClaimedRun, Outcome
from stackyard.stacks.models import Revision

from . import publishing
from .document import with_defaults
from .models import Lambda
from .supervisor.packages import PHASES, Onlooker

KIND = "publication"
ATTEMPTS = 3


def publish_or_start(target: Lambda, author: Any, principal: Principal, message: str = "") -> Revision | Run:
    """Publish at once, or as a run where packages are to be brought first. Problem as `publishing.publish`, faults of the
    draft before anything is begun; `CONFLICT` while another publication of it is under way."""
    if not publishing.lacks_packages(with_defaults(target.draft)["code"]):
        return publishing.publish(target, author, message)
    Faults(publishing.check(target, target.draft).faults).raise_errors()
    going = (states.ACCEPTED, states.RUNNING)
    if Run.objects.filter(kind=KIND, target_id=target.pk, state__in=going).exists():
        raise Problem(
            "CONFLICT",
            f'"{target.name}" is being published already.',
            suggestion="Wait until it is, or cancel it.",
        )
    given = {"draft": target.draft, "author": getattr(author, "pk", None), "message": message}
    return dispatch.start(
        KIND,
        target.workspace,
        target.pk,
        target_name=target.name,
        input=given,
        principal=principal,
        trigger="console",
        retry_safe=True,
        max_attempts=ATTEMPTS,
    )


def last_publication(target: Lambda) -> Run | None:
    """The publication that is under way, or the one that failed as long as its draft is neither changed nor live."""
    last = Run.objects.filter(kind=KIND, target_id=target.pk).defer("result", "logs").order_by("-id").first()
    if last is None or not last.is_finished:
        return last
    if last.state in (states.SUCCEEDED, states.CANCELLED) or last.given["draft"] != target.draft:
        return None
    is_live = target.published is not None and target.published.document == target.draft
    return None if is_live else last


class Publication:
    """One attempt at publishing what was the draft when it was asked for."""

    def __init__(self, claimed: ClaimedRun) -> None:
        self._progress, self._given, self._id = claimed.progress, claimed.run.given, claimed.run.target_id

    def run(self) -> Outcome:
        """Bring the packages and publish. Problem `CONFLICT` when the draft has become another one meanwhile."""
        target = Lambda.objects.select_related("published", "workspace").filter(pk=self._id).first()
        if target is None:
            raise Problem("NOT_FOUND", "The lambda is not there any more.")
        author = get_user_model().objects.filter(pk=self._given["author"]).first()
        target.draft = self._given["draft"]
        onlooker = Onlooker(lambda phase: self._reached(target, phase), self._progress.check)
        revision = publishing.publish(target, author, self._given["message"], onlooker)
        return Outcome(states.SUCCEEDED, result={"number": revision.number})

    def _reached(self, target: Lambda, phase: int) -> None:
        """`publishing` is told in its transaction: with a lease that was lost, nothing is published."""
        self._progress.check()
        with transaction.atomic():
            self._progress.keep({"phase": phase}, phase, len(PHASES), PHASES[phase])
            now = Lambda.objects.select_for_update().filter(pk=target.pk).values_list("draft", flat=True)
            if now.first() != self._given["draft"]:
                raise Problem(
                    "CONFLICT",
                    "The draft was changed while its packages were brought.",
                    suggestion="Publish it again.",
                )
