"""Which record or account somebody is whom a provider has named.

By the provider's own name for them, once it is known; the first time by an e-mail address that is proved on both sides.
Otherwise somebody could sign up with the address of another and wait for them to come (pre-hijacking), or claim an
address at a provider that does not check it.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from stackyard.core.errors import Problem
from stackyard.tables.definitions import TableDef
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store

from ..families import account_of
from ..models import User
from ..oauth.people import email_field
from ..tokens import Holder
from .logging_in import Person, login_failed
from .models import Identity, Provider

VERIFIED = "email_verified"


def record_of(provider: Provider, person: Person) -> tuple[TableDef, int, bool]:
    """The table and record of somebody, and whether it was made now.

    Problem `EMAIL_NOT_VERIFIED` 403 when the provider did not prove the address, `EMAIL_TAKEN` 409 when a record has it
    that nobody has proved, and what the table says of a record with an address only.
    """
    assert provider.workspace_id is not None
    schema = load_schema(provider.workspace_id)
    table = schema.tables_by_id.get(provider.table_id or 0)
    field = email_field(table) if table is not None else None
    if table is None or field is None:
        raise login_failed("The table of those who log in is gone.")
    store = Store(schema)
    known = (
        Identity.objects.filter(provider=provider, subject=person.subject).select_related("account").first()
    )
    if known is not None:
        number = known.account.record_id
        if number is not None and store.get(table, number, "id", ["id"]) is not None:
            return table, number, False
        known.delete()
    if person.email is None:
        raise Problem(
            "EMAIL_NOT_VERIFIED",
            "The provider did not say that the e-mail address is proved.",
            status=403,
            suggestion="Prove the address there, and log in again.",
        )
    with transaction.atomic():
        number, is_new = _by_email(store, table, field, person.email)
        account = account_of(Holder(provider.workspace_id, table.id, number))
        Identity.objects.create(provider=provider, subject=person.subject, account=account)
    return table, number, is_new


def _by_email(store: Store, table: TableDef, field: str, email: str) -> tuple[int, bool]:
    marks_proof = VERIFIED in table.fields and table.fields[VERIFIED].type.name == "bool"
    found = store.get(table, email, field)
    if found is not None:
        if marks_proof and found.get(VERIFIED) is True:
            return int(found["id"]), False
        raise Problem(
            "EMAIL_TAKEN",
            "Somebody has signed up with this e-mail address, and has not proved it.",
            status=409,
            suggestion="Log in with the password and prove the address; then this login works too.",
        )
    data: dict[str, Any] = {field: email, **({VERIFIED: True} if marks_proof else {})}
    return int(store.add(table, data)["id"]), True


def account_of_console(provider: Provider, person: Person) -> User:
    """The account of a person of the console; nobody gets one by logging in. Problem `LOGIN_FAILED`."""
    known = (
        Identity.objects.filter(provider=provider, subject=person.subject).select_related("account").first()
    )
    account = known.account if known is not None else None
    if account is None and person.email is not None:
        account = User.objects.filter(email__iexact=person.email, record_id=None).first()
    if account is None or not account.is_active or not account.is_staff:
        raise login_failed("No account of the console has this e-mail address.")
    if known is None:
        Identity.objects.create(provider=provider, subject=person.subject, account=account)
    return account
