"""When records change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import Faults, Path, Problem, did_you_mean
from stackyard.core.expressions import ExpressionError, evaluate, parse
from stackyard.core.expressions.check import Checker
from stackyard.core.expressions.scope import Binding, Scope
from stackyard.core.version import Current
from stackyard.stacks.values import expression_of
from stackyard.tables.definitions import Schema, TableDef
from stackyard.tables.schema import load_schema
from stackyard.tables.watching import ACTIONS, listen

from .trigger import TriggerKind


class RecordTrigger(TriggerKind):
    """Runs when a record of a table is added, edited or deleted; its input is `{table, action, old, new}`.

    `if` is an expression over `old` and `new`: only where it is true the lambda runs.
    """

    name = "record"
    label = "Record change"
    icon = "database"
    options = ("table", "on", "if")

    @classmethod
    def check(cls, spec: Mapping[str, Any], faults: Faults, path: Path, tables: Mapping[str, Any]) -> None:
        """A table that is there, known actions, a condition over old and new."""
        super().check(spec, faults, path, tables)
        name = spec.get("table")
        table = tables.get(name) if isinstance(name, str) else None
        if table is None:
            message = f'There is no table "{name}".{did_you_mean(str(name), tables)}'
            faults.error((*path, "table"), "unknown_table", message)
        actions = spec.get("on", list(ACTIONS))
        if not isinstance(actions, list) or not actions or any(action not in ACTIONS for action in actions):
            faults.error((*path, "on"), "choice", f'"on" is a list of {", ".join(ACTIONS)}.')
        if spec.get("if") is not None:
            cls._check_condition(spec["if"], table, faults, (*path, "if"))

    @classmethod
    def _check_condition(cls, condition: Any, table: TableDef | None, faults: Faults, path: Path) -> None:
        source = expression_of(condition)
        if source is None:
            faults.error(path, "type", "\"if\" is an expression such as !expr 'new.total > 100'.")
            return
        record = table.record_type().or_null() if table is not None else t.ANY
        scope = Scope({"old": Binding("old", record), "new": Binding("new", record)})

        def report(level: str, code: str, message: str, at: int) -> None:
            if level == "error":
                faults.error(path, code, message, column=at + 1)

        try:
            Checker(scope, report).condition(parse(source))
        except ExpressionError as error:
            faults.error(path, "syntax", error.message, column=error.column)

    @classmethod
    def key(cls, spec: Mapping[str, Any], target: Any) -> str:
        """The table's id, which outlives its name."""
        return str(load_schema(target.workspace_id).table(spec["table"]).id)


def applies(spec: Mapping[str, Any], action: str, old: Any, new: Any) -> bool:
    """Whether a change is one that the trigger waits for. A condition that cannot be computed is not true."""
    if action not in spec.get("on", ACTIONS):
        return False
    source = expression_of(spec.get("if"))
    if source is None:
        return True
    try:
        return evaluate(parse(source), {"old": old, "new": new}) is True
    except Problem:
        return False


class RecordListener:
    """Starts lambdas in the transaction that changes a record: no change without its run, no run without its change."""

    def __init__(self) -> None:
        self._watched: Current[dict[int, frozenset[int]]] = Current(_load_watched)

    def watches(self, workspace_id: int) -> frozenset[int]:
        """The tables with a record trigger, as the installation's version says."""
        return self._watched.get().get(workspace_id, frozenset())

    def changed(self, schema: Schema, table: TableDef, action: str, old: Any, new: Any) -> None:
        """Accept a run of every lambda that waits for this, on the data that changed."""
        from lambdas.models import Trigger
        from lambdas.running import start_lambda

        triggers = Trigger.objects.filter(workspace_id=schema.workspace_id, kind="record", key=str(table.id))
        for trigger in triggers.select_related("target__published", "target__workspace"):
            if applies(trigger.spec, action, old, new):
                record = {"table": table.name, "action": action, "old": old, "new": new}
                start_lambda(
                    trigger.target,
                    record,
                    trigger="record",
                    trigger_detail={"action": action},
                    data_source=schema.source,
                )


def _load_watched() -> dict[int, frozenset[int]]:
    from lambdas.models import Trigger

    found: dict[int, set[int]] = {}
    for workspace_id, key in Trigger.objects.filter(kind="record").values_list("workspace_id", "key"):
        found.setdefault(workspace_id, set()).add(int(key))
    return {workspace_id: frozenset(keys) for workspace_id, keys in found.items()}


listen(RecordListener())
