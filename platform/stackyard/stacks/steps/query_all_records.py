"""Query all records: the one step that reads many."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import Faults
from stackyard.tables.aggregates import FUNCTIONS
from stackyard.tables.prepared import Prepared
from stackyard.tables.query import RETURNS, Query, check_query
from stackyard.tables.sources import JOIN_TYPES
from stackyard.tables.time_parts import PARTS

from ..check import StackChecker
from ..compiler import StackCompiler
from ..execution import Execution
from ..parameters import Constant, TableName
from ..query_parts import FixedPart, QueryPart, Slots
from ..step import Line, Step


def query_of(line: Line, slots: Slots) -> Query:
    """The line's query; the expressions in it are left in `slots`."""
    parts = {_ATTRIBUTES.get(n, n): slots.take(v, line.at(n)) for n, v in line.params.items()}
    return Query(**parts)


_ATTRIBUTES = {"return": "return_"}


def run_query(execution: Execution, prepared: Prepared, values: list[Any]) -> Any:
    """What the query returns, with the values of its expressions."""
    return prepared.run(execution.store, values)


class QueryAllRecords(Step):
    """Read records from a table: filtered, sorted, in pages, with related records, or only counted."""

    name = "query_all_records"
    label = "Query all records"
    group = "database"
    icon = "database"
    sentence = "Query {table}[ where {where}][ by {sort}][, {return}]"
    synonyms = "list find search select read filter get all"
    result_name = "records"
    parameters = (
        TableName("table", "The table.", required=True),
        QueryPart(
            "where",
            "Which records: {field: value} or {field: {$gt: value}}; all when left out.",
            widget="where",
        ),
        QueryPart(
            "sort", "Field names, with - for descending: [-created_at, name], or random.", widget="sort"
        ),
        Constant("return", "What comes back.", default="list", choices=RETURNS),
        QueryPart(
            "page",
            "The page, from 1; with it the result is an envelope with items.",
            advanced=True,
            type=t.INT,
        ),
        QueryPart("per_page", "Records a page, 20 unless given, at most 1,000.", advanced=True, type=t.INT),
        QueryPart("offset", "Records to leave out before the first page.", advanced=True, type=t.INT),
        QueryPart(
            "cursor",
            'Where the last page ended (its nextCursor); "" for the first page.',
            advanced=True,
            type=t.TEXT,
        ),
        QueryPart("totals", "Count all records too: true, or capped for at most 10,001.", advanced=True),
        QueryPart(
            "fields", "The fields to read; all that are public unless given.", advanced=True, widget="fields"
        ),
        QueryPart(
            "addons",
            "Related records: [{table, match: {their field: our field}, as}].",
            advanced=True,
            widget="addons",
        ),
        FixedPart(
            "join",
            "Tables beside this one: [{table, as, match: {their field: our field}, type: left or inner}]; their "
            "fields are called as.field in where, sort, fields, group_by and computed.",
            advanced=True,
            widget="joins",
            choices=JOIN_TYPES,
        ),
        FixedPart(
            "computed",
            'Fields worked out by the database: {due: "total - paid"}; for where, sort, fields and aggregate.',
            advanced=True,
        ),
        FixedPart(
            "group_by",
            "Fields to put records together by, or parts of a time: {field, part: month, time_zone, as}.",
            advanced=True,
            widget="groups",
            choices=PARTS,
        ),
        FixedPart(
            "aggregate",
            "What to work out of each group, or of all: {orders: count, revenue: {sum: total}}; also "
            "count_distinct, avg, min and max.",
            advanced=True,
            widget="measures",
            choices=FUNCTIONS,
        ),
        Constant(
            "lock",
            "Keep others from changing the records until the transaction ends.",
            type=t.BOOL,
            advanced=True,
        ),
    )
    examples = (
        {
            "lines": [
                {
                    "step": "query_all_records",
                    "as": "found",
                    "params": {
                        "table": "customers",
                        "where": {"name": {"$starts_with": {"$expr": '"A"'}}},
                        "return": "single",
                    },
                }
            ],
            "response": "found.name",
            "is": "Ann",
        },
        {
            "lines": [
                {
                    "step": "query_all_records",
                    "as": "names",
                    "params": {
                        "table": "customers",
                        "computed": {"initial": "name | substr(0, 1)"},
                        "group_by": "initial",
                        "aggregate": {"customers": "count"},
                        "sort": "initial",
                    },
                }
            ],
            "response": "names | first",
            "is": {"initial": "A", "customers": 1},
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """The whole query at once; the result's type follows from what it returns."""
        for parameter in cls.parameters:
            parameter.check(checker, line)
        if checker.table_of(line) is None:
            return t.ANY
        faults = Faults()
        type_ = check_query(
            checker.catalogue.schema, query_of(line, Slots(checker.expression)), faults, line.at()
        )
        checker.faults.found += [replace(fault, line_id=line.id) for fault in faults.found]
        return type_

    @classmethod
    def emit(cls, line: Line, code: StackCompiler) -> list[ast.stmt]:
        """`prepared.run(store, [values])`."""
        slots = Slots()
        query = query_of(line, slots)
        values = [code.value_at({"$expr": source}, line.id, path) for source, path in slots.found]
        code.locate(line)
        given = code.place(ast.List(values, ast.Load()))
        prepared = code.bound(Prepared(code.schema, query))
        return code.keep(line, code.call(run_query, [code.execution(), prepared, given]))
