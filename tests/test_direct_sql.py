"""Direct SQL: SELECTs over what the workspace may show, and nothing else whatever is written."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from stackyard.core.errors import Problem
from stackyard.tables import database, direct_sql
from stackyard.tables.direct_sql import prepare_sql
from stackyard.tables.store import Store
from tests.factories import make_store, make_workspace
from tests.shop_orders import shop

pytestmark = pytest.mark.django_db(databases=["default", "history"])


def select(store: Store, sql: str, *args: Any) -> list[dict[str, Any]]:
    return prepare_sql(store.schema, sql).run(store, args)


READINGS: list[tuple[str, tuple[Any, ...], list[dict[str, Any]]]] = [
    ("select name from customers order by name desc limit 2", (), [{"name": "Cyd"}, {"name": "Bob"}]),
    ("SELECT count(*) AS n, max(total) m FROM orders WHERE status = ?", ("open",), [{"n": 1, "m": 10.1}]),
    (
        "select c.name, count(o.id) as n from customers c left join orders o on o.customer = c.id "
        "group by c.name having count(o.id) > ? order by n desc, c.name",
        (0,),
        [{"name": "Bob", "n": 3}, {"name": "Ann", "n": 2}],
    ),
    (
        "with paid as (select customer, total from orders where status = 'paid'), few as (select * from paid) "
        "select customers.name, (select count(*) from few) as n from few join customers on customers.id = few.customer "
        "where few.total < 1",
        (),
        [{"name": "Ann", "n": 3}],
    ),
    ("select upper(substring(name, 1, 2)) || '%s$1?''' as x from customers where id = ?", (1,), [{"x": "AN%s$1?'"}]),
    ("select case when name ilike 'a%' then 'a' else 'b' end as k, count(*) as n from customers "
     "group by case when name ilike 'a%' then 'a' else 'b' end order by 1", (), [{"k": "a", "n": 1}, {"k": "b", "n": 2}]),
    ("select id from customers where id in (1, 2) union all select id from orders where id = 6 order by 1", (), [{"id": 1}, {"id": 2}, {"id": 6}]),
    ("select id, row_number() over (order by name desc) as place from customers order by id limit 1", (), [{"id": 1, "place": 3}]),
    ("select name from customers where name = ? or id = ?", ("x' OR 1=1 --", 2), [{"name": "Bob"}]),
    ("select count(*), 1 from customers", (), [{"count": 3, "column_2": 1}]),
    ("select cast(id as text) as t, null as nothing, 1 = 1 as yes from customers where id = 1", (), [{"t": "1", "nothing": None, "yes": True}]),
]  # fmt: skip


def test_selects_are_answered() -> None:
    store = shop()
    for sql, args, rows in READINGS:
        found = select(store, sql, *args)
        assert [
            {k: float(v) if isinstance(v, Decimal) else v for k, v in row.items()} for row in found
        ] == rows, sql


HOSTILE = [
    "insert into customers (name) values ('x')",
    "update customers set name = 'x'",
    "delete from customers",
    "drop table customers",
    "select 1; delete from customers",
    "select 1; select 2",
    "",
    "-- nothing",
    "customers",
    "select (",
    "select " + "(" * 3_000 + "1" + ")" * 3_000,
    "select * from d1",
    'select * from "D1"',
    "select * from sqlite_master",
    "select * from pg_catalog.pg_tables",
    "select * from pg_shadow",
    "select * from information_schema.tables",
    "select * from main.d1",
    "select * from ws1.d1",
    "select * from accounts_user",
    "with d1 as (select 1 as x) select * from d1 union all select * from (with d1 as (select 1) select * from d1) q",
    "with a as (select * from d1), d1 as (select 1 as x) select * from d2",
    "with customers as (select 1 as x) select * from customers",
    "with recursive a as (select 1 as x union all select x + 1 from a) select * from a",
    "select secret from customers",
    "select c.secret from customers as c",
    "select 1 from customers where secret like 'n%'",
    "select 1 from customers order by secret",
    "select c2 from customers",
    "select customers.c2 from customers",
    "select nmae from customers",
    "select pg_sleep(10)",
    "select pg_read_file('/etc/passwd')",
    "select load_extension('x')",
    "select randomblob(1000000000)",
    "select writefile('x', 'y')",
    "select current_setting('data_directory')",
    "select * from generate_series(1, 1000000000)",
    "select * from json_each('[1]')",
    "select * into other from customers",
    "select * from customers for update",
    "select * from customers, lateral (select 1) x",
    "select * from (values (1)) x",
    "select cast('1' as regclass)",
    "select 'pg_class'::regclass",
    "select current_user",
    "select now()",
    "select @@version",
    "select :name",
    "select $1",
    "select * from customers limit 1000000",
    "select * from customers limit (select 1)",
    "select * from customers natural join orders",
    "copy customers to '/tmp/x'",
    "attach database 'x' as y",
    "pragma table_info(d1)",
    "explain select 1",
    "vacuum",
    "set role postgres",
    "select 'a' || 'a' || 'a' || 'a' || 'a' || 'a' || 'a' || 'a' || 'a' || 'a'",
    "select name, name from customers",
    'select "" from customers',
    "select 'a\0' from customers",
]  # fmt: skip


def test_nothing_else_is() -> None:
    store = shop()
    for sql in HOSTILE:
        with pytest.raises(Problem) as caught:
            select(store, sql)
        assert caught.value.code == "INVALID_INPUT", (sql, caught.value)
    assert len(select(store, "select * from customers")) == 3
    assert set(select(store, "select * from customers")[0]) == {"id", "created_at", "name", "email"}


def test_another_workspaces_tables_are_not_there() -> None:
    mine = shop()
    make_store(make_workspace("theirs"), invoices={"n": "int"})
    with pytest.raises(Problem, match='no table "invoices"'):
        select(mine, "select * from invoices")


@pytest.mark.parametrize("args", [(), (1, 2), ([1],), ({"a": 1},), (2**64,), ("a\0",), (b"x",)])
def test_arguments_are_counted_and_plain(args: tuple[Any, ...]) -> None:
    store = shop()
    with pytest.raises(Problem) as caught:
        select(store, "select name from customers where name = ?", *args)
    assert caught.value.details[0].field.startswith("args")


def test_a_time_and_a_count_of_rows_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_store(t={"n": "int"})
    store.add_many("t", [{"n": n} for n in range(300)])
    with pytest.raises(Problem) as caught:
        select(store, "select a.n from t a cross join t b")
    assert caught.value.code == "RESULT_TOO_LARGE"
    monkeypatch.setattr(direct_sql, "SECONDS", 0.2)
    began = time.monotonic()
    with pytest.raises(Problem) as caught:
        select(
            store,
            "select count(*) as n from t a cross join t b cross join t c cross join t d where a.n + b.n = c.n * d.n",
        )
    assert (caught.value.code, time.monotonic() - began < 5) == ("TIMEOUT", True)
    # Nothing of it stays: the next statement may write.
    assert store.add("t", {"n": 1})["n"] == 1


def test_a_long_text_is_not_made_on_sqlite() -> None:
    store = shop()
    if store.schema.dialect != "sqlite":
        pytest.skip("PostgreSQL has its own bound")
    store.patch("customers", 1, {"name": "x" * 3_000_000})
    with pytest.raises(Problem):
        select(store, "select name || name || name || name as n from customers where id = 1")
    assert database.LONGEST_TEXT == 10_000_000
