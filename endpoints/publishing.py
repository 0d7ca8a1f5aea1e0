"""The one door to changes of endpoints: create, save the draft, check, publish, restore, delete.

Console, management API and files all come through here. What is published (the revision and the routing
columns name, method, path, description) switches in one transaction with the version, so every process
takes the new routes at its next request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction

from stackyard.core import version
from stackyard.core.errors import Fault, Faults
from stackyard.stacks import publishing as stacks
from stackyard.stacks.catalogue import load_catalogue
from stackyard.stacks.check import Checked, check_document
from stackyard.stacks.document import ENDPOINT_KEYS, empty_document, with_ids
from stackyard.stacks.models import Revision

from .advice import advise
from .checking import check_endpoint, check_name
from .models import METHODS, ApiGroup, Endpoint


def create_endpoint(group: ApiGroup, document: Mapping[str, Any], author: Any = None) -> Endpoint:
    """A new endpoint with this draft; nothing is published yet. Problem when its name is missing or taken."""
    faults = Faults()
    check_name(group, document.get("name"), faults, None)
    faults.raise_errors()
    endpoint = Endpoint(group=group, draft=with_ids({**empty_document(), **document}))
    _show(endpoint, endpoint.draft)
    endpoint.save()
    return endpoint


def save_draft(endpoint: Endpoint, document: dict[str, Any], author: Any = None) -> list[Fault]:
    """Keep a draft, faulty or not, and say what is wrong with it. What is published stays as it is."""
    faults = stacks.save_draft(endpoint, document, author, ENDPOINTS)
    if endpoint.published_id is None and not any(fault.path == ("name",) for fault in faults):
        # Of an endpoint that never was published the columns show the draft.
        _show(endpoint, endpoint.draft)
        endpoint.save()
    return faults


def check(endpoint: Endpoint, document: dict[str, Any], *, with_scopes: bool = False) -> Checked:
    """Every fault and warning of a document as this endpoint's, and the types of its inputs and response."""
    faults = Faults()
    catalogue = load_catalogue(endpoint.group.workspace)
    if isinstance(document, dict):
        check_endpoint(endpoint.group, document, faults, endpoint)
        advise(endpoint.group, document, catalogue.schema.tables, faults)
    stack = check_document(document, catalogue, extra_keys=ENDPOINT_KEYS, with_scopes=with_scopes)
    return replace(stack, faults=[*faults.found, *stack.faults])


def publish(endpoint: Endpoint, author: Any = None, message: str = "") -> Revision:
    """Make the draft what runs. Problem `INVALID_INPUT` with every fault, and nothing changed, when it has any."""
    with transaction.atomic():
        # Whoever publishes holds the group, so that two publications can't both pass the check for conflicts.
        ApiGroup.objects.select_for_update().get(pk=endpoint.group_id)
        return stacks.publish(endpoint, author, message, ENDPOINTS)


def restore(endpoint: Endpoint, revision: Revision, author: Any = None) -> list[Fault]:
    """Make an old revision the draft again; publishing it is a step of its own."""
    return stacks.restore(endpoint, revision, author, ENDPOINTS)


def set_active(endpoint: Endpoint, active: bool) -> None:
    """Switch an endpoint off (its address answers 404) or on again, from the next request on."""
    with transaction.atomic():
        endpoint.active = active
        endpoint.save(update_fields=["active", "updated_at"])
        version.bump(endpoint.group.workspace_id)


def delete_endpoint(endpoint: Endpoint, author: Any = None) -> None:
    """Remove an endpoint and its revisions; its address answers 404 from the next request on."""
    with transaction.atomic():
        workspace_id = endpoint.group.workspace_id
        Revision.objects.filter(owner_kind=ENDPOINTS.kind, owner_id=endpoint.pk).delete()
        endpoint.delete()
        version.bump(workspace_id)


def _show(endpoint: Endpoint, document: Mapping[str, Any]) -> None:
    """Write the routing columns from a document: as what is published, or as the face of what never was."""
    method, path = document.get("method"), document.get("path")
    endpoint.name = str(document.get("name", endpoint.name))[:100]
    endpoint.method = str(method) if method in METHODS else "GET"
    endpoint.path = path if isinstance(path, str) and len(path) <= 200 else "/"
    endpoint.description = str(document.get("description") or "")


def _workspace(endpoint: Endpoint) -> Any:
    return endpoint.group.workspace


ENDPOINTS = stacks.Ownership("endpoint", _workspace, check, _show)
"""How `stackyard.stacks.publishing` publishes an endpoint; pass it to `revisions` there, too."""
