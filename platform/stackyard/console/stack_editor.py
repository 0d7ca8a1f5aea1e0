"""What the visual editor asks the server for, one stack at a time: load, save, check, rename, YAML, publish, versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token

from stackyard.core.answers import json_answer, problem_answer
from stackyard.core.errors import Faults, Problem
from stackyard.core.meta.bodies import read_json
from stackyard.core.yaml import load
from stackyard.stacks.document import walk_lines, with_ids
from stackyard.stacks.extracting import extract_function
from stackyard.stacks.publishing import create_function
from stackyard.stacks.publishing import publish as publish_function
from stackyard.stacks.renaming import rename_input, rename_variable
from stackyard.stacks.spelling import from_spelling
from stackyard.stacks.wording import changes_in_words

from . import sketches
from .owners import StackOwner
from .presence import others_at
from .samples import sample_of
from .stack_facts import catalogue_of, checked, expressions_of, named, state_of, workspace_address

View = Callable[..., HttpResponse]
VERSIONS_SHOWN = 200


def answering(view: View) -> View:
    """A view whose Problems are answers in the contract's shape, like every other fault of these addresses."""

    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Problem as problem:
            return problem_answer(request, problem)

    return answered


def body_of(request: HttpRequest, *keys: str) -> dict[str, Any]:
    """The request's JSON object. Problem for anything else, and for a key that is not among `keys`."""
    body = read_json(request)
    if not isinstance(body, dict):
        raise Problem("INVALID_INPUT", "The body must be an object.")
    for key in body:
        if key not in keys:
            raise Problem("INVALID_INPUT", f'There is no "{key}" here; there is: {", ".join(keys)}.')
    return body


def _document(body: dict[str, Any]) -> dict[str, Any]:
    document = body.get("document")
    if not isinstance(document, dict):
        raise Problem("INVALID_INPUT", "document: expected an object with inputs, lines and response.")
    return document


def _text(body: dict[str, Any], key: str, longest: int = 200) -> str:
    value = body.get(key, "")
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        raise Problem("INVALID_INPUT", f"{key}: expected a text of at most {longest:,} characters.")
    return value


def only(request: HttpRequest, *methods: str) -> None:
    """Problem `METHOD_NOT_ALLOWED` for any other method."""
    if request.method not in methods:
        raise Problem(
            "METHOD_NOT_ALLOWED",
            f"{request.method} is not allowed here.",
            headers={"Allow": ", ".join(methods)},
        )


def opened(owner: StackOwner) -> dict[str, Any]:
    """Everything the editor begins with."""
    draft = owner.row.draft
    return {
        **state_of(owner),
        **checked(owner, draft),
        "document": draft,
        "expressions": expressions_of(draft),
        "catalogue": catalogue_of(owner),
        "address": owner.pages,
        "workspace": workspace_address(owner),
    }


def draft(request: HttpRequest, owner: StackOwner) -> HttpResponse:
    """GET: the draft and what belongs to it. PUT: replace it, if it still is the version the change began from."""
    only(request, "GET", "PUT")
    if request.method == "GET":
        # Whoever signed in again in another tab has another token than the page.
        return json_answer({**opened(owner), "csrf": get_token(request)})
    body = body_of(request, "document", "version", "force")
    document = _document(body)
    with transaction.atomic():
        owner = owner.locked()
        if body.get("force") is not True and body.get("version") != sketches.digest_of(owner.row.draft):
            return problem_answer(request, _conflict(owner))
        owner.save_draft(document, request.user)
        sketches.note_author(owner, request.user)
    return json_answer({**state_of(owner), **checked(owner, owner.row.draft)})


def _conflict(owner: StackOwner) -> Problem:
    now = state_of(owner)
    who = now["saved_by"] or "Somebody"
    return Problem(
        "CONFLICT",
        f"{who} saved this {owner.kind} after you opened it.",
        suggestion="Compare, then keep yours or take theirs.",
        details={**now, "document": owner.row.draft},
    )


def check(request: HttpRequest, owner: StackOwner) -> HttpResponse:
    """Check a document without keeping it."""
    only(request, "POST")
    return json_answer(checked(owner, _document(body_of(request, "document"))))


def rename(request: HttpRequest, owner: StackOwner) -> HttpResponse:
    """The document with a variable renamed everywhere, or an input with `"of": "inputs"`."""
    only(request, "POST")
    body = body_of(request, "document", "from", "to", "of")
    deed = rename_input if body.get("of") == "inputs" else rename_variable
    made = deed(_document(body), _text(body, "from"), _text(body, "to"))
    return json_answer({"document": made, "expressions": expressions_of(made)})


def extract(request: HttpRequest, owner: StackOwner) -> HttpResponse:
    """Make a published function of the lines `ids`, called `name`: the document with a call in their place, not saved."""
    only(request, "POST")
    body = body_of(request, "document", "ids", "name")
    document, ids, name = _document(body), body.get("ids"), _text(body, "name", 63)
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
        raise Problem("INVALID_INPUT", "ids: expected the ids of lines.")
    first = next(
        (line["id"] for line, _, _ in walk_lines(document.get("lines")) if line.get("id") in ids), ""
    )
    names = owner.look(document).scopes.get(first, {})
    function, made = extract_function(
        document, ids, name, {one: binding.type for one, binding in names.items()}
    )
    with transaction.atomic():
        target = create_function(owner.workspace, function, request.user)
        publish_function(target, request.user, f"Made from steps of {owner.row}")
    with_ids(made)
    return json_answer(
        {"document": made, "expressions": expressions_of(made), "functions": catalogue_of(owner)["functions"]}
    )


def yaml(request: HttpRequest, owner: StackOwner) -> HttpResponse:
    """A document as text (`{"document"}`), or a text as a document (`{"text"}`) with what is wrong in it by line and column."""
    only(request, "POST")
    body = body_of(request, "document", "text")
    if "text" not in body:
        return json_answer({"text": owner.spell(_document(body))})
    from .manuscript import read

    manuscript = read(owner, _text(body, "text", 5_000_000))
    marks = [
        {
            "line": mark.line,
            "column": mark.column,
            "level": mark.level,
            "message": mark.message,
            "suggestion": mark.suggestion,
        }
        for mark in manuscript.marks
    ]
    made = manuscript.document
    return json_answer(
        {"document": made, "marks": marks, "expressions": expressions_of(made) if made else {}}
    )


def lines(request: HttpRequest, owner: StackOwner) -> HttpResponse:
    """Lines out of a text that was pasted: YAML as files and docs spell it, a whole document or a list of lines."""
    only(request, "POST")
    text = _text(body_of(request, "text"), "text", 1_000_000)
    data = load(text).data
    if isinstance(data, dict) and "stack" not in data:
        data = [data]
    faults = Faults()
    made = from_spelling({"stack": data} if isinstance(data, list) else data, faults)
    faults.raise_errors()
    if not made["lines"]:
        raise Problem("INVALID_INPUT", "The text holds no lines of a stack.")
    return json_answer({"lines": made["lines"], "expressions": expressions_of(made)})


def changes(request: HttpRequest, owner: StackOwner) -> HttpResponse:
    """In words, GET: what publishing would change. POST `{"document"}`: what saving it would change in the draft."""
    only(request, "GET", "POST")
    if request.method == "POST":
        found = changes_in_words(owner.row.draft, _document(body_of(request, "document")))
    else:
        found = changes_in_words(owner.row.published.document if owner.row.published else {}, owner.row.draft)
    return json_answer({"changes": [change.as_value() for change in found], **state_of(owner)})


def publish(request: HttpRequest, owner: StackOwner) -> HttpResponse:
    """Make the draft live, if it still is the version that was looked at."""
    only(request, "POST")
    body = body_of(request, "version", "message")
    message = _text(body, "message").strip()
    with transaction.atomic():
        owner = owner.locked()
        if body.get("version") != sketches.digest_of(owner.row.draft):
            raise _conflict(owner)
        owner.publish(request.user, message)
    live = type(owner).find(owner.row.pk)
    sample = sketches.sample_of(live) or sample_of(live.row.draft)
    return json_answer({**state_of(live), "curl": live.curl_line(sample)})


def discard(request: HttpRequest, owner: StackOwner) -> HttpResponse:
    """Make what is live the draft again."""
    only(request, "POST")
    if owner.row.published is None:
        raise Problem("CONFLICT", "Nothing is published yet, so there is nothing to go back to.")
    return _restored(request, owner, owner.row.published)


def restore(request: HttpRequest, owner: StackOwner, number: int) -> HttpResponse:
    """Make an old version the draft."""
    only(request, "POST")
    return _restored(request, owner, owner.revision(number))


def _restored(request: HttpRequest, owner: StackOwner, revision: Any) -> HttpResponse:
    with transaction.atomic():
        owner = owner.locked()
        owner.restore(revision, request.user)
        sketches.forget_text(owner)
        sketches.note_author(owner, request.user)
    return json_answer(opened(owner))


def versions(request: HttpRequest, owner: StackOwner) -> HttpResponse:
    """The versions, newest first."""
    only(request, "GET")
    found = owner.revisions().select_related("author").defer("document")[:VERSIONS_SHOWN]
    live = owner.row.published_id
    listed = [
        {
            "number": revision.number,
            "message": revision.message,
            "author": named(revision.author),
            "created_at": revision.created_at,
            "is_live": revision.pk == live,
        }
        for revision in found
    ]
    return json_answer({"versions": listed})


def version(request: HttpRequest, owner: StackOwner, number: int) -> HttpResponse:
    """A version's document, and in words what the draft changes in it."""
    only(request, "GET")
    document = owner.revision(number).document
    found = [change.as_value() for change in changes_in_words(document, owner.row.draft)]
    return json_answer(
        {"number": number, "document": document, "changes": found, "text": owner.spell(document)}
    )


def presence(request: HttpRequest, owner: StackOwner) -> HttpResponse:
    """Say that one has it open; who else has."""
    only(request, "POST")
    return json_answer({"others": others_at(owner, request.user)})


ROUTES: dict[str, View] = {
    "": draft,
    "check/": check,
    "rename/": rename,
    "extract/": extract,
    "presence/": presence,
    "yaml/": yaml,
    "lines/": lines,
    "changes/": changes,
    "publish/": publish,
    "discard/": discard,
    "versions/": versions,
    "versions/<int:number>/": version,
    "versions/<int:number>/restore/": restore,
}
"""Below an owner's `…/editor/`."""
