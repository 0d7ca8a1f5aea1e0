"""The page on which a function stack is edited as text: check, save, publish, try."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stackyard.core.errors import Problem
from stackyard.stacks.palette import step_kinds

from . import sketches
from .chosen_source import source_of
from .gate import may_do
from .manuscript import Manuscript, read
from .owners import StackOwner
from .pages import Crumb, page
from .problems import sentence
from .samples import sample_of
from .stack_editor import opened
from .trials import Trial, trial_of

REVISIONS_SHOWN = 10


class Editor:
    """One request to the editor of one owner.

    Everything on the page is one form, so whatever is pressed, the text comes along and comes back as
    it was typed.
    """

    def __init__(self, request: HttpRequest, owner: StackOwner, crumbs: Sequence[Crumb]) -> None:
        self.request = request
        self.owner = owner
        self.crumbs = crumbs
        self.trial: Trial | None = None
        self.theirs: list[tuple[str, str]] = []
        # The form without the visual editor, also where its script is there.
        self.is_plain = "plain" in request.GET
        # Whether the text is the draft, and whether it would be lost by leaving.
        self.is_saved = self.is_kept = True
        # The draft this text was begun from; another one in the database means that somebody else saved.
        self.seen = request.POST.get("seen", sketches.digest_of(owner.row.draft))

    def _sent(self, name: str) -> str:
        """A text of the form. NUL, which no keyboard makes and PostgreSQL cannot keep, is shown as a replacement."""
        return self.request.POST.get(name, "").replace("\0", "\N{REPLACEMENT CHARACTER}")

    def answer(self) -> HttpResponse:
        """The page, or the way back to it after something was saved."""
        if self.request.method != "POST":
            text, sketch = sketches.open_text(self.owner)
            if sketch is not None and sketch.text and not sketch.is_draft:
                # The draft may have moved on since this text was typed: saving it must then ask first.
                self.is_saved, self.seen = False, sketch.draft_digest
            return self._page(read(self.owner, text), sketch.sample if sketch else "")
        manuscript = read(self.owner, self._sent("text"))
        deed = {"check": self._check, "save": self._save, "publish": self._publish, "try": self._try}.get(
            self.request.POST.get("do", "check"), self._check
        )
        answered = deed(manuscript)
        return answered or self._page(manuscript, self._sent("inputs"))

    def _back(self) -> HttpResponse:
        return HttpResponseRedirect(self.owner.address("change") + ("?plain=1" if self.is_plain else ""))

    def _compare(self, manuscript: Manuscript) -> None:
        """Find out whether the text is what the next person would be shown."""
        self.is_kept = manuscript.text == sketches.open_text(self.owner)[0]
        self.is_saved = self.is_kept and manuscript.document is not None

    def _check(self, manuscript: Manuscript) -> None:
        self._compare(manuscript)
        if not manuscript.marks:
            messages.success(self.request, _("The check finds nothing wrong."))

    def _save(self, manuscript: Manuscript) -> HttpResponse | None:
        if not self._keep(manuscript):
            return None
        messages.success(self.request, _("The draft is saved.") + _count(manuscript))
        return self._back()

    def _publish(self, manuscript: Manuscript) -> HttpResponse | None:
        if not self._keep(manuscript):
            return None
        if manuscript.errors:
            messages.error(self.request, _("Not published: mend what is marked first. The draft is saved."))
            return None
        try:
            revision = self.owner.publish(self.request.user, self._sent("message").strip())
        except Problem as problem:
            messages.error(
                self.request,
                _("Not published. {problem} The draft is saved.").format(problem=sentence(problem)),
            )
            return None
        live = _("Published: version {number} is live.").format(number=revision.number)
        messages.success(self.request, live)
        return self._back()

    def _try(self, manuscript: Manuscript) -> None:
        self._compare(manuscript)
        if manuscript.document is None or manuscript.errors:
            messages.error(self.request, _("Not run: mend what is marked first."))
            return
        sample = self._sent("inputs")
        keeps = self.request.POST.get("keep_changes") == "on"
        source = source_of(self.request, self.owner.workspace)
        self.trial = trial_of(self.owner, manuscript.document, sample, self.request.user, keeps, source)
        sketches.keep_sample(self.owner, sample)

    def _keep(self, manuscript: Manuscript) -> bool:
        """Save the text as the draft; False when somebody else saved meanwhile, or when it says no document."""
        self.is_saved = self.is_kept = False
        now = sketches.digest_of(self.owner.row.draft)
        if self.seen != now:
            self.seen = now
            mine, theirs = manuscript.text.splitlines(), self.owner.spell(self.owner.row.draft).splitlines()
            diff = difflib.unified_diff(theirs, mine, "the saved draft", "your text", lineterm="")
            self.theirs = classed(list(diff))
            messages.warning(
                self.request,
                _(
                    "Not saved: the draft was changed since you opened this page. Compare below; "
                    "saving again replaces it with your text."
                ),
            )
            return False
        if manuscript.document is not None:
            self.owner.save_draft(manuscript.document, self.request.user)
        sketches.keep_text(self.owner, manuscript, self.request.user)
        self.seen = sketches.digest_of(self.owner.row.draft)
        self.is_kept, self.is_saved = True, manuscript.document is not None
        if manuscript.document is None:
            messages.warning(
                self.request,
                _(
                    "The text is kept, but it is not the draft yet: it cannot be read as a document. "
                    "Mend what is marked."
                ),
            )
        return manuscript.document is not None

    def _page(self, manuscript: Manuscript, sample: str) -> HttpResponse:
        draft = manuscript.document or self.owner.row.draft
        row = self.owner.row
        return page(
            self.request,
            "console/editor.html",
            str(row),
            self.crumbs,
            owner=self.owner,
            row=row,
            is_plain=self.is_plain,
            visual=None if self.is_plain else self._visual(),
            manuscript=manuscript,
            is_saved=self.is_saved,
            is_kept=self.is_kept,
            theirs=self.theirs,
            seen=self.seen,
            caret=self._sent("caret"),
            message=self._sent("message"),
            inputs=sample or sample_of(draft),
            curl=self.owner.curl_line(sample or sample_of(draft)),
            rows=max(16, min(manuscript.text.count("\n") + 2, 42)),
            keep_changes=self.request.POST.get("keep_changes") == "on",
            trial=self.trial,
            debug={"address": self.owner.pages, "kind": self.owner.kind},
            revisions=self.owner.revisions().select_related("author").defer("document")[:REVISIONS_SHOWN],
            revisions_url=self.owner.address("revisions"),
            delete_url=self.owner.address("delete"),
        )

    def _visual(self) -> dict[str, Any]:
        """What the visual editor begins with."""
        return {
            "kind": self.owner.kind,
            "opened": opened(self.owner),
            "palette": step_kinds(),
            "isReadOnly": not may_do(self.request, f"{self.owner.pages}editor/publish/"),
        }


def _count(manuscript: Manuscript) -> str:
    errors = len(manuscript.errors)
    if not errors:
        return ""
    text = ngettext(
        "{count} fault to mend before it can be published.",
        "{count} faults to mend before it can be published.",
        errors,
    )
    return " " + text.format(count=errors)


def differences(old: str, new: str, old_name: str, new_name: str) -> list[tuple[str, str]]:
    """The unified difference of two texts: `(kind, line)`, kind one of `add`, `drop`, `place`, `same`."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), old_name, new_name, lineterm="", n=4)
    return classed(list(lines))


def classed(lines: list[str]) -> list[tuple[str, str]]:
    """Each line of a unified difference with its kind."""
    kinds = {"+": "add", "-": "drop", "@": "place"}
    return [("place" if line[:3] in {"+++", "---"} else kinds.get(line[:1], "same"), line) for line in lines]
