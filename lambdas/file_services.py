"""`files` in lambdas: the files of the workspace, through the door that stacks use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stackyard.core import vault
from stackyard.core.errors import Detail, did_you_mean, invalid_input
from stackyard.core.limits import PAGE_RECORDS
from stackyard.core.models import StoredFile
from stackyard.stacks import stored_files
from stackyard.stacks.execution import Execution


def file_deeds(execution: Execution) -> Mapping[str, Callable[..., Any]]:
    """What `files.…` in a lambda is answered by."""

    def write(name: Any, content: Any, options: Any = None) -> dict[str, Any]:
        given = _options(options, {"kind": "attachment", "access": "private"})
        return stored_files.create(execution, content, given["kind"], given["access"], name)

    def read(file: Any, form: Any = "text") -> Any:
        if form not in ("text", "bytes"):
            raise invalid_input([Detail("as", "value", 'expected "text" or "bytes"')])
        return stored_files.read(execution, file, form)

    def listed(options: Any = None) -> list[dict[str, Any]]:
        given = _options(options, {"search": None, "page": 1, "perPage": 20})
        return _page(execution.workspace_id, given)

    return {
        "files.write": write,
        "files.read": read,
        "files.list": listed,
        "files.delete": lambda file: stored_files.delete(execution, file),
        "files.sign": lambda file, seconds=None: stored_files.sign(execution, file, seconds),
    }


def _page(workspace_id: int, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    page, size = given["page"], given["perPage"]
    for name, number, most in (("page", page, 1_000_000), ("perPage", size, PAGE_RECORDS.maximum)):
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= most:
            raise invalid_input([Detail(name, "range", f"expected a whole number from 1 to {most:,}")])
    rows = StoredFile.objects.filter(workspace_id=workspace_id)
    if given["search"] is not None:
        rows = rows.filter(name__icontains=str(given["search"]))
    return [vault.as_json(row) for row in rows[(page - 1) * size : page * size]]


def _options(given: Any, defaults: Mapping[str, Any]) -> dict[str, Any]:
    given = given or {}
    if not isinstance(given, dict):
        raise invalid_input([Detail("options", "type", "expected an object")])
    unknown = [name for name in given if name not in defaults]
    if unknown:
        hints = [(name, did_you_mean(name, defaults)) for name in unknown]
        raise invalid_input(
            [Detail(n, "unknown_key", f"There is no such option.{hint}") for n, hint in hints]
        )
    return {**defaults, **given}
