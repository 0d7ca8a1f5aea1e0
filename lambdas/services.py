"""What a lambda's code can ask for while it runs: records, functions, the way out, e-mail, the cache.

Every answer is given under the run's own principal, by the same doors a stack uses, on the thread (and so on the
connection and in the transaction) of whoever waits for the run.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from stackyard.core import cache, mail, outbound
from stackyard.core.errors import Detail, Problem, did_you_mean, invalid_input
from stackyard.core.limits import OUTBOUND_SECONDS
from stackyard.stacks.execution import Execution
from stackyard.stacks.runner import load_function
from stackyard.tables.query import Query

from .file_services import file_deeds

_OPTIONS = {
    "sort": "sort",
    "page": "page",
    "perPage": "per_page",
    "offset": "offset",
    "cursor": "cursor",
    "totals": "totals",
    "fields": "fields",
    "addons": "addons",
    "join": "join",
    "computed": "computed",
}
_AGGREGATE_OPTIONS = {
    **{name: _OPTIONS[name] for name in ("sort", "page", "perPage", "offset", "totals", "join", "computed")},
    "groupBy": "group_by",
    "aggregate": "aggregate",
}
_EMAIL = ("to", "subject", "text", "html", "attachments")
DEEPEST = 20


class LambdaServices:
    """Answers the calls of one run. A context manager: what transaction is left open is rolled back."""

    def __init__(self, execution: Execution, network: list[str]) -> None:
        self.execution = execution
        self.network = network
        self._transactions: list[ExitStack] = []

    def __enter__(self) -> LambdaServices:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        while self._transactions:
            self._end(commit=False)

    def call(self, method: str, params: list[Any]) -> Any:
        """Answer one call. Problem for a method that does not exist, for arguments that do not fit, and as the deed raises."""
        deed = self._deeds().get(method)
        if deed is None:
            raise Problem("INVALID_INPUT", f'There is no "{method}".{did_you_mean(method, self._deeds())}')
        try:
            return deed(*params)
        except TypeError as error:
            if "argument" not in str(error):
                raise
            raise Problem(
                "INVALID_INPUT", f'"{method}" was called with arguments it does not take.'
            ) from None

    def _deeds(self) -> Mapping[str, Callable[..., Any]]:
        store, workspace_id = self.execution.store, self.execution.workspace_id
        return {
            "db.query": self.query,
            "db.get": lambda table, value, field="id": store.get(table, value, field),
            "db.first": lambda table, where=None, options=None: self.query(table, where, options, "single"),
            "db.count": lambda table, where=None: self.query(table, where, None, "count"),
            "db.exists": lambda table, where=None: self.query(table, where, None, "exists"),
            "db.aggregate": self.aggregate,
            "db.add": lambda table, data: store.add(table, data),
            "db.addMany": lambda table, items: store.add_many(table, items),
            "db.editMany": lambda table, items: store.edit_many(table, items),
            "db.patchMany": lambda table, items: store.patch_many(table, items),
            "db.increment": lambda table, value, field, by=1: store.increment(table, value, field, by),
            "db.clear": lambda table: store.clear(table),
            "db.edit": lambda table, value, data, field="id": store.edit(table, value, data, field),
            "db.patch": lambda table, value, data, field="id": store.patch(table, value, data, field),
            "db.upsert": lambda table, value, data, field="id": store.upsert(table, value, data, field),
            "db.delete": lambda table, value, field="id": store.delete(table, value, field),
            "db.deleteMany": lambda table, where: store.delete_many(table, where),
            "db.begin": self.begin,
            "db.commit": lambda: self._end(commit=True),
            "db.rollback": lambda: self._end(commit=False),
            "fn.call": self.call_function,
            "fetch": self.fetch,
            "email.send": self.send_email,
            "cache.get": lambda key: cache.get(workspace_id, key),
            "cache.has": lambda key: cache.has(workspace_id, key),
            "cache.set": lambda key, value, ttl=None: cache.set(workspace_id, key, value, ttl),
            "cache.delete": lambda key: cache.delete(workspace_id, key),
            **file_deeds(self.execution),
            "cache.increment": lambda key, by=1, ttl=None: cache.increment(workspace_id, key, by, ttl),
        }

    # Records

    def query(self, table: str, where: Any = None, options: Any = None, return_: str = "list") -> Any:
        """`db.query(table, where, {sort, page, perPage, cursor, fields, addons, join, computed})`."""
        parts = _read_options(options, _OPTIONS)
        return self.execution.store.query(Query(table, where, return_=return_, **parts))

    def aggregate(self, table: str, where: Any = None, options: Any = None) -> Any:
        """`db.aggregate(table, where, {groupBy, aggregate, sort, page, perPage, join, computed})`."""
        parts = _read_options(options, _AGGREGATE_OPTIONS)
        return self.execution.store.query(Query(table, where, return_="aggregate", **parts))

    def begin(self) -> None:
        """A transaction, or a part of one that can be undone by itself."""
        if len(self._transactions) >= DEEPEST:
            raise Problem("INVALID_INPUT", f"Transactions nest at most {DEEPEST} deep.")
        stack = ExitStack()
        stack.enter_context(self.execution.store.transaction())
        self._transactions.append(stack)

    def _end(self, commit: bool) -> None:
        if not self._transactions:
            raise Problem("INVALID_INPUT", "There is no open transaction.")
        stack = self._transactions.pop()
        if commit:
            stack.close()
        else:
            undo = _Undo()
            stack.__exit__(_Undo, undo, None)

    # Functions and the way out

    def call_function(self, name: str, input: Any = None) -> Any:
        """`fn.name(input)` and `fn.call(name, input)`."""
        from stackyard.stacks.models import Function

        function = Function.objects.filter(
            workspace_id=self.execution.workspace_id, name=name, published__isnull=False
        ).first()
        if function is None:
            raise Problem("NOT_FOUND", f'There is no published function "{name}".')
        plan = load_function(self.execution.workspace_id, function.pk, source=self.execution.source)
        self.execution.deeper()
        try:
            return plan.run(self.execution, plan.inputs.bind(input or {}))
        finally:
            self.execution.depth -= 1

    def fetch(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """`fetch`: the one door out, to the hosts the lambda names and no others.

        Headers that belong to the connection are left out without a word, as in a browser.
        """
        headers: dict[str, str] = {}
        for name, value in sent.get("headers") or []:
            if name in outbound.CONNECTION_HEADERS or name == "accept-encoding":
                continue
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        response = outbound.request(
            str(sent.get("method")),
            str(sent.get("url")),
            headers=headers,
            body=sent.get("body"),
            body_type="raw",
            timeout=self._seconds_left(),
            follow_redirects=sent.get("redirect") == "follow",
            retries=0,
            allowed_hosts=self.network,
        )
        return {
            "status": response.status,
            "statusText": response.reason,
            "redirected": response.was_redirected,
            "headers": [
                [name, one]
                for name, value in response.headers.items()
                for one in (value if isinstance(value, list) else [value])
            ],
            "url": response.url,
            "body": {"$bytes": base64.b64encode(response.body).decode()},
        }

    def _seconds_left(self) -> float:
        """What is left of the run's time, at least a moment."""
        return min(max(self.execution.deadline - time.monotonic(), 0.1), OUTBOUND_SECONDS.maximum)

    def send_email(self, sent: Any) -> dict[str, Any]:
        """`email.send({to, subject, text, html, attachments})`; it leaves at once and is not called back."""
        if not isinstance(sent, dict):
            raise invalid_input([Detail("", "type", "expected an object with to, subject and text")])
        unknown = [name for name in sent if name not in _EMAIL]
        if unknown:
            hints = [(name, did_you_mean(name, _EMAIL)) for name in unknown]
            raise invalid_input(
                [Detail(n, "unknown_key", f"An e-mail has no such part.{hint}") for n, hint in hints]
            )
        return mail.send(*(sent.get(name) for name in _EMAIL)).as_value()


def _read_options(options: Any, known: Mapping[str, str]) -> dict[str, Any]:
    """The options of a query by the names that `Query` has for them. Problem `INVALID_INPUT` for others."""
    options = options or {}
    if not isinstance(options, dict):
        raise invalid_input([Detail("options", "type", "expected an object such as {sort: [...]}")])
    unknown = [name for name in options if name not in known]
    if unknown:
        details = [
            Detail(n, "unknown_key", f"There is no such option.{did_you_mean(n, known)}") for n in unknown
        ]
        raise invalid_input(details)
    return {known[name]: value for name, value in options.items() if value is not None}


class _Undo(Exception):
    """Takes a transaction back."""
