"""Tables that many begin with: fields to start from on the page of a new table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy


@dataclass(frozen=True, slots=True)
class TableTemplate:
    """A name, what it is for, and the fields in their YAML form; a reference is left out where its table is not there."""

    name: str
    label: str | Promise
    fields: Mapping[str, Any]

    def fields_beside(self, tables: Collection[str]) -> dict[str, Any]:
        """The fields of a new table beside these."""
        return {
            name: spec
            for name, spec in self.fields.items()
            if not (isinstance(spec, dict) and spec["type"] == "reference" and spec["table"] not in tables)
        }


def _needed(type_: str, **more: Any) -> dict[str, Any]:
    return {"type": type_, "required": True, **more}


def _choice(*values: str) -> dict[str, Any]:
    return {"type": "enum", "values": list(values), "required": True, "default": values[0]}


TEMPLATES = {
    one.name: one
    for one in (
        TableTemplate(
            "customers",
            gettext_lazy("Customers"),
            {
                "name": _needed("text"),
                "email": {"type": "email", "unique": True},
                "phone": "text",
                "city": "text",
                "notes": "text",
            },
        ),
        TableTemplate(
            "orders",
            gettext_lazy("Orders"),
            {
                "customer": {"type": "reference", "table": "customers"},
                "number": _needed("text", unique=True),
                "status": _choice("open", "paid", "shipped", "cancelled"),
                "total": _needed("decimal", scale=2, default=0),
                "ordered_on": "date",
            },
        ),
        TableTemplate(
            "posts",
            gettext_lazy("Posts"),
            {
                "title": _needed("text"),
                "slug": _needed("text", unique=True),
                "body": "text",
                "status": _choice("draft", "published"),
                "published_at": "timestamp",
            },
        ),
        TableTemplate(
            "products",
            gettext_lazy("Products"),
            {
                "name": _needed("text"),
                "sku": {"type": "text", "unique": True},
                "price": _needed("decimal", scale=2),
                "stock": _needed("int", default=0),
                "active": _needed("bool", default=True),
            },
        ),
        TableTemplate(
            "tasks",
            gettext_lazy("Tasks"),
            {
                "title": _needed("text"),
                "done": _needed("bool", default=False),
                "due_on": "date",
                "assigned_to": "email",
            },
        ),
    )
}
