"""The people who are asked: records of an application's table, who log in on our page to say yes or no.

Their session is a signed cookie of its own under /oauth/, never the console's. It ends with their password.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from stackyard.core.client_address import client_address
from stackyard.core.errors import Problem
from stackyard.tables.definitions import TableDef
from stackyard.tables.passwords import mark_of
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store

from ..families import account_of
from ..holders import is_auth_enabled, password_field
from ..login_throttle import Tries
from ..models import User
from ..tokens import Holder
from .models import Application

COOKIE = "stackyard_oauth"
SECONDS = 8 * 3600
_SALT = "auth.oauth.people"


def email_field(table: TableDef) -> str | None:
    """The field whose value a person logs in with: the first unique one of type email."""
    return next((f.name for f in table.own_fields if f.type.name == "email" and f.unique), None)


def table_of(application: Application) -> TableDef | None:
    """The table of the people of an application; None when it is gone or they cannot log in any more."""
    table = load_schema(application.workspace_id).tables_by_id.get(application.table_id or 0)
    return table if table is not None and is_auth_enabled(table) and email_field(table) else None


def log_in(application: Application, email: str, password: str, request: HttpRequest) -> User | None:
    """The account of whoever has this e-mail address and password, or None; Problem `TOO_MANY_REQUESTS`."""
    table = table_of(application)
    if table is None:
        return None
    store = Store(load_schema(application.workspace_id))
    field = email_field(table)
    assert field is not None
    record = store.get(table, email.strip(), field, ["id"])
    number = record["id"] if record is not None else 0
    holder = Holder(application.workspace_id, table.id, number)
    tries = Tries(holder, client_address(request.META), email)
    tries.check()
    if not store.verify(table, number, password, field=password_field(table)):
        tries.failed()
        return None
    tries.succeeded()
    return account_of(holder)


def remember(response: HttpResponse, account: User) -> None:
    """Keep somebody logged in on our pages, for eight hours at most."""
    value = signing.dumps({"account": account.pk, "mark": password_mark(account)}, salt=_SALT)
    response.set_cookie(
        COOKIE,
        value,
        max_age=SECONDS,
        path="/oauth/",
        httponly=True,
        samesite="Lax",
        secure=settings.PUBLIC_URL.startswith("https://"),
    )


def forget(response: HttpResponse) -> None:
    """Log somebody out of our pages."""
    response.delete_cookie(COOKIE, path="/oauth/", samesite="Lax")


def remembered(request: HttpRequest, application: Application) -> User | None:
    """Who is logged in, if it is one of the application's people and has the same password still."""
    try:
        held = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=SECONDS)
    except signing.BadSignature:
        return None
    account = User.objects.filter(
        pk=held["account"],
        workspace_id=application.workspace_id,
        table_id=application.table_id,
        is_active=True,
    ).first()
    if account is None or table_of(application) is None:
        return None
    mark = password_mark(account)
    return account if mark and mark == held["mark"] else None


def password_mark(account: User) -> str:
    """What changes when somebody gets another password; "" for nobody."""
    schema = load_schema(account.workspace_id or 0)
    table = schema.tables_by_id.get(account.table_id or 0)
    return mark_of(Store(schema), table, account.record_id or 0) if table is not None else ""


def subject_of(account: User) -> str:
    """What an application knows a person by, in every answer of ours and as in the tokens of a login: `TABLE:RECORD`.

    Neither number is ever given to another.
    """
    return Holder(account.workspace_id or 0, account.table_id or 0, account.record_id or 0).subject


def claims_of(account: User) -> dict[str, Any]:
    """The claims of OpenID Connect about a person: e-mail address, and whether it was proved where the table says so."""
    if account.workspace_id is None or account.record_id is None:
        return {}
    schema = load_schema(account.workspace_id)
    table = schema.tables_by_id.get(account.table_id or 0)
    field = email_field(table) if table is not None else None
    if table is None or field is None:
        return {}
    record = Store(schema).get(table, account.record_id)
    if record is None:
        return {}
    return {"email": record.get(field), "email_verified": record.get("email_verified") is True}


def shown_name(account: User) -> str:
    """How a page calls somebody: by e-mail address."""
    return str(claims_of(account).get("email") or account)


def people_table(workspace_id: int, name: str | None) -> int:
    """The id of the table whose people an application asks; the only one where none is named. Problem `INVALID_INPUT`."""
    schema = load_schema(workspace_id)
    able = [t for t in schema.tables.values() if is_auth_enabled(t) and email_field(t)]
    if name is None and len(able) == 1:
        return able[0].id
    found = next((t for t in able if t.name == name), None)
    if found is not None:
        return found.id
    names = ", ".join(sorted(t.name for t in able))
    raise Problem(
        "INVALID_INPUT",
        f"The application needs the table of the people who log in: {names}."
        if able
        else "The workspace has no table whose records can log in.",
        suggestion=None
        if able
        else "Give a table a unique field of type email and a field of type password, or use client credentials.",
    )
