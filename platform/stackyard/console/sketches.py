"""Which text the editor opens with, and keeping what was typed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from .manuscript import Manuscript
from .models import Sketch
from .owners import StackOwner


def digest_of(document: Any) -> str:
    """A short mark of a document's content: two drafts have the same one when they are the same."""
    text = json.dumps(document, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def open_text(owner: StackOwner) -> tuple[str, Sketch | None]:
    """The text to edit, and the sketch it comes from.

    A kept text is shown while the draft is still the one it was typed for, so comments and line breaks
    stay. Else the draft was changed elsewhere, and its own spelling is shown; a text that never became
    the draft is still shown, because nothing else has it.
    """
    sketch = Sketch.objects.filter(owner_kind=owner.kind, owner_id=owner.row.pk).first()
    if sketch is not None and sketch.text and _is_shown(sketch, owner):
        return sketch.text, sketch
    return owner.spell(owner.row.draft), sketch


def _is_shown(sketch: Sketch, owner: StackOwner) -> bool:
    return not sketch.is_draft or sketch.draft_digest == digest_of(owner.row.draft)


def sketch_of(owner: StackOwner) -> Sketch | None:
    """What is kept beside a draft, with who saved it."""
    found = Sketch.objects.filter(owner_kind=owner.kind, owner_id=owner.row.pk)
    return found.select_related("author").first()


def note_author(owner: StackOwner, author: Any) -> None:
    """Remember who saved the draft last."""
    _keep(owner, author=author)


def keep_text(owner: StackOwner, manuscript: Manuscript, author: Any) -> None:
    """Keep a text as it was typed, beside the draft it became (or did not become)."""
    _keep(
        owner,
        text=manuscript.text,
        is_draft=manuscript.document is not None,
        draft_digest=digest_of(owner.row.draft),
        author=author,
    )


def sample_of(owner: StackOwner) -> str:
    """The inputs of the last trial; empty when there was none."""
    found = Sketch.objects.filter(owner_kind=owner.kind, owner_id=owner.row.pk).values_list(
        "sample", flat=True
    )
    return found.first() or ""


def keep_sample(owner: StackOwner, sample: str) -> None:
    """Keep the inputs of a trial for the next one."""
    _keep(owner, sample=sample)


def forget_text(owner: StackOwner) -> None:
    """Show the draft's own spelling from now on: after a restore, or when its sketch is given up."""
    _keep(owner, text="", is_draft=False)


def forget(owner_kind: str, owner_id: int) -> None:
    """Remove what belonged to an owner that is gone."""
    Sketch.objects.filter(owner_kind=owner_kind, owner_id=owner_id).delete()


def _keep(owner: StackOwner, **values: Any) -> None:
    Sketch.objects.update_or_create(owner_kind=owner.kind, owner_id=owner.row.pk, defaults=values)
