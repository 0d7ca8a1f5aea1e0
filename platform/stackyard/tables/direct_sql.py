"""SELECT as people write it, over the public fields of the workspace's tables and over nothing else.

The text is parsed by sqlglot and written anew from the checked tree. Of the tree only what is listed here may
stand in it; every table becomes a view of its public fields (a WITH in front), whose name no real table has;
every literal text and every argument is a bind. A time limit and a limit of rows hold while it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from stackyard.core.errors import Detail, Problem, did_you_mean, invalid_input
from stackyard.core.jsonout import milliseconds
from stackyard.core.limits import LIST_RECORDS

from .database import run_limited
from .definitions import Schema, TableDef
from .field_type import shown
from .operands import TEXT_LIMIT

if TYPE_CHECKING:
    from sqlglot import exp

    from .store import Store

MOST_CHARACTERS = 10_000
MOST_NODES = 1_000
MOST_JOINED_TEXTS = 8
"""`||` in one statement: each may double a text."""
SECONDS = 10.0
MOST_ARGUMENTS = 100
NODES = frozenset({
    "Abs", "Add", "Alias", "And", "Avg", "Between", "Boolean", "Case", "Cast", "Ceil", "Coalesce", "Column",
    "Count", "CTE", "CumeDist", "DPipe", "DataType", "DataTypeParam", "DenseRank", "Distinct", "Div", "EQ",
    "Except", "Exists", "Filter", "Floor", "From", "GT", "GTE", "Group", "Having", "ILike", "Identifier",
    "If", "In", "Intersect", "Is", "Join", "LT", "LTE", "Lag", "Lead", "Length", "Like", "Limit", "Literal",
    "Lower", "Max", "Min", "Mod", "Mul", "NEQ", "Neg", "Not", "Nullif", "Null", "Offset", "Or", "Order",
    "Ordered", "Paren", "PercentRank", "Placeholder", "Rank", "Round", "RowNumber", "Select", "Star", "Sub",
    "Subquery", "Substring", "Sum", "Table", "TableAlias", "Trim", "Tuple", "Union", "Upper", "Where",
    "Window", "WindowSpec", "With",
})  # fmt: skip
"""The parts of SQL that may be used, as sqlglot calls them."""
_CASTS = frozenset({"INT", "BIGINT", "DECIMAL", "DOUBLE", "FLOAT", "TEXT", "VARCHAR", "BOOLEAN"})
_JOIN_KINDS = frozenset({"", "INNER", "CROSS", "OUTER"})
_JOIN_SIDES = frozenset({"", "LEFT", "RIGHT", "FULL"})


@dataclass(frozen=True)
class DirectSql:
    """A checked statement: its text for this database, and what each of its binds stands for.

    `tables` are the physical ones it reads. `binds` are `(True, number of an argument)` or `(False, a literal text)`.
    """

    sql: str
    binds: tuple[tuple[bool, Any], ...]
    arguments: int
    tables: frozenset[str]

    def run(self, store: Store, args: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows, at most 10,000. Problem `INVALID_INPUT`, `RESULT_TOO_LARGE`, `TIMEOUT`."""
        given = _read_arguments(args, self.arguments, store.schema.dialect)
        values = [given[value] if is_argument else value for is_argument, value in self.binds]
        names, rows = run_limited(self.sql, values, SECONDS, self.tables, store.on_query)
        if len(rows) > LIST_RECORDS.default:
            raise Problem(
                "RESULT_TOO_LARGE",
                f"The statement gives more than {LIST_RECORDS.default:,} rows.",
                status=422,
                suggestion="Put a LIMIT at its end.",
            )
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise _refused(f'Two columns of the result are called "{twice}": give one another name with AS.')
        return [dict(zip(names, map(_plain, row), strict=True)) for row in rows]


def prepare_sql(schema: Schema, text: Any) -> DirectSql:
    """Parse, check and rewrite a statement. Problem `INVALID_INPUT` with what is wrong."""
    if not isinstance(text, str) or not text.strip():
        raise _refused(f"expected a SELECT, got {shown(text)}")
    if "\0" in text:
        raise _refused("must not contain the character NUL")
    if len(text) > MOST_CHARACTERS:
        raise _refused(f"must have at most {MOST_CHARACTERS:,} characters")
    return _Rewriting(schema).of(_parsed(text))


def _parsed(text: str) -> exp.Expr:
    """The one SELECT in a text."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        found = [tree for tree in sqlglot.parse(text) if tree is not None]
    except (SqlglotError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else "too deep"
        raise _refused(f"is not SQL that can be read: {first[:200]}") from None
    if len(found) != 1 or not isinstance(found[0], exp.Select | exp.Union | exp.Intersect | exp.Except):
        raise _refused("must be one SELECT: it is for reading only")
    return found[0]


class _Rewriting:
    """Checks one tree and writes it for one database."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.used: dict[str, TableDef] = {}
        self.binds: list[tuple[bool, Any]] = []
        self.arguments = 0

    def of(self, tree: exp.Expr) -> DirectSql:
        """The statement of a tree."""
        self._check_nodes(tree)
        withs = self._own_withs(tree)
        self._check_columns(tree)
        self._rename(tree, withs)
        self._name_columns(tree)
        self._limit(tree)
        self._bind(tree)
        body = tree.sql(dialect="sqlite" if self.schema.dialect == "sqlite" else "postgres", identify=True)
        physical = frozenset(table.physical for table in self.used.values())
        return DirectSql(self._with_views(tree, body), tuple(self.binds), self.arguments, physical)

    def _check_nodes(self, tree: exp.Expr) -> None:
        from sqlglot import exp

        count = joined = 0
        for node in tree.walk():
            count += 1
            kind = type(node).__name__
            joined += kind == "DPipe"
            if kind not in NODES:
                what = node.name if isinstance(node, exp.Anonymous) else kind
                raise _refused(f'"{what}" can\'t be used: direct SQL is for plain SELECTs.')
            self._check_details(node)
        if count > MOST_NODES or joined > MOST_JOINED_TEXTS:
            raise _refused("The statement is too large.")

    def _check_details(self, node: exp.Expr) -> None:
        """What a node says beside the nodes beneath it."""
        from sqlglot import exp

        if isinstance(node, exp.With) and (node.args.get("recursive") or not _stands_first(node)):
            raise _refused("WITH stands at the beginning only, and not RECURSIVE.")
        if isinstance(node, exp.Table) and (node.args.get("db") or node.args.get("catalog")):
            raise _refused(f'"{node.sql()}": tables are called by their names alone.')
        if isinstance(node, exp.Join):
            kind, side = str(node.args.get("kind") or ""), str(node.args.get("side") or "")
            if kind not in _JOIN_KINDS or side not in _JOIN_SIDES or node.args.get("method"):
                raise _refused("Joins are inner, left, right, full or cross.")
        if isinstance(node, exp.DataType) and node.this.name not in _CASTS:
            raise _refused(f"A value can't be cast to {node.sql()}.")
        if isinstance(node, exp.Star) and any(node.args.values()):
            raise _refused("Name the columns instead of leaving some out of *.")
        if isinstance(node, exp.Placeholder) and node.this:
            raise _refused('Arguments are written "?", in their order.')
        if isinstance(node, exp.Literal) and node.is_string and len(node.this) > TEXT_LIMIT:
            raise _refused("Give long texts as arguments.")
        if isinstance(node, exp.Identifier) and (not node.name or "\0" in node.name or len(node.name) > 63):
            raise _refused(f"{shown(node.name)} is not a name.")

    def _own_withs(self, tree: exp.Expr) -> set[str]:
        from sqlglot import exp

        names = [cte.alias for cte in tree.find_all(exp.CTE)]
        for name in names:
            if name in self.schema.tables or names.count(name) > 1:
                raise _refused(f'"{name}" is taken: give what stands in WITH another name.')
        return set(names)

    def _check_columns(self, tree: exp.Expr) -> None:
        """Names of columns that no table has, as far as they can be told before the database does."""
        from sqlglot import MappingSchema
        from sqlglot.errors import SqlglotError
        from sqlglot.optimizer.qualify_columns import qualify_columns, validate_qualify_columns

        known: dict[str, object] = {
            table.name: dict.fromkeys(table.public, "text") for table in self.schema.tables.values()
        }
        try:
            qualified = qualify_columns(
                tree.copy(), MappingSchema(known, normalize=False), expand_stars=False
            )
            validate_qualify_columns(qualified)
        except SqlglotError as error:
            message = str(error).splitlines()[0]
            if "could not be resolved" in message or "Unknown" in message:
                raise _refused(message) from None

    def _rename(self, tree: exp.Expr, withs: set[str]) -> None:
        """Tables and WITHs by names of their own, which nothing in the database has."""
        from sqlglot import exp

        for table in list(tree.find_all(exp.Table)):
            name = table.name
            if name not in withs and name not in self.schema.tables:
                hint = did_you_mean(name, [*self.schema.tables, *withs])
                raise _refused(f'There is no table "{name}".{hint}')
            if name not in withs:
                self.used[name] = self.schema.tables[name]
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
            table.set("this", exp.to_identifier(_own_name(name, name in withs), quoted=True))
        for cte in tree.find_all(exp.CTE):
            cte.args["alias"].set("this", exp.to_identifier(_own_name(cte.alias, True), quoted=True))

    @staticmethod
    def _name_columns(tree: Any) -> None:
        """Names for what has none, so that both databases give the same: that of its function, or its number."""
        from sqlglot import exp

        for number, column in enumerate(tree.selects, 1):
            if not isinstance(column, exp.Column | exp.Alias | exp.Star):
                name = column.key if isinstance(column, exp.Func) else f"column_{number}"
                column.replace(exp.alias_(column.copy(), name, quoted=True))

    def _limit(self, tree: exp.Expr) -> None:
        """One row more than there may be, unless the statement itself asks for fewer."""
        from sqlglot import exp

        most = LIST_RECORDS.default + 1
        limit = tree.args.get("limit")
        count = limit.expression if isinstance(limit, exp.Limit) else None
        if count is None:
            tree.set("limit", exp.Limit(expression=exp.Literal.number(most)))
        elif not isinstance(count, exp.Literal) or not count.this.isdigit() or int(count.this) > most:
            raise _refused(f"LIMIT is a number of at most {LIST_RECORDS.default:,}.")

    def _bind(self, tree: exp.Expr) -> None:
        """Arguments and literal texts as binds; the same text is the same bind, so that groups stay groups."""
        from sqlglot import exp

        texts: dict[str, int] = {}
        for node in list(tree.find_all(exp.Placeholder, exp.Literal, bfs=False)):
            if isinstance(node, exp.Placeholder):
                self.binds.append((True, self.arguments))
                self.arguments += 1
                node.replace(self._bound(len(self.binds)))
            elif node.is_string:
                if node.this not in texts:
                    self.binds.append((False, node.this))
                    texts[node.this] = len(self.binds)
                node.replace(self._bound(texts[node.this]))

    def _bound(self, number: int) -> exp.Expr:
        from sqlglot import exp

        if self.schema.dialect == "sqlite":
            return exp.Placeholder(this=f"b{number}")
        return exp.Parameter(this=exp.Literal.number(number))

    def _with_views(self, tree: exp.Expr, body: str) -> str:
        """The statement with the views of the tables it uses in front."""
        views = [
            f"{_quoted(_own_name(name, False))} AS ({self._view(table)})" for name, table in self.used.items()
        ]
        if not views:
            return body
        begin = "WITH "
        rest = body.removeprefix(begin) if tree.args.get("with_") or tree.args.get("with") else None
        return f"{begin}{', '.join(views)}{f', {rest}' if rest is not None else f' {body}'}"

    def _view(self, table: TableDef) -> str:
        """A table's public fields by their names."""
        place = f'"{table.namespace}".' if table.namespace else ""
        columns = [f"{self._column(field)} AS {_quoted(field.name)}" for field in table.public_fields]
        return f'SELECT {", ".join(columns)} FROM {place}"{table.physical}"'

    def _column(self, field: Any) -> str:
        if self.schema.dialect == "sqlite" and field.type.name == "decimal":
            return f'("{field.column}" / 1e{field.type.scale})'
        return f'"{field.column}"'


def _stands_first(node: exp.Expr) -> bool:
    return node.parent is not None and node.parent.parent is None


def _own_name(name: str, is_with: bool) -> str:
    return f"{'with' if is_with else 'view'} {name}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _read_arguments(args: Any, wanted: int, dialect: str) -> list[Any]:
    if not isinstance(args, list | tuple):
        raise invalid_input([Detail("args", "type", f"expected a list, got {shown(args)}")])
    if len(args) != wanted:
        message = f'the statement has {wanted} "?", and {len(args)} arguments were given'
        raise invalid_input([Detail("args", "length", message)])
    if len(args) > MOST_ARGUMENTS:
        raise invalid_input([Detail("args", "length", f"must have at most {MOST_ARGUMENTS} items")])
    return [_bound_argument(value, number, dialect) for number, value in enumerate(args)]


def _bound_argument(value: Any, number: int, dialect: str) -> Any:
    if isinstance(value, datetime):
        return milliseconds(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise invalid_input([Detail(f"args.{number}", "range", "must fit into 64 bits")])
    if isinstance(value, Decimal):
        return float(value) if dialect == "sqlite" else value
    if isinstance(value, str) and "\0" in value:
        raise invalid_input([Detail(f"args.{number}", "characters", "must not contain the character NUL")])
    if not isinstance(value, int | float | str):
        message = f"expected text, a number, true, false or null, got {shown(value)}"
        raise invalid_input([Detail(f"args.{number}", "type", message)])
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def _refused(message: str) -> Problem:
    return invalid_input([Detail("sql", "sql", message)])
