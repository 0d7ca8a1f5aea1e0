"""apis/*.yaml, the API groups, and apis/*/*.yaml, their endpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, ClassVar

from django.utils.dateparse import parse_datetime

from stackyard.core import types as t
from stackyard.core.errors import Faults, did_you_mean
from stackyard.core.files import Change, DocumentFiles, SourceFile, Walk
from stackyard.core.models import Workspace
from stackyard.stacks import publishing as stacks
from stackyard.stacks.catalogue import load_catalogue
from stackyard.stacks.check import Checked, check_document
from stackyard.stacks.document import ENDPOINT_KEYS
from stackyard.stacks.files import MESSAGE, StackFiles, to_verify

from .checking import check_endpoint
from .cors import check_cors
from .groups import create_group, delete_group, edit_group
from .models import ApiGroup, Endpoint, new_canonical
from .publishing import ENDPOINTS, create_endpoint, delete_endpoint, set_active

_UNCHECKED = replace(ENDPOINTS, check=lambda *_: Checked([], {}, t.ANY))
_DATES = ("deprecated_at", "sunset_at")
# What a group has where its file says nothing; `canonical` and `mount` are the installation's to hand out.
_DEFAULTS: Mapping[str, Any] = {
    "mount": None,
    "description": "",
    "docs": "public",
    "cors": {},
    "unknown_inputs": "refuse",
    "timestamps": "iso",
    "deprecated_at": None,
    "sunset_at": None,
    "successor": None,
    "active": True,
}


class GroupFiles(DocumentFiles):
    """API groups: address, documentation, CORS, version."""

    name = "api group"
    label = "API groups"
    order = 30
    pattern = "apis/*.yaml"
    what = "An API group"
    keys: ClassVar[Sequence[str]] = ("name", "canonical", *_DEFAULTS)

    def published(self, workspace: Workspace) -> Mapping[str, Any]:
        groups = workspace.api_groups.select_related("successor")
        return {f"apis/{group.name}.yaml": _state_of(group) for group in groups}

    def spell(self, state: Any) -> dict[str, Any]:
        spelled = {"name": state["name"]}
        if state["canonical"] is not None:
            spelled["canonical"] = state["canonical"]
        return spelled | {key: state[key] for key, default in _DEFAULTS.items() if state[key] != default}

    def read(self, walk: Walk, source: SourceFile, data: dict[str, Any], before: Any) -> Any:
        given = {key: data[key] for key in self.keys if data.get(key) is not None}
        kept = before["canonical"] if before is not None else None
        wanted = {"canonical": kept, **_DEFAULTS, **given}
        columns = {key: value for key, value in given.items() if key not in (*_DATES, "successor")}
        faulty = not source.check_row(ApiGroup(**columns), data, exclude=("workspace", *_DATES))
        for key in _DATES:
            if wanted[key] is not None:
                wanted[key] = _read_moment(source, key, wanted[key])
                faulty = faulty or wanted[key] is None
        faults = Faults()
        check_cors(wanted["cors"], faults)
        for fault in faults.errors:
            source.fault(fault.path, fault.message, code=fault.code)
            faulty = True
        if not isinstance(wanted["successor"], str | None):
            source.fault(("successor",), "The successor is the name of an API group.", code="type")
            faulty = True
        return None if faulty else wanted

    def carry_out(self, walk: Walk, changes: Sequence[Change]) -> None:
        pending = [change for change in changes if change.changes_something]
        for change in pending:
            self._give_up_addresses(walk, change)
        for change in pending:
            values = {
                k: v for k, v in change.wanted.items() if k not in (*_DATES, "successor") and v is not None
            }
            values |= {
                "mount": change.wanted["mount"],
                **{key: _moment(change.wanted[key]) for key in _DATES},
            }
            walk.attempt(change.file, self._save, walk, values)
        for change in pending:
            # When every group is there, since two may name each other.
            walk.attempt(change.file, self._set_successor, walk, change, path=("successor",))

    def _give_up_addresses(self, walk: Walk, change: Change) -> None:
        """Two groups may trade canonicals or mounts: whoever gets another lets go of the present one first."""
        group = walk.target.api_groups.filter(name=change.stem).first()
        if group is None:
            return
        if group.canonical != change.wanted["canonical"]:
            group.canonical = new_canonical()
            group.save(update_fields=["canonical"])
        if group.mount != change.wanted["mount"]:
            group.mount = None
            group.save(update_fields=["mount"])

    def _save(self, walk: Walk, values: dict[str, Any]) -> None:
        group = walk.target.api_groups.filter(name=values["name"]).first()
        if group is None:
            create_group(walk.target, **values)
        else:
            edit_group(group, **values)

    def _set_successor(self, walk: Walk, change: Change) -> None:
        group = walk.target.api_groups.filter(name=change.stem).first()
        wanted = change.wanted["successor"]
        present = group.successor.name if group is not None and group.successor is not None else None
        if group is None or present == wanted:
            return
        successor = walk.target.api_groups.filter(name=wanted).first()
        if wanted is not None and successor is None:
            hint = did_you_mean(wanted, walk.target.api_groups.values_list("name", flat=True))
            change.file.fault(
                ("successor",), f'There is no API group "{wanted}".{hint}', code="unknown_group"
            )
            return
        edit_group(group, successor=successor)

    def remove(self, walk: Walk, changes: Sequence[Change]) -> None:
        for group in walk.target.api_groups.filter(name__in=[change.stem for change in changes]):
            delete_group(group)


def _state_of(group: ApiGroup) -> dict[str, Any]:
    state = {key: getattr(group, key) for key in ("name", "canonical", *_DEFAULTS)}
    state["successor"] = group.successor.name if group.successor is not None else None
    return state | {key: _moment_text(state[key]) for key in _DATES}


def _moment_text(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(text: str | None) -> datetime | None:
    return parse_datetime(text) if text is not None else None


def _read_moment(source: SourceFile, key: str, value: object) -> str | None:
    """A moment in the one form that the export writes; None and a fault when it is none."""
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        source.fault((key,), f"{key} is a moment with its zone, such as 2026-06-30T00:00:00Z.", code="type")
        return None
    return _moment_text(moment)


class EndpointFiles(StackFiles):
    """Endpoints: method, path, who may call, inputs, stack, response."""

    name = "endpoint"
    label = "Endpoints"
    order = 40
    pattern = "apis/*/*.yaml"
    what = "An endpoint"
    keys: ClassVar[Sequence[str]] = (*ENDPOINT_KEYS, "active", "inputs", "stack", "response")

    def published(self, workspace: Workspace) -> Mapping[str, Any]:
        return {path: _endpoint_state(endpoint) for path, endpoint in _published(workspace)}

    def with_drafts(self, workspace: Workspace) -> set[str]:
        rows = Endpoint.objects.filter(group__workspace=workspace).select_related("published", "group")
        return {_path(row) for row in rows if row.has_changes}

    def read(self, walk: Walk, source: SourceFile, data: dict[str, Any], before: Any) -> Any:
        wanted = super().read(walk, source, data, before)
        if wanted is None:
            return None
        if not isinstance(wanted.get("active", True), bool):
            source.fault(("active",), "`active` is true or false.", code="type")
            return None
        return {key: value for key, value in wanted.items() if key != "active" or value is False}

    def carry_out(self, walk: Walk, changes: Sequence[Change]) -> None:
        groups = {group.name: group for group in walk.target.api_groups.all()}
        for change in changes:
            if not change.changes_something:
                continue
            group = groups.get(PurePosixPath(change.path).parent.name)
            if group is None:
                change.file.fault((), f"The group has no file: {PurePosixPath(change.path).parent}.yaml.")
                continue
            walk.attempt(change.file, self._publish, walk, group, change)

    def _publish(self, walk: Walk, group: ApiGroup, change: Change) -> None:
        document = deepcopy(change.wanted)
        active = document.pop("active", True)
        old_name = change.stem if change.was is None else PurePosixPath(change.was).stem
        endpoint = group.endpoints.filter(name=old_name).first()
        if endpoint is None:
            endpoint = create_endpoint(group, document, walk.author)
        endpoint.draft = document
        stacks.publish(endpoint, walk.author, MESSAGE, _UNCHECKED)
        if endpoint.active != active:
            set_active(endpoint, active)

    def remove(self, walk: Walk, changes: Sequence[Change]) -> None:
        gone = {change.path for change in changes}
        for path, endpoint in list(_published(walk.target)):
            if path in gone:
                delete_endpoint(endpoint)

    def verify(self, walk: Walk, changes: Sequence[Change]) -> None:
        catalogue = load_catalogue(walk.target)
        for found in to_verify(self, walk, changes, dict(_published(walk.target))):
            document = _document(found.row)
            own = Faults()
            if found.is_written:
                check_endpoint(found.row.group, document, own, found.row)
            stack = check_document(document, catalogue, extra_keys=ENDPOINT_KEYS)
            found.note(walk, document, [*own.found, *stack.faults])


def _published(workspace: Workspace) -> Iterator[tuple[str, Endpoint]]:
    rows = Endpoint.objects.filter(group__workspace=workspace, published__isnull=False)
    for endpoint in rows.select_related("published", "group__workspace"):
        yield _path(endpoint), endpoint


def _path(endpoint: Endpoint) -> str:
    return f"apis/{endpoint.group.name}/{endpoint.name}.yaml"


def _document(endpoint: Endpoint) -> dict[str, Any]:
    return endpoint.published.document if endpoint.published is not None else {}


def _endpoint_state(endpoint: Endpoint) -> dict[str, Any]:
    state = {**_document(endpoint), "name": endpoint.name}
    return state if endpoint.active else {**state, "active": False}
