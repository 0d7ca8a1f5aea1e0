"""What the code editor of a lambda asks the server for: its words, drafts that save themselves, checks, runs with live output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.urls import URLPattern, path

from lambdas.document import with_defaults
from lambdas.supervisor import Finished
from lambdas.supervisor.checker import DECLARATIONS
from lambdas.trial import try_lambda
from lambdas.types import declarations, type_faults
from stackyard.core.errors import Detail, Fault, Problem, invalid_input, problem_body
from stackyard.core.jsonout import encode
from stackyard.core.principal import Principal

from . import sketches
from .chosen_source import source_of
from .debugging import in_background, part_of, whole_number
from .json_pages import body_of, json_page
from .lambda_form import LambdaForm
from .owners import StackOwner
from .trial_folder import TrialFolder

_WAIT_SECONDS = 0.3
_SHOWN_CHARACTERS = 100_000


class CodePages:
    """The addresses of lambdas, below `ID/code/`."""

    def __init__(self, owner_type: type[StackOwner], prefix: str) -> None:
        self.owner_type = owner_type
        self.prefix = prefix

    def urls(self) -> list[URLPattern]:
        """The routes."""
        pages: dict[str, dict[str, Any]] = {
            "words": {"get": self.words},
            "draft": {"put": self.save},
            "check": {"post": self.check},
            "run": {"post": self.run},
            "result": {"get": self.result},
            "cancel": {"post": self.cancel},
            "value": {"get": self.value},
        }
        of_a_run = {
            "result": "runs/<uuid:trial>/",
            "cancel": "runs/<uuid:trial>/cancel/",
            "value": "runs/<uuid:trial>/value/",
        }
        return [
            path(
                f"<int:pk>/code/{of_a_run.get(name, f'{name}/')}",
                json_page(**deeds),
                name=f"{self.prefix}_code_{name}",
            )
            for name, deeds in pages.items()
        ]

    def words(self, request: HttpRequest, pk: int) -> dict[str, Any]:
        """The declarations of what the code sees, for completion: the platform's, then the workspace's."""
        owner = self.owner_type.find(pk)
        variables = with_defaults(owner.row.draft)["variables"]
        names = [str(name) for name in variables] if isinstance(variables, list) else []
        return {"platform": DECLARATIONS.read_text(), "workspace": declarations(owner.workspace, names)}

    def save(self, request: HttpRequest, pk: int) -> dict[str, Any]:
        """Keep code and settings as the draft, if it still is the version the change began from."""
        body = body_of(request)
        owner = self.owner_type.find(pk)
        document, form = _document(owner, body)
        with transaction.atomic():
            owner = owner.locked()
            now = sketches.digest_of(owner.row.draft)
            if body.get("force") is not True and body.get("version") != now:
                raise _conflict(owner)
            owner.save_draft(document, request.user)
            sketches.note_author(owner, request.user)
        return {
            "version": sketches.digest_of(owner.row.draft),
            **_faults(owner.check(document)),
            "form": form,
        }

    def check(self, request: HttpRequest, pk: int) -> dict[str, Any]:
        """Everything wrong with code and settings, with what TypeScript says of the types: about a second."""
        owner = self.owner_type.find(pk)
        document, form = _document(owner, body_of(request))
        faults = owner.check(document)
        if not any(fault.level == "error" and fault.path[:1] == ("code",) for fault in faults):
            faults = [*faults, *type_faults(owner.workspace, document)]
        return {**_faults(faults), "form": form}

    def run(self, request: HttpRequest, pk: int) -> dict[str, Any]:
        """Run the code on screen for real; what it writes can be followed at the run's address."""
        owner, body = self.owner_type.find(pk), body_of(request)
        document, _ = _document(owner, body)
        user = request.user
        principal = Principal("builder", user.pk, owner.workspace.pk, frozenset({"*"}), label=str(user))
        folder, source = TrialFolder.new(_whose(owner, request)), source_of(request, owner.workspace)

        def work() -> dict[str, Any]:
            return _ran(owner, document, body.get("input"), principal, folder, source)

        sketches.keep_sample(owner, str(body.get("sample", "")).replace("\0", ""))
        result = in_background(work, _WAIT_SECONDS)
        return result if result is not None else _running(folder)

    def result(self, request: HttpRequest, pk: int, trial: Any) -> dict[str, Any]:
        """How a run ended, or what it has written so far."""
        folder = self._folder(request, pk, trial)
        return folder.result() or _running(folder)

    def cancel(self, request: HttpRequest, pk: int, trial: Any) -> dict[str, Any]:
        """Stop a run: its process is ended within a second."""
        folder = self._folder(request, pk, trial)
        folder.cancel()
        return _running(folder)

    def value(self, request: HttpRequest, pk: int, trial: Any) -> dict[str, Any]:
        """A part of the whole value as text, from the character `from` on."""
        text = self._folder(request, pk, trial).body().decode("utf-8", "replace")
        return part_of(text, whole_number(request.GET.get("from", "0"), "from"))

    def _folder(self, request: HttpRequest, pk: int, trial: Any) -> TrialFolder:
        return TrialFolder.find(str(trial), _whose(self.owner_type.find(pk), request))


def _whose(owner: StackOwner, request: HttpRequest) -> list[Any]:
    return [owner.kind, owner.row.pk, request.user.pk]


def _document(owner: StackOwner, body: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The lambda on screen and what is wrong with its settings: `code`, and the page's form as it would be sent."""
    code, form = body.get("code"), body.get("form")
    wrong = [
        Detail(name, "type", "expected a text")
        for name, value in (("code", code), ("form", form))
        if not isinstance(value, str) and not (name == "form" and value is None)
    ]
    if wrong:
        raise invalid_input(wrong)
    draft = with_defaults(owner.row.draft)
    code = str(code).replace("\r\n", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")
    if form is None:
        return {**draft, "code": code}, {}
    settings = LambdaForm(owner.workspace, QueryDict(str(form)))
    given = settings.settings()
    errors = {str(name): [str(error) for error in errors] for name, errors in settings.errors.items()}
    # Settings that cannot be read stay as they were saved; the code is kept all the same.
    return {**draft, **(given or {}), "code": code}, errors


def _conflict(owner: StackOwner) -> Problem:
    return Problem(
        "CONFLICT",
        "Somebody saved this lambda after you opened it.",
        suggestion="Take theirs, or keep yours as the next draft.",
        details={
            "version": sketches.digest_of(owner.row.draft),
            "code": str(with_defaults(owner.row.draft)["code"]),
        },
    )


def _faults(faults: list[Fault]) -> dict[str, Any]:
    """Those of the code as marks of the editor, the others as texts."""
    marks = [
        {"line": f.line or 1, "column": f.column or 1, "level": f.level, "message": f.message}
        for f in faults
        if f.path[:1] == ("code",)
    ]
    others = [
        {"field": f.dotted, "level": f.level, "message": f.message} for f in faults if f.path[:1] != ("code",)
    ]
    return {"marks": marks, "others": others}


def _running(folder: TrialFolder) -> dict[str, Any]:
    return {"state": "running", "id": folder.id, "logs": folder.said()}


def _ran(
    owner: StackOwner,
    document: dict[str, Any],
    input: Any,
    principal: Principal,
    folder: TrialFolder,
    source: str,
) -> dict[str, Any]:
    try:
        finished = try_lambda(
            owner.row,
            document,
            input,
            principal,
            is_cancelled=folder.is_cancelled,
            on_log=folder.say,
            data_source=source,
        )
        result, value = _shown(finished), encode(finished.value)
    except Problem as problem:
        result, value = {**problem_body(problem, folder.id), "state": "refused", "logs": folder.said()}, b""
    result["id"] = folder.id
    folder.finish(result, value, {})
    return result


def _shown(finished: Finished) -> dict[str, Any]:
    value = encode(finished.value).decode()
    return {
        "state": finished.state,
        "milliseconds": round(finished.duration_seconds * 1000, 3),
        "value": value[:_SHOWN_CHARACTERS],
        "value_cut": len(value) > _SHOWN_CHARACTERS,
        "bytes": len(value.encode()),
        "error": finished.error.as_dict() if finished.error is not None else None,
        "logs": finished.logs,
    }
