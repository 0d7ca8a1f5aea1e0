"""`/hook:<token>` and `/run:<id>`: a lambda's webhook, and what became of a run, for whoever started it."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from auth.keys import find_valid
from auth.methods import bearer_of
from auth.methods.api_key import ApiKeyMethod
from auth.roles import role_in
from stackyard.core.answers import json_answer, only_reads, problem_answer
from stackyard.core.body import parse_body, read_body
from stackyard.core.errors import Problem
from stackyard.core.idempotency import read_key
from stackyard.core.limits import REQUEST_BYTES
from stackyard.core.principal import ANONYMOUS
from stackyard.runs.models import Run
from stackyard.runs.progress import progress_value

from .models import Trigger
from .running import start_lambda

# What a sender's secrets may be in; the lambda sees the other headers.
_HIDDEN = frozenset({"cookie"})


@csrf_exempt
def hook(request: HttpRequest, token: str) -> HttpResponse:
    """Accept a run with what was sent as its input: `{method, headers, query, body, raw}`. 202 with the run's URL."""
    try:
        if request.method != "POST":
            message = f"{request.method} is not allowed here."
            raise Problem("METHOD_NOT_ALLOWED", message, headers={"Allow": "POST"})
        rows = Trigger.objects.filter(kind="webhook", key=token)
        trigger = rows.select_related("target__published", "target__workspace").first()
        if trigger is None:
            raise Problem("NOT_FOUND", "There is no webhook at this address.")
        key = request.headers.get("Idempotency-Key")
        run = start_lambda(
            trigger.target,
            _sent(request),
            trigger="webhook",
            idempotency_key=read_key(key) if key is not None else None,
            # A sender that tries again sends the same in other headers.
            same_by=("method", "query", "raw"),
        )
    except Problem as problem:
        return problem_answer(request, problem)
    return json_answer({"run": str(run.pk), "url": f"/run:{run.pk}"}, status=202)


def _sent(request: HttpRequest) -> dict[str, Any]:
    raw = read_body(request.META, REQUEST_BYTES.default)
    try:
        body = parse_body(raw, request.META.get("CONTENT_TYPE", "")) if raw else None
    except Problem:
        # Whoever sends this is not ours to correct: the lambda gets the text.
        body = None
    headers = {name.lower(): value for name, value in request.headers.items() if name.lower() not in _HIDDEN}
    return {
        "method": request.method,
        "headers": headers,
        "query": request.GET.dict(),
        "body": body,
        "raw": raw.decode("utf-8", "replace"),
    }


@only_reads
def run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """A run's state and result, for whoever started it and for those who manage its workspace."""
    found = Run.objects.filter(pk=run_id).first()
    if found is None or not _may_see(request, found):
        raise Problem("NOT_FOUND", "There is no such run for you.")
    return json_answer(run_value(found))


def _may_see(request: HttpRequest, run: Run) -> bool:
    """People with a role in the workspace, keys that manage it, and whoever started it, whatever its scopes.

    What was started without credentials is found without: its id is 74 random bits that only the starter was told.
    Problem `UNAUTHORIZED` for a key that is none, and for nobody.
    """
    if role_in(request.user, run.workspace_id):
        return True
    started_by = run.principal or {}
    text = request.META.get("HTTP_X_API_KEY") or bearer_of(request.META)
    if text is None:
        if started_by.get("kind") == ANONYMOUS.kind:
            return True
        challenge = {"WWW-Authenticate": ApiKeyMethod.challenge}
        raise Problem("UNAUTHORIZED", "This run is for whoever started it.", headers=challenge)
    principal = find_valid(text, run.workspace_id, request.META).principal
    is_mine = started_by.get("kind") == principal.kind and started_by.get("id") == principal.id
    return is_mine or "meta" in principal.scopes


def run_value(run: Run) -> dict[str, Any]:
    """A run as JSON."""
    progress = progress_value(run)
    return {
        "id": str(run.pk),
        "lambda"
        if run.kind == "lambda"
        else "function"
        if run.kind == "function"
        else "job": run.target_name,
        "state": run.state,
        **({} if progress is None else {"progress": progress}),
        "attempt": run.attempt,
        "trigger": run.trigger,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "result": run.result,
        "error": run.error,
    }
