"""`/hook:<token>` and `/run:<id>`: a lambda's webhook, and what became of a run, for whoever started it."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from auth.callers import Callers
from stackyard.core.body import parse_body, read_body
from stackyard.core.errors import Problem, problem_body
from stackyard.core.jsonout import encode
from stackyard.core.limits import REQUEST_BYTES
from stackyard.core.request_id import request_id_of
from stackyard.runs.models import Run

from .models import Trigger
from .running import start_lambda

# What a sender's secrets may be in; the lambda sees the other headers.
_HIDDEN = frozenset({"cookie"})


@csrf_exempt
@require_POST
def hook(request: HttpRequest, token: str) -> HttpResponse:
    """Accept a run with what was sent as its input: `{method, headers, query, body, raw}`. 202 with the run's URL."""
    rows = Trigger.objects.filter(kind="webhook", key=token).select_related(
        "target__published", "target__workspace"
    )
    trigger = rows.first()
    if trigger is None:
        raise Http404
    try:
        run = start_lambda(
            trigger.target,
            _sent(request),
            trigger="webhook",
            idempotency_key=request.headers.get("Idempotency-Key"),
        )
    except Problem as problem:
        return _refused(request, problem)
    answer = {"run": str(run.pk), "url": f"/run:{run.pk}"}
    return JsonResponse(answer, status=202)


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


@require_GET
def run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """A run's state and result. For the key that started it, for keys of its workspace's builders, and for builders."""
    found = Run.objects.filter(pk=run_id).first()
    try:
        if found is None or not _may_see(request, found):
            raise Problem("NOT_FOUND", "There is no such run for you.")
    except Problem as problem:
        return _refused(request, problem)
    return HttpResponse(encode(run_value(found)), content_type="application/json")


def _may_see(request: HttpRequest, run: Run) -> bool:
    if request.user.is_authenticated and request.user.is_superuser:
        return True
    principal = Callers(["api_key"]).identify(request.META, run.workspace_id, "", "", True)
    started_by = run.principal or {}
    return started_by.get("kind") == principal.kind and started_by.get("id") == principal.id


def run_value(run: Run) -> dict[str, Any]:
    """A run as JSON."""
    return {
        "id": str(run.pk),
        "lambda" if run.kind == "lambda" else "function": run.target_name,
        "state": run.state,
        "attempt": run.attempt,
        "trigger": run.trigger,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "result": run.result,
        "error": run.error,
    }


def _refused(request: HttpRequest, problem: Problem) -> HttpResponse:
    body = encode(problem_body(problem, request_id_of(request)))
    return HttpResponse(body, status=problem.status, content_type="application/json", headers=problem.headers)
