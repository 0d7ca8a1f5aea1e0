"""Passwords: kept as hashes, checked, and not to be had in any other way."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from stackyard.core.errors import Faults, Problem
from stackyard.tables.query import Query
from stackyard.tables.specs import read_field
from stackyard.tables.store import Store
from tests.factories import make_store

pytestmark = pytest.mark.django_db(databases=["default", "history"])

SECRET = "correct horse battery"


def users() -> Store:
    fields = {
        "email": {"type": "email", "unique": True},
        "password": {"type": "password", "required": True, "min_length": 8, "min_digit": 0},
        "name": "text",
    }
    return make_store(users=fields, notes={"author": {"type": "reference", "table": "users"}})


def hash_of(store: Store) -> str:
    table = store.schema.table("users")
    name = f'"{table.namespace}"."{table.physical}"' if table.namespace else table.physical
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {table.fields['password'].column} FROM {name}")
        held: str = cursor.fetchone()[0]
    return held


def test_a_password_is_hashed_and_checked() -> None:
    store = users()
    record = store.add("users", {"email": "ann@example.com", "password": SECRET, "name": "Ann"})
    assert set(record) == {"id", "created_at", "email", "name"}
    assert hash_of(store).startswith("md5$")
    assert store.verify("users", "ann@example.com", SECRET, by="email")
    assert store.verify("users", record["id"], SECRET, field="password")
    for value, password in (
        (1, SECRET + "!"),
        (1, ""),
        (1, None),
        (1, 5),
        (1, hash_of(store)),
        (2, SECRET),
        (None, SECRET),
    ):
        assert not store.verify("users", value, password)
    # What a caller replaces keeps what the caller can't see; what is named is hashed anew.
    before = hash_of(store)
    store.edit("users", 1, {"email": "ann@example.com", "name": "Anna"})
    assert hash_of(store) == before
    store.upsert("users", "ann@example.com", {"password": "another one"}, "email")
    assert store.verify("users", 1, "another one")
    assert not store.verify("users", 1, SECRET)


def test_a_hash_of_yesterday_is_replaced_when_the_password_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    store = users()
    store.add("users", {"email": "ann@example.com", "password": SECRET})
    hashers = ["django.contrib.auth.hashers.ScryptPasswordHasher", *django_settings.PASSWORD_HASHERS]
    monkeypatch.setattr(django_settings, "PASSWORD_HASHERS", hashers)
    from django.contrib.auth import hashers as module

    module.get_hashers.cache_clear()
    module.get_hashers_by_algorithm.cache_clear()
    try:
        assert store.verify("users", 1, SECRET)
        assert hash_of(store).startswith("scrypt$")
        assert store.verify("users", 1, SECRET)
    finally:
        monkeypatch.undo()
        module.get_hashers.cache_clear()
        module.get_hashers_by_algorithm.cache_clear()


def test_a_password_cannot_be_got_at() -> None:
    store = users()
    store.add("users", {"email": "ann@example.com", "password": SECRET})
    store.add("notes", {"author": 1})
    join = {"join": [{"table": "users", "as": "by", "match": {"id": "author"}}]}
    guess = {"$starts_with": "md5"}
    attempts: list[Query] = [
        Query("users", where={"password": {"$exists": True}}),
        Query("users", where={"password": guess}),
        Query("users", where={"$or": [{"$not": {"password": guess}}]}),
        Query("users", where={"name": {"$eq": {"$field": "password"}}}),
        Query("users", where={"password.a": 1}),
        Query("users", sort="password"),
        Query("users", sort=["-password"]),
        Query("users", fields=["id", "password"]),
        Query("users", group_by="password", aggregate={"n": "count"}),
        Query("users", aggregate={"n": {"min": "password"}}),
        Query("users", aggregate={"n": {"count": "password"}}),
        Query("users", computed={"x": "password"}),
        Query("users", computed={"x": "password == 'a' ? 1 : 0"}),
        Query("users", join=[{"table": "users", "as": "o", "match": {"password": "password"}}]),
        Query("users", addons=[{"table": "users", "match": {"password": "name"}}]),
        Query("notes", addons=[{"table": "users", "match": {"id": "author"}, "fields": ["password"]}]),
        Query("notes", addons=[{"table": "users", "match": {"id": "author"}, "sort": "password"}]),
        Query("notes", where={"by.password": guess}, **join),
        Query("notes", sort="by.password", **join),
        Query("notes", fields=["by.password"], **join),
        Query("notes", group_by="by.password", **join),
        Query("notes", computed={"x": "by.password"}, **join),
    ]  # fmt: skip
    for query in attempts:
        with pytest.raises(Problem) as caught:
            store.query(query)
        assert caught.value.code == "INVALID_INPUT", query
        assert SECRET not in caught.value.message
        assert "md5$" not in caught.value.message
    for deed in (
        lambda: store.get("users", SECRET, "password"),
        lambda: store.get("users", 1, fields=["password"]),
        lambda: store.patch("users", SECRET, {"name": "x"}, "password"),
        lambda: store.delete("users", SECRET, "password"),
        lambda: store.upsert("users", SECRET, {}, "password"),
        lambda: store.verify("users", SECRET, SECRET, by="password"),
        lambda: store.delete_many("users", {"password": guess}),
    ):
        with pytest.raises(Problem, match=r"no field|does not tell"):
            deed()
    whole = store.query(Query("notes", fields=["by"], **join))
    assert set(whole[0]["by"]) == {"id", "created_at", "email", "name"}


@pytest.mark.parametrize(
    ("spec", "value", "codes"),
    [
        ({}, "short", ["length"]),
        ({}, "x" * 1_001, ["length"]),
        ({}, 12345678, ["type"]),
        ({}, "with\0nul!", ["characters"]),
        ({"min_upper": 1, "min_digit": 2, "min_symbol": 1}, "aaaaaaa1", ["rule", "rule", "rule"]),
        ({"min_length": 4, "min_alpha": 4}, "äöü1", ["rule"]),
    ],
)
def test_rules_are_told_without_the_password(spec: dict[str, Any], value: Any, codes: list[str]) -> None:
    store = make_store(users={"password": {"type": "password", **spec}})
    with pytest.raises(Problem) as caught:
        store.add("users", {"password": value})
    assert [detail.code for detail in caught.value.details] == codes
    assert str(value) not in caught.value.message


def test_a_password_is_neither_unique_nor_indexed_nor_given_by_default() -> None:
    for spec in ({"unique": True}, {"default": "the same one"}):
        faults = Faults()
        read_field("password", {"type": "password", **spec}, {}, faults, ())
        assert faults.errors, spec
    with pytest.raises(Problem):
        make_store(users={"password": "password", "list": {"type": "list", "of": "password"}})
