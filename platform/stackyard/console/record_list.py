"""One page of a table's records: filter, sort, page; as links and cells for the template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from stackyard.core.errors import Problem
from stackyard.tables.query import Query
from stackyard.tables.schema import FieldDef, TableDef
from stackyard.tables.store import Store

from .problems import sentence
from .record_filters import OPERATORS, condition

PER_PAGE = 50
CELL_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows; `link` leads to the record it refers to."""

    text: str
    is_null: bool = False
    link: str = ""
    is_number: bool = False


class RecordList:
    """The list that an address asks for: `?field=&op=&value=&sort=&page=&count=1`."""

    def __init__(self, store: Store, table: TableDef, asked: Mapping[str, str]) -> None:
        self.store = store
        self.table = table
        own = [field for field in table.own_fields if field.type.can_be_read]
        self.columns = (table.fields["id"], *own, table.fields["created_at"])
        self.asked = {
            key: asked[key] for key in ("field", "op", "value", "sort", "page", "count") if asked.get(key)
        }
        self.problem = ""
        self.page: Mapping[str, Any] = {}

    def load(self) -> None:
        """Ask the store; a filter that cannot be asked is said in `problem`, and the list is empty."""
        try:
            self.page = self.store.query(self._query())
        except Problem as problem:
            self.problem = sentence(problem)
            self.page = {"items": [], "curPage": 1}

    def _query(self) -> Query:
        page = self.asked.get("page", "1")
        return Query(
            table=self.table.name,
            where=self._where(),
            sort=[self.sort],
            page=int(page) if re.match(r"[1-9][0-9]{0,8}\Z", page) else 1,
            per_page=PER_PAGE,
            totals="count" in self.asked,
            fields=list(self.table.readable),
        )

    @property
    def sort(self) -> str:
        """The field to sort by, `-` in front for descending; the newest first unless asked."""
        asked = self.asked.get("sort", "-id")
        return asked if asked.removeprefix("-") in self.table.readable else "-id"

    def _where(self) -> Any:
        definition = self.table.readable.get(self.asked.get("field", ""))
        word = self.asked.get("op", "")
        if definition is None or word not in {known for known, _, _ in OPERATORS}:
            return None
        return condition(definition, word, self.asked.get("value", ""))

    # For the template

    def heads(self) -> list[dict[str, Any]]:
        """The columns: name, the link that sorts by it, and how it is sorted now."""
        made = []
        for definition in self.columns:
            name = definition.name
            ascending, descending = self.sort == name, self.sort == f"-{name}"
            made.append(
                {
                    "name": name,
                    "link": ""
                    if definition.type.is_json
                    else self._link(sort=f"-{name}" if ascending else name, page=None),
                    "sorted": "ascending" if ascending else "descending" if descending else "",
                    "is_number": definition.type.value_type.is_number,
                }
            )
        return made

    def rows(self) -> list[tuple[Any, list[Cell]]]:
        """Each record's id and its cells, in the order of the columns."""
        return [
            (
                record["id"],
                [self._cell(column, record.get(column.name)) for column in self.columns],
            )
            for record in self.page["items"]
        ]

    def _cell(self, definition: FieldDef, value: Any) -> Cell:
        if value is None:
            return Cell("null", is_null=True)
        text = definition.type.csv_text(value)
        text = text if len(text) <= CELL_CHARACTERS else f"{text[:CELL_CHARACTERS]}…"
        link = (
            reverse("admin:tables_table_record", args=[definition.target, value])
            if definition.is_reference
            else ""
        )
        return Cell(text, link=link, is_number=definition.type.value_type.is_number and not link)

    def pages(self) -> dict[str, Any]:
        """Links to the pages around, the first and last number shown, and the total if it was asked for."""
        first = (self.page["curPage"] - 1) * PER_PAGE + 1
        shown = len(self.page["items"])
        return {
            "first": first,
            "last": first + shown - 1,
            "previous": self._link(page=self.page["prevPage"]) if self.page.get("prevPage") else "",
            "next": self._link(page=self.page["nextPage"]) if self.page.get("nextPage") else "",
            "total": self.page.get("itemsTotal"),
            "count": self._link(count=1),
        }

    def _link(self, **changes: Any) -> str:
        kept = {**self.asked, **changes}
        return "?" + urlencode({key: value for key, value in kept.items() if value is not None})

    @property
    def is_filtered(self) -> bool:
        """Whether not all records are asked for."""
        return "field" in self.asked and "op" in self.asked
