"""One function a noun: each makes a valid thing with what a test does not care about filled in."""

from __future__ import annotations

from typing import Any

from auth.keys import create_key
from auth.models import Membership, User
from endpoints.groups import create_group
from endpoints.models import ApiGroup, Endpoint
from endpoints.publishing import create_endpoint, publish
from stackyard.core.models import Workspace
from stackyard.core.workspaces import create_workspace
from stackyard.tables.changes import create_table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store


def make_workspace(name: str = "shop", **more: Any) -> Workspace:
    """A workspace."""
    return create_workspace(name, **more)


def make_group(workspace: Workspace, name: str = "shop", **more: Any) -> ApiGroup:
    """An API group; its canonical is its name."""
    return create_group(workspace, name, **{"canonical": name, **more})


def make_endpoint(group: ApiGroup, path: str = "/things", method: str = "GET", **more: Any) -> Endpoint:
    """A published endpoint that anybody may call and that answers null; `more` goes into its document."""
    name = more.pop("name", None) or f"endpoint_{group.endpoints.count()}"
    document = {"name": name, "method": method, "path": path, "auth": ["public"], **more}
    endpoint = create_endpoint(group, document)
    publish(endpoint)
    return endpoint


def make_key(workspace: Workspace, *scopes: str) -> str:
    """The text of an API key, with the scope `*` when none is given."""
    return create_key(workspace, "test", scopes or ("*",))[1]


def make_owner(email: str = "owner@example.com", password: str = "a-long-password") -> User:
    """A person who may do everything in the console."""
    return User.objects.create_superuser(email, password)


def make_member(workspace: Workspace, role: str, email: str = "member@example.com") -> User:
    """A person of the console with a role in a workspace and the password `a-long-password`."""
    account = User.objects.create_user(email, "a-long-password", is_staff=True)
    Membership.objects.create(user=account, workspace=workspace, role=role)
    return account


CUSTOMERS: dict[str, Any] = {
    "name": {"type": "text", "required": True},
    "email": {"type": "email", "unique": True},
    "price": {"type": "decimal", "default": "1.50"},
    "status": {"type": "enum", "values": ["open", "closed"], "default": "open"},
    "seen_at": {"type": "timestamp", "default": "now"},
    "token": {"type": "uuid", "default": "uuid", "access": "private"},
    "note": {"type": "text", "access": "internal"},
}


def make_store(workspace: Workspace | None = None, **tables: Any) -> Store:
    """A store over tables given by their fields; over `customers` when none is."""
    workspace = workspace or make_workspace()
    for name, fields in (tables or {"customers": CUSTOMERS}).items():
        create_table(workspace, name, fields=fields)
    return Store(load_schema(workspace.pk))
