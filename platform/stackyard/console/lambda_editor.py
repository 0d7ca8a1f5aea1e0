"""The page on which a lambda is edited: code, settings, check, save, publish, run."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from lambdas.document import with_defaults
from lambdas.publication import last_publication, publish_or_start
from lambdas.running import start_lambda
from lambdas.supervisor import Finished
from lambdas.trial import try_lambda
from lambdas.types import type_faults
from stackyard.core.errors import Detail, Fault, Problem, invalid_input
from stackyard.core.jsonout import encode
from stackyard.core.principal import Principal
from stackyard.core.yaml import load
from stackyard.runs import dispatch
from stackyard.runs.models import Run, Schedule
from stackyard.runs.schedule import coming_times

from . import sketches
from .chosen_source import source_of
from .editor import REVISIONS_SHOWN, classed
from .lambda_form import LambdaForm
from .manuscript import Manuscript, Mark
from .owners import StackOwner
from .pages import Crumb, page
from .problems import capital, details_of, sentence
from .scheduled import person

SHOWN_RUNS = 5
SHOWN_TIMES = 3
SHOWN_TYPE_FAULTS = 5
SHOWN_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class Tried:
    """What the panel shows of a run. Without `finished` it did not begin; `refusal` says why."""

    finished: Finished | None = None
    refusal: str = ""

    @property
    def milliseconds(self) -> float:
        """How long it took."""
        return self.finished.duration_seconds * 1000 if self.finished is not None else 0.0

    @property
    def result(self) -> str:
        """The value as text."""
        if self.finished is None or self.finished.state != "succeeded":
            return ""
        return pretty(self.finished.value)


def pretty(value: Any) -> str:
    """A JSON value as indented text, cut when it is very long."""
    text = json.dumps(json.loads(encode(value)), indent=2, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _marks(faults: Iterable[Fault]) -> list[Mark]:
    """Where in the code what was found stands."""
    return [
        Mark(fault.line or 1, fault.column or 1, fault.level, capital(fault.message), fault.suggestion)
        for fault in faults
        if fault.path[:1] == ("code",)
    ]


class LambdaEditor:
    """One request to the editor of one lambda. Whatever is pressed, code and settings come along and come back."""

    def __init__(self, request: HttpRequest, owner: StackOwner, crumbs: Sequence[Crumb]) -> None:
        self.request = request
        self.owner = owner
        self.crumbs = crumbs
        self.tried: Tried | None = None
        self.theirs: list[tuple[str, str]] = []
        self.is_saved = True
        self.seen = request.POST.get("seen", sketches.digest_of(owner.row.draft))

    def _sent(self, name: str) -> str:
        return self.request.POST.get(name, "").replace("\0", "\N{REPLACEMENT CHARACTER}")

    def answer(self) -> HttpResponse:
        """The page, or the way to another one after something was done."""
        workspace, draft = self.owner.workspace, with_defaults(self.owner.row.draft)
        if self.request.method != "POST":
            form = LambdaForm.of(workspace, draft)
            code = draft["code"] if isinstance(draft["code"], str) else ""
            manuscript = self._read(form, code, draft)
            return self._page(form, manuscript, sketches.sample_of(self.owner))
        form = LambdaForm(workspace, self.request.POST)
        code = self._sent("text").replace("\r\n", "\n")
        given = form.settings()
        document = {**given, "code": code} if given is not None else None
        manuscript = self._read(form, code, document)
        self.is_saved = document is not None and document == draft
        deed = {
            "save": self._save,
            "publish": self._publish,
            "try": self._try,
            "start": self._start,
            "later": self._start,
        }
        answered = deed.get(self.request.POST.get("do", ""), self._check)(form, manuscript)
        return answered or self._page(form, manuscript, self._sent("inputs"))

    def _read(self, form: LambdaForm, code: str, document: dict[str, Any] | None) -> Manuscript:
        """The code with its marks; faults of settings go to the form."""
        if document is None:
            return Manuscript(code, None)
        try:
            faults = self.owner.check(document)
        except Problem as problem:
            messages.error(
                self.request, _("The code could not be checked. {problem}").format(problem=sentence(problem))
            )
            return Manuscript(code, document)
        form.show(faults)
        self._warn(faults)
        return Manuscript(code, document, _marks(faults))

    def _warn(self, faults: Iterable[Fault]) -> None:
        """Say what does not block, once it was asked for."""
        if self.request.method == "POST":
            for fault in faults:
                if fault.level == "warning" and fault.path[:1] != ("code",):
                    messages.warning(self.request, capital(fault.message))

    # Deeds

    def _check(self, form: LambdaForm, manuscript: Manuscript) -> None:
        if not form.errors and not manuscript.errors and manuscript.document is not None:
            manuscript.marks += _marks(type_faults(self.owner.workspace, manuscript.document))
        if not form.errors and not manuscript.marks:
            messages.success(self.request, _("The check finds nothing wrong."))

    def _save(self, form: LambdaForm, manuscript: Manuscript) -> HttpResponse | None:
        if not self._keep(manuscript):
            return None
        is_faulty = form.errors or manuscript.errors
        more = " Mend what is marked before it is published." if is_faulty else ""
        messages.success(self.request, _("The draft is saved.{more}").format(more=more))
        return HttpResponseRedirect(self.owner.address("change"))

    def _publish(self, form: LambdaForm, manuscript: Manuscript) -> HttpResponse | None:
        if not self._keep(manuscript):
            return None
        if form.errors or manuscript.errors:
            messages.error(self.request, _("Not published: mend what is marked first. The draft is saved."))
            return None
        try:
            message = self._sent("message").strip()
            made = publish_or_start(self.owner.row, self.request.user, self._principal(), message)
        except Problem as problem:
            messages.error(
                self.request,
                _("Not published. {problem} The draft is saved.").format(problem=sentence(problem)),
            )
            return None
        if isinstance(made, Run):
            messages.info(self.request, _("Its packages are brought first; then it is live."))
            return HttpResponseRedirect(self.owner.address("change"))
        messages.success(self.request, _("Published: version {number} is live.").format(number=made.number))
        for fault in type_faults(self.owner.workspace, made.document)[:SHOWN_TYPE_FAULTS]:
            messages.warning(
                self.request,
                _("Line {line}: {message}").format(line=fault.line, message=capital(fault.message)),
            )
        return HttpResponseRedirect(self.owner.address("change"))

    def _keep(self, manuscript: Manuscript) -> bool:
        """Save code and settings as the draft; False when somebody else saved meanwhile, or when they cannot be read."""
        if manuscript.document is None:
            messages.error(self.request, _("Not saved: the settings cannot be read. Mend what is marked."))
            return False
        if self.seen != (now := sketches.digest_of(self.owner.row.draft)):
            self.seen = now
            theirs, mine = self.owner.spell(self.owner.row.draft), self.owner.spell(manuscript.document)
            pair = (theirs.splitlines(), mine.splitlines(), "the saved draft", "your text")
            self.theirs = classed(list(difflib.unified_diff(*pair, lineterm="")))
            messages.warning(
                self.request,
                _(
                    "Not saved: the draft was changed since you opened this page. Compare below; "
                    "saving again replaces it with yours."
                ),
            )
            return False
        self.owner.save_draft(manuscript.document, self.request.user)
        self.seen = sketches.digest_of(self.owner.row.draft)
        self.is_saved = True
        return True

    def _try(self, form: LambdaForm, manuscript: Manuscript) -> None:
        if manuscript.document is None or form.errors:
            messages.error(self.request, _("Not run: mend what is marked first."))
            return
        try:
            given = load(self._sent("inputs")).data
            finished = try_lambda(
                self.owner.row, manuscript.document, given, self._principal(), data_source=self._source()
            )
            self.tried = Tried(finished)
        except Problem as problem:
            self.tried = Tried(refusal=sentence(problem))
            return
        sketches.keep_sample(self.owner, self._sent("inputs"))

    def _start(self, form: LambdaForm, manuscript: Manuscript) -> HttpResponse | None:
        """A durable run of what is live, done by a worker: now, or at the time that was chosen."""
        try:
            given = load(self._sent("inputs")).data
            at = self._run_at() if self._sent("do") == "later" else None
            run = start_lambda(
                self.owner.row,
                given,
                principal=self._principal(),
                trigger="console",
                run_after=at,
                data_source=self._source(),
            )
        except Problem as problem:
            details = "".join(f" {capital(detail.message)}." for detail in details_of(problem))
            messages.error(
                self.request,
                _("Not started. {problem}{details}").format(problem=sentence(problem), details=details),
            )
            return None
        due = f" It is due at {at:%Y-%m-%d %H:%M:%S} UTC." if at is not None else ""
        messages.success(self.request, _("The run is accepted.{due}").format(due=due))
        return HttpResponseRedirect(reverse("admin:runs_run_change", args=[run.pk]))

    def _run_at(self) -> datetime:
        """The time that was chosen, by the workspace's clock. Problem `INVALID_INPUT` for none and for one that has passed."""
        try:
            moment = datetime.fromisoformat(self._sent("run_at"))
        except ValueError:
            raise invalid_input([Detail("run_at", "type", "choose a day and a time")]) from None
        return dispatch.run_at(moment.replace(tzinfo=self.owner.workspace.zone).astimezone(UTC))

    def _source(self) -> str:
        return source_of(self.request, self.owner.workspace)

    def _principal(self) -> Principal:
        return person(self.request, self.owner.workspace.pk)

    # The page

    def _page(self, form: LambdaForm, manuscript: Manuscript, sample: str) -> HttpResponse:
        row = self.owner.row
        schedules = Schedule.objects.filter(kind="lambda", target_id=row.pk)
        hook = row.triggers.filter(kind="webhook").first()
        return page(
            self.request,
            "console/lambda.html",
            str(row),
            self.crumbs,
            owner=self.owner,
            row=row,
            form=form,
            manuscript=manuscript,
            is_saved=self.is_saved,
            theirs=self.theirs,
            publication=last_publication(row),
            seen=self.seen,
            caret=self._sent("caret"),
            message=self._sent("message"),
            inputs=sample or "{}",
            run_at=self._sent("run_at"),
            zone=self.owner.workspace.timezone,
            rows=max(16, min(manuscript.text.count("\n") + 2, 42)),
            tried=self.tried,
            code={
                "address": self.owner.pages,
                "version": self.seen,
                "sample": sample or "{}",
                "marks": [
                    {"line": m.line, "column": m.column, "level": m.level, "message": m.message}
                    for m in manuscript.marks
                ],
                "form": {str(name): [str(error) for error in errors] for name, errors in form.errors.items()},
            },
            schedules=[(schedule, coming_times(schedule, SHOWN_TIMES)) for schedule in schedules],
            hook=f"{settings.PUBLIC_URL}/hook:{hook.key}" if hook is not None else "",
            runs=Run.objects.filter(kind="lambda", target_id=row.pk).defer(
                "input", "sealed_input", "result", "logs"
            )[:SHOWN_RUNS],
            revisions=self.owner.revisions().select_related("author").defer("document")[:REVISIONS_SHOWN],
            revisions_url=self.owner.address("revisions"),
            delete_url=self.owner.address("delete"),
        )
