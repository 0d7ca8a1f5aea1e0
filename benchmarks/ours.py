"""Makes our side through the deeds that console, files and API use: `python -m benchmarks.ours ENDPOINTS`.

Prints the key. The first three endpoints are what is measured; the others make the installation as
large as asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from itertools import islice
from typing import Any

import django

EXPRESSION = "$expr"
GROUP_SIZE = 1000
FIELDS = {
    "name": {"type": "text", "required": True},
    "email": {"type": "email", "required": True, "unique": True},
    "city": {"type": "text", "required": True},
    "status": {"type": "enum", "values": ["new", "active", "gone"], "required": True},
    "credit": {"type": "decimal", "required": True},
    "visits": {"type": "int", "required": True},
    "newsletter": {"type": "bool", "required": True},
}
INDEXES = [{"fields": ["city"]}, {"fields": ["city", "name"]}]
GET_CUSTOMER = {
    "name": "get_customer",
    "method": "GET",
    "path": "/customers/{customer_id}",
    "inputs": {"customer_id": {"type": "int"}},
    "lines": [
        {
            "step": "get_record",
            "as": "customer",
            "params": {"table": "customers", "field": "id", "value": {EXPRESSION: "input.customer_id"}},
        },
        {
            "step": "precondition",
            "params": {
                "if": {EXPRESSION: "customer != null"},
                "status": 404,
                "code": "CUSTOMER_NOT_FOUND",
                "message": {EXPRESSION: '"No customer found with ID " ~ input.customer_id'},
            },
        },
    ],
    "response": {EXPRESSION: "customer"},
}
LIST_CUSTOMERS = {
    "name": "list_customers",
    "method": "GET",
    "path": "/customers",
    "inputs": {
        "city": {"type": "text", "required": True},
        "page": {"type": "int", "default": 1, "min": 1},
        "sort": {"type": "enum", "values": ["id", "name", "credit"], "default": "id"},
    },
    "lines": [
        {
            "step": "query_all_records",
            "as": "page",
            "params": {
                "table": "customers",
                "where": {"city": {EXPRESSION: "input.city"}},
                "sort": {EXPRESSION: "input.sort"},
                "page": {EXPRESSION: "input.page"},
                "per_page": 20,
                "totals": True,
            },
        }
    ],
    "response": {EXPRESSION: "page"},
}
CREATE_CUSTOMER = {
    "name": "create_customer",
    "method": "POST",
    "path": "/customers",
    "inputs": {
        name: {option: value for option, value in spec.items() if option != "unique"}
        for name, spec in FIELDS.items()
    },
    "lines": [
        {
            "step": "add_record",
            "as": "customer",
            "params": {
                "table": "customers",
                "data": {name: {EXPRESSION: f"input.{name}"} for name in FIELDS},
            },
        },
        {"step": "set_status", "params": {"status": 201}},
    ],
    "response": {EXPRESSION: "customer"},
}


def documents(number: int) -> list[dict[str, Any]]:
    """The measured three, and then as many like the first as it takes."""
    measured = [GET_CUSTOMER, LIST_CUSTOMERS, CREATE_CUSTOMER]
    others = [
        {**GET_CUSTOMER, "name": f"get_thing_{one}", "path": f"/things{one}/{{customer_id}}"}
        for one in range(number - len(measured))
    ]
    return [{"format": 1, "auth": ["api_key"], **document} for document in [*measured, *others]]


def main(endpoints: int) -> str:
    """Fill an empty installation; the text of a key for it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stackyard.settings")
    django.setup()
    from auth.keys import create_key
    from stackyard.core.workspaces import create_workspace
    from stackyard.start.installation import migrate

    migrate()
    workspace = create_workspace("bench")
    make_customers_table(workspace)
    make_endpoints(workspace, endpoints)
    return create_key(workspace, "benchmark")[1]


def make_customers_table(workspace: Any) -> None:
    """The table with its records."""
    from benchmarks.customers import make_customers
    from stackyard.tables import changes
    from stackyard.tables.schema import load_schema
    from stackyard.tables.store import Store

    changes.create_table(workspace, "customers", fields=FIELDS, indexes=INDEXES)
    store = Store(load_schema(workspace.pk))
    customers = make_customers()
    while batch := list(islice(customers, 10_000)):
        store.add_many("customers", batch)


def make_endpoints(workspace: Any, number: int) -> None:
    """Publish up to 1,000 endpoints in the group `bench`; more are put beside them, 1,000 to a group."""
    from endpoints.groups import create_group
    from endpoints.publishing import create_endpoint, publish

    wanted = iter(documents(number))
    for index in range(-(-number // GROUP_SIZE)):
        name = f"bench{index or ''}"
        group = create_group(workspace, name, canonical=name)
        if index == 0:
            for document in islice(wanted, GROUP_SIZE):
                publish(create_endpoint(group, document))
        else:
            put_endpoints(group, islice(wanted, GROUP_SIZE))


def put_endpoints(group: Any, wanted: Iterable[dict[str, Any]]) -> None:
    """Write the rows that publishing leaves behind, without its checks: a hundred a second would take minutes."""
    from django.db import transaction

    from endpoints.models import Endpoint
    from stackyard.core import version
    from stackyard.stacks.document import with_ids
    from stackyard.stacks.models import Revision

    with transaction.atomic():
        rows = [
            Endpoint(
                group=group, draft=with_ids(one), name=one["name"], method=one["method"], path=one["path"]
            )
            for one in wanted
        ]
        Endpoint.objects.bulk_create(rows)
        for row in rows:
            row.published = Revision(
                workspace=group.workspace,
                owner_kind="endpoint",
                owner_id=row.pk,
                number=1,
                document=row.draft,
            )
        Revision.objects.bulk_create([row.published for row in rows])
        Endpoint.objects.bulk_update(rows, ["published"], batch_size=200)
        version.bump(group.workspace_id)


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
