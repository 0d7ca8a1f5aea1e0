"""Which model lives in which database."""

from __future__ import annotations

from typing import Any

from django.conf import settings

_HISTORY = frozenset({"historyentry", "rollup", "errorgroup"})


class HistoryRouter:
    """Request history, and what is counted of it, goes to the database `history`; on PostgreSQL that is a second connection to the same one."""

    def _database(self, model: Any) -> str | None:
        meta = model._meta
        return "history" if meta.app_label == "endpoints" and meta.model_name in _HISTORY else None

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        """Where to read a model."""
        return self._database(model)

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        """Where to write a model."""
        return self._database(model)

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        """On SQLite the history file holds its tables and nothing else; on PostgreSQL `default` makes all."""
        is_history = app_label == "endpoints" and model_name in _HISTORY
        if settings.ON_POSTGRESQL:
            return db == "default"
        return is_history if db == "history" else not is_history
