"""Plans: compiled stacks, kept until their workspace's version moves, and how one is run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stackyard.core.data_source import LIVE
from stackyard.core.errors import Faults, Problem
from stackyard.core.jsonout import encode
from stackyard.core.models import Workspace
from stackyard.core.version import workspace_versions
from stackyard.tables.schema import Schema, load_schema

from .catalogue import load_catalogue
from .check import check_document
from .compiler import Compiled, compile_stack
from .execution import DebugStop, Execution, RequestFacts, Stopped
from .inputs import InputSet
from .models import Function, Revision
from .trace import Trace

__all__ = [
    "DebugStop",
    "Execution",
    "Plan",
    "RequestFacts",
    "Trace",
    "load_draft",
    "load_function",
    "load_plan",
]


_KEPT_DRAFTS = 32
"""Drafts that are tried again and again while somebody works on them."""


class Plan:
    """A stack ready to run: its function and its inputs."""

    __slots__ = ("_function", "compiled", "document", "inputs")

    def __init__(self, document: Mapping[str, Any], compiled: Compiled) -> None:
        self.document = document
        self.compiled = compiled
        self.inputs = InputSet(document.get("inputs", {}))
        self._function: Callable[[Any, dict[str, Any]], Any] = compiled.function

    def run(self, execution: Execution, inputs: dict[str, Any]) -> Any:
        """The response for inputs that were bound. Any Problem it raises knows its place in the stack."""
        try:
            return self._function(execution, inputs)
        except Problem as problem:
            if problem.place is None:
                problem.place = self.compiled.places.find(problem.__traceback__)
            raise
        except Stopped as stopped:
            if stopped.problem.place is None:
                stopped.problem.place = self.compiled.places.find(stopped.__traceback__)
            if execution.depth:
                raise
            raise stopped.problem from None
        except RecursionError:
            raise Problem("EXPRESSION_FAILED", "A value nests too deep to work on.", status=422) from None


@dataclass(slots=True)
class _WorkspacePlans:
    """The plans of one workspace and data source at one version; filled as they are first used."""

    version: int
    schema: Schema
    functions: Mapping[str, int]
    # Those of called functions that are traced stand under the negative number.
    plans: dict[int, Plan] = field(default_factory=dict)
    function_revisions: dict[int, int] = field(default_factory=dict)
    drafts: dict[bytes, Plan] = field(default_factory=dict)


_held: dict[tuple[int, str], _WorkspacePlans] = {}


def _plans(workspace_id: int, source: str) -> _WorkspacePlans:
    version = workspace_versions.get().get(workspace_id, 0)
    held = _held.get((workspace_id, source))
    if held is None or held.version != version:
        rows = Function.objects.filter(workspace_id=workspace_id, published__isnull=False)
        found = list(rows.values_list("name", "pk", "published_id"))
        held = _WorkspacePlans(
            version,
            load_schema(workspace_id, source),
            {name: pk for name, pk, _ in found},
            {},
            {pk: revision for _, pk, revision in found if revision is not None},
        )
        _held[workspace_id, source] = held
    return held


def load_plan(workspace_id: int, revision_id: int, traced: bool = False, source: str = LIVE) -> Plan:
    """The plan of a published revision for a data source, compiled on first use; `traced` is the revision's own choice.

    Problem when it does not fit the tables any more.
    """
    held = _plans(workspace_id, source)
    plan = held.plans.get(revision_id)
    if plan is None:
        document = Revision.objects.values_list("document", flat=True).get(
            pk=revision_id, workspace_id=workspace_id
        )
        plan = held.plans[revision_id] = _compile(
            workspace_id, held, document, f"revision {revision_id}", traced
        )
    return plan


def load_function(workspace_id: int, function_id: int, traced: bool = False, source: str = LIVE) -> Plan:
    """The plan of a function's published revision for a data source."""
    held = _plans(workspace_id, source)
    revision = held.function_revisions.get(function_id)
    if revision is None:
        raise Problem("NOT_FOUND", "The function this stack calls is not published any more.")
    if not traced:
        return load_plan(workspace_id, revision, source=source)
    plan = held.plans.get(-revision)
    if plan is None:
        document = Revision.objects.values_list("document", flat=True).get(pk=revision)
        plan = held.plans[-revision] = _compile(workspace_id, held, document, f"revision {revision}", True)
    return plan


def load_draft(workspace_id: int, document: Mapping[str, Any], source: str = LIVE) -> Plan:
    """A traced plan of a document that is not published, for Run & Debug; 400 with all faults when it has errors."""
    held = _plans(workspace_id, source)
    digest = hashlib.sha256(encode(document)).digest()
    plan = held.drafts.get(digest)
    if plan is None:
        plan = _compile(workspace_id, held, document, "draft", True)
        if len(held.drafts) >= _KEPT_DRAFTS:
            held.drafts.clear()
        held.drafts[digest] = plan
    return plan


def _compile(
    workspace_id: int, held: _WorkspacePlans, document: Mapping[str, Any], name: str, traced: bool
) -> Plan:
    catalogue = load_catalogue(Workspace.objects.get(pk=workspace_id))
    checked = check_document(document, catalogue, extra_keys=tuple(document))
    if checked.errors:
        _refuse(checked.errors, name)
    return Plan(
        document,
        compile_stack(document, held.schema, held.functions, checked.trees, name=name, traced=traced),
    )


def _refuse(faults: list[Any], name: str) -> None:
    """A draft's faults are its author's to read; a caller learns only that the published stack is out of date."""
    if name == "draft":
        Faults(faults).raise_errors()
    raise Problem(
        "STACK_OUTDATED",
        "This function stack does not fit its tables or functions any more.",
        status=500,
        suggestion="Open it in the console, mend what the check reports, and publish it again.",
    )
