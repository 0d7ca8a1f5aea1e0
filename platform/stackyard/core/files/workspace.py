"""workspace.yaml: the workspace itself and its variables (values of plain ones, never of secrets)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from stackyard.core.errors import Path
from stackyard.core.models import Variable, Workspace
from stackyard.core.workspaces import (
    create_variable,
    create_workspace,
    delete_variable,
    edit_variable,
    edit_workspace,
)

from .folder import SourceFile
from .kind import Change, DocumentFiles, Walk

_PATH = "workspace.yaml"
_VARIABLE_KEYS = ("value", "secret", "description")


class WorkspaceFiles(DocumentFiles):
    """The workspace's name, description, time zone and variables."""

    name = "workspace"
    label = "Workspace"
    order = 0
    pattern = _PATH
    what = "A workspace"
    keys: ClassVar[Sequence[str]] = ("name", "description", "timezone", "variables")
    named_by_file = False

    def published(self, workspace: Workspace) -> Mapping[str, Any]:
        variables = {v.name: _state_of(v) for v in workspace.variables.order_by("name")}
        state = {"name": workspace.name, "description": workspace.description, "timezone": workspace.timezone}
        return {_PATH: {**state, "variables": variables}}

    def spell(self, state: Any) -> dict[str, Any]:
        spelled = {"name": state["name"]}
        if state["description"]:
            spelled["description"] = state["description"]
        spelled["timezone"] = state["timezone"]
        if state["variables"]:
            spelled["variables"] = {
                name: _spell_variable(variable) for name, variable in sorted(state["variables"].items())
            }
        return spelled

    def read(self, walk: Walk, source: SourceFile, data: dict[str, Any], before: Any) -> Any:
        timezone = data.get("timezone")
        wanted = {
            "name": data["name"],
            "description": source.text(data, "description"),
            "timezone": "UTC" if timezone is None else timezone,
            "variables": _read_variables(source, data.get("variables")),
        }
        row = Workspace(**{key: wanted[key] for key in ("name", "description", "timezone")})
        return wanted if source.check_row(row, data) else None

    def lacking(self, wanted: Any, before: Any) -> list[str]:
        return [f"variable {name}" for name in before["variables"] if name not in wanted["variables"]]

    def keeping(self, wanted: Any, before: Any) -> Any:
        return {**wanted, "variables": {**before["variables"], **wanted["variables"]}}

    def carry_out(self, walk: Walk, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.action == "broken" and walk.workspace is None:
                # Never to stay: so that the faults of the other files are found in the same pass.
                walk.workspace = Workspace.objects.create(name=f"~{secrets.token_hex(8)}")
            elif change.changes_something:
                self._save(walk, change.file, change.wanted)

    def _save(self, walk: Walk, source: SourceFile, wanted: Mapping[str, Any]) -> None:
        settings = {key: wanted[key] for key in ("description", "timezone")}
        if walk.workspace is None:
            walk.workspace = create_workspace(wanted["name"], **settings)
        else:
            edit_workspace(walk.workspace, **settings)
        present = {variable.name: variable for variable in walk.workspace.variables.all()}
        for name, state in wanted["variables"].items():
            path = ("variables", name)
            walk.attempt(
                source, _save_variable, walk.workspace, present.pop(name, None), name, state, path=path
            )
        if walk.prune:
            for variable in present.values():
                delete_variable(variable)


def _state_of(variable: Variable) -> dict[str, Any]:
    value = None if variable.is_secret else variable.stored
    return {"secret": variable.is_secret, "value": value, "description": variable.description}


def _spell_variable(state: Mapping[str, Any]) -> Any:
    if not state["secret"] and not state["description"]:
        return state["value"]
    spelled = {"secret": True} if state["secret"] else {"value": state["value"]}
    if state["description"]:
        spelled["description"] = state["description"]
    return spelled


def _read_variables(source: SourceFile, data: Any) -> dict[str, Any]:
    if data is None:
        return {}
    if not isinstance(data, dict):
        source.fault(("variables",), "Variables are a map of names to values.", code="type")
        return {}
    return {name: state for name, entry in data.items() if (state := _read_variable(source, name, entry))}


def _read_variable(source: SourceFile, name: str, entry: Any) -> dict[str, Any] | None:
    path: Path = ("variables", name)
    data = entry if isinstance(entry, dict) else {"value": entry}
    source.check_keys(data, _VARIABLE_KEYS, path, what="A variable")
    secret, value = data.get("secret", False), data.get("value")
    if not isinstance(secret, bool):
        source.fault((*path, "secret"), "`secret` is true or false.", code="type")
        return None
    if secret and value is not None:
        source.fault(
            (*path, "value"),
            "The value of a secret is never in a file: set it in the console.",
            code="secret",
        )
        return None
    if not secret and not isinstance(value, str):
        message = (
            f"The value of {name} must be text: put it in quotes, or write {{secret: true}} for a secret."
        )
        source.fault(path, message, code="type")
        return None
    description = source.text(data, "description", path)
    row = Variable(name=name, description=description, is_secret=secret)
    if not source.check_row(row, data, path, exclude=("workspace",)):
        return None
    return {"secret": secret, "value": value, "description": description}


def _save_variable(
    workspace: Workspace, present: Variable | None, name: str, wanted: Mapping[str, Any]
) -> None:
    """Write one variable; a secret keeps the value it has, and one that becomes secret takes its value along."""
    changes = {"description": wanted["description"], "is_secret": wanted["secret"]}
    if not wanted["secret"]:
        changes["value"] = wanted["value"]
    if present is None:
        create_variable(workspace, name, **changes)
    else:
        edit_variable(present, **changes)
