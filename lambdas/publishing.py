"""The one door to changes of lambdas. Publishing checks the code too, and puts the triggers in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction

from stackyard.core import types as t
from stackyard.core import version
from stackyard.core.audit.actor import meant_as
from stackyard.core.errors import Detail, Fault, Faults, Problem, invalid_input
from stackyard.core.models import Variable, Workspace
from stackyard.runs.schedule import replace_schedules
from stackyard.stacks import publishing as stacks
from stackyard.stacks.check import Checked
from stackyard.stacks.models import Revision
from stackyard.tables.schema import load_schema

from . import supervisor
from .dependents import ask_users, names_in, warn_of_strangers
from .document import DEFAULTS, check_document, with_defaults
from .models import Lambda, Trigger, name_validator, new_token
from .supervisor.compiler import SyntaxFault
from .supervisor.packages import NOBODY, PHASES, CannotBundle, Onlooker, bundle_path, make_bundle, packages_in
from .triggers.trigger import TriggerKind


def check(target: Lambda, document: Any) -> Checked:
    """Every fault of a document as this lambda's, a syntax fault of its code included."""
    faults = Faults()
    workspace = target.workspace
    variables = dict(Variable.objects.filter(workspace=workspace).values_list("name", "is_secret"))
    check_document(document, faults, variables, load_schema(workspace.pk).tables)
    if isinstance(document, Mapping):
        name = document.get("name")
        if workspace.lambdas.filter(name=name).exclude(pk=target.pk).exists():
            faults.error(("name",), "doubled_name", f'There is another lambda "{name}".')
        warn_of_strangers(document, faults, names_in(workspace))
        if isinstance(document.get("code"), str):
            _check_code(document["code"], faults)
    return Checked(faults.found, {}, t.ANY)


def _check_code(code: str, faults: Faults) -> None:
    try:
        imports = supervisor.default().compile(code).imports
    except SyntaxFault as fault:
        failure = fault.failure
        message = (
            f"{failure.message} (line {failure.line}, column {failure.column})"
            if failure.line
            else failure.message
        )
        faults.error(("code",), "syntax", message, line=failure.line, column=failure.column)
        return
    for specifier in imports:
        try:
            packages_in([specifier])
        except CannotBundle as error:
            faults.error(("code",), "package", str(error), line=_line_of(code, specifier), column=1)


def bring_packages(code: str, onlooker: Onlooker = NOBODY) -> None:
    """Bundle the npm packages that code imports, so that it finds them when it runs: seconds and the network the first
    time, nothing after. Problem `INVALID_INPUT` when they can't be had."""
    try:
        imports = supervisor.default().compile(code).imports
        make_bundle(settings.HOME / "lambdas", imports, settings.PACKAGE_ENVIRONMENT, onlooker)
    except SyntaxFault:
        return  # a fault of its own
    except CannotBundle as error:
        raise invalid_input([Detail("code", "package", str(error))]) from None


def lacks_packages(code: str) -> bool:
    """Whether code imports npm packages that are still to be brought."""
    try:
        bundle = bundle_path(settings.HOME / "lambdas", supervisor.default().compile(code).imports)
    except SyntaxFault:
        return False
    return bundle is not None and not bundle.exists()


def _line_of(code: str, specifier: str) -> int:
    """The line (from 1) of an import; declarations stand before everything else."""
    return code.count("\n", 0, max(code.find(specifier), 0)) + 1


def create_lambda(workspace: Workspace, document: Mapping[str, Any], author: Any = None) -> Lambda:
    """A lambda with a first draft, not published yet. Problem for a name that cannot be given."""
    name = document.get("name")
    if not isinstance(name, str) or not name_validator.regex.search(name):  # type: ignore[union-attr]
        raise Problem("INVALID_INPUT", f"name: {name_validator.message}")
    if workspace.lambdas.filter(name=name).exists():
        raise Problem("CONFLICT", f'There is another lambda "{name}" in this workspace.')
    return Lambda.objects.create(
        workspace=workspace,
        name=name,
        description=str(document.get("description") or ""),
        draft=with_defaults(document),
    )


def save_draft(target: Lambda, document: Mapping[str, Any], author: Any = None) -> list[Fault]:
    """Keep a draft, faulty or not, and say what is wrong with it."""
    target.draft = with_defaults(document)
    target.save(update_fields=["draft", "updated_at"])
    return check(target, target.draft).faults


def publish(target: Lambda, author: Any = None, message: str = "", onlooker: Onlooker = NOBODY) -> Revision:
    """Make the draft what runs. Problem 400 with every fault, and nothing changed, when it has any; `CONFLICT` when it would
    give up a name that published stacks run, or lambdas follow."""
    bring_packages(with_defaults(target.draft)["code"], onlooker)
    before = target.name
    try:
        with transaction.atomic():
            onlooker.reached(PHASES.index("publishing"))
            revision = stacks.publish(target, author, message, LAMBDAS)
            if target.name != before:
                ask_users(target.workspace_id, before)
    except Problem:
        target.refresh_from_db(fields=["name", "description", "published"])
        raise
    return revision


def restore(target: Lambda, revision: Revision, author: Any = None) -> list[Fault]:
    """Make an old revision the draft again."""
    if revision.owner_kind != LAMBDAS.kind or revision.owner_id != target.pk:
        raise Problem("NOT_FOUND", "This revision belongs to something else.")
    with meant_as("restore"):
        return save_draft(target, revision.document, author)


def delete_lambda(target: Lambda) -> None:
    """Take a lambda away with its schedules and triggers; runs that wait end as failed when their turn comes.

    Problem `CONFLICT` while something published runs or follows it.
    """
    with transaction.atomic():
        replace_schedules(target.workspace, "lambda", target.pk, [])
        Revision.objects.filter(owner_kind=LAMBDAS.kind, owner_id=target.pk).delete()
        target.delete()
        version.bump(target.workspace_id)
        ask_users(target.workspace_id, target.name)


def _switch(target: Lambda, document: dict[str, Any]) -> None:
    """Write what is published: name, description, schedules, triggers."""
    target.name = document["name"]
    target.description = document.get("description", "")
    schedules, tokens = [], [t.key for t in target.triggers.filter(kind="webhook")]
    target.triggers.all().delete()
    for entry in document.get("triggers", []):
        kind, spec = next(iter(entry.items()))
        if kind == "schedule":
            schedules.append(_schedule(spec, document.get("catch_up", DEFAULTS["catch_up"])))
            continue
        key = TriggerKind.get(kind).key(spec, target)
        if kind == "webhook":
            # The address of a webhook outlives what is published.
            key = tokens.pop(0) if tokens else new_token()
        Trigger.objects.create(workspace=target.workspace, target=target, kind=kind, key=key, spec=spec)
    replace_schedules(target.workspace, "lambda", target.pk, schedules)


def _schedule(spec: Mapping[str, Any], catch_up: str) -> dict[str, Any]:
    return {
        "cron": str(spec.get("cron") or ""),
        "every_seconds": spec.get("every_seconds"),
        "timezone": spec.get("timezone", "UTC"),
        "catch_up": spec.get("catch_up", catch_up),
        "input": spec.get("input"),
    }


LAMBDAS = stacks.Ownership("lambda", lambda target: target.workspace, check, _switch)
"""How `stackyard.stacks.publishing` publishes a lambda; pass it to `revisions` there, too."""
