"""Report: the records of a table counted and summed by period, as JSON or as a CSV file."""

from __future__ import annotations

from typing import Any

from stackyard.core.errors import Detail, did_you_mean, invalid_input
from stackyard.tables.definitions import FieldDef, TableDef

from . import Asked, Blueprint, Document, Option, endpoint_document, expression, line

PERIODS = ("day", "week", "month", "quarter", "year")
_FORMS = ("json", "csv")


class Report(Blueprint):
    """An endpoint that counts the records of a table by period, sums and averages a number of theirs, and tells them apart by
    another field if you like. Callers choose the time (from, to), the period and whether it is JSON or a CSV file.
    """

    name = "report"
    label = "Report"
    icon = "chart"
    sentence = "Count and sum records by period, as JSON or CSV"
    options = (
        Option("sum", "The number field that is summed and averaged; without one records are counted."),
        Option("by", "A field that tells the rows of a period apart, such as status."),
        Option("date", "The time or date that the periods are made of.", "created_at"),
        Option("period", "The period where the caller names none.", "month", choices=PERIODS),
        Option("time_zone", "Where days begin and end.", "UTC"),
    )

    def make(self, asked: Asked) -> list[Document]:
        table, options = asked.table, asked.options
        assert table is not None
        number, by, moment = _fields(table, options)
        columns = ["period", *([by.name] if by else []), "records"]
        aggregate: dict[str, Any] = {"records": "count"}
        if number is not None:
            aggregate |= {"sum": {"sum": number.name}, "average": {"avg": number.name}}
            columns += ["sum", "average"]
        between = {
            "$and": [
                {moment.name: {"$gte": expression("input.from"), "$optional": True}},
                {moment.name: {"$lt": expression("input.to"), "$optional": True}},
            ]
        }
        cases = [
            {"when": period, "do": [self._query(table, by, moment, between, aggregate, period, options)]}
            for period in PERIODS
        ]
        type_ = "date" if moment.type.name == "date" else "timestamp"
        return [
            endpoint_document(
                f"report_{table.name}",
                "GET",
                f"/reports/{table.name}",
                f"Counts {table.name} by {options['period']}{f' and sums {number.name}' if number else ''}.",
                inputs={
                    "from": {"type": type_, "description": "From then on."},
                    "to": {"type": type_, "description": "Before then."},
                    "period": {"type": "enum", "values": list(PERIODS), "default": options["period"]},
                    "format": {"type": "enum", "values": list(_FORMS), "default": "json"},
                },
                lines=[
                    line("set_variable", name="rows", value=[]),
                    line("switch", value=expression("input.period"), cases=cases),
                    self._as_csv(table, columns),
                ],
                response={"items": expression("rows")},
            )
        ]

    @staticmethod
    def _query(
        table: TableDef,
        by: FieldDef | None,
        moment: FieldDef,
        where: Any,
        aggregate: Any,
        period: str,
        options: Any,
    ) -> Any:
        part = {"field": moment.name, "part": period, "as": "period"}
        if moment.type.name == "timestamp":
            part["time_zone"] = options["time_zone"]
        return line(
            "query_all_records",
            "rows",
            table=table.name,
            where=where,
            group_by=[part, *([by.name] if by else [])],
            aggregate=aggregate,
        )

    @staticmethod
    def _as_csv(table: TableDef, columns: list[str]) -> Any:
        names = ", ".join(f'"{name}"' for name in columns)
        file = f'attachment; filename="{table.name}.csv"'
        return line(
            "condition",
            if_=expression('input.format == "csv"'),
            then=[
                line("set_header", name="Content-Type", value="text/csv; charset=utf-8"),
                line("set_header", name="Content-Disposition", value=file),
                line("return", value=expression(f"[{names}] | csv_create(rows)")),
            ],
        )


def _fields(table: TableDef, options: Any) -> tuple[FieldDef | None, FieldDef | None, FieldDef]:
    """The fields that the options name. Problem `INVALID_INPUT` with every one that does not fit."""
    details: list[Detail] = []

    def find(option: str, fits: Any, what: str) -> FieldDef | None:
        name = options[option]
        if not name:
            return None
        found = table.public.get(name)
        if found is None:
            hint = did_you_mean(name, table.public)
            details.append(
                Detail(f"options.{option}", "unknown_field", f'{table.name} has no field "{name}".{hint}')
            )
        elif not fits(found):
            details.append(
                Detail(f"options.{option}", "type", f"expected {what}, {name} is {found.type.name}")
            )
        return found

    number = find("sum", lambda field: field.type.value_type.is_number and not field.is_system, "a number")
    by = find(
        "by", lambda field: not field.type.is_json and field.name != "id", "a field that can be grouped"
    )
    moment = find("date", lambda field: field.type.name in ("timestamp", "date"), "a timestamp or date")
    if details or moment is None:
        raise invalid_input(details)
    return number, by, moment
