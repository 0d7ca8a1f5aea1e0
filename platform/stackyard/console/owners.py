"""What has a stack to edit: an endpoint or a function, behind one face for the editor's pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from endpoints import publishing as endpoint_publishing
from endpoints.inputs import with_path_required
from endpoints.models import Endpoint
from endpoints.router import parse_template
from lambdas import publishing as lambda_publishing
from lambdas.document import with_defaults
from lambdas.files import LambdaFiles
from lambdas.models import Lambda
from stackyard.core.errors import Fault, Faults, Problem
from stackyard.core.models import Workspace
from stackyard.core.yaml import dump
from stackyard.stacks import publishing as stack_publishing
from stackyard.stacks.check import Checked
from stackyard.stacks.models import Function, Revision
from stackyard.stacks.spelling import to_spelling

from .samples import curl_line, read_sample


class StackOwner:
    """The deeds of an owner's publishing module, and the addresses of its pages."""

    kind = ""
    ownership: stack_publishing.Ownership
    deeds: Any
    model: Any
    related: tuple[str, ...] = ("published",)
    after_deletion = "It can only go when nothing that is published uses it."

    def __init__(self, row: Any) -> None:
        self.row = row

    @classmethod
    def find(cls, pk: int) -> StackOwner:
        """The owner with this id. Problem `NOT_FOUND`."""
        row = cls.model.objects.select_related(*cls.related).filter(pk=pk).first()
        if row is None:
            raise Problem("NOT_FOUND", f"There is no {cls.kind} with this id; somebody may have deleted it.")
        return cls(row)

    def locked(self) -> StackOwner:
        """The same, read again and held until the transaction ends. Problem `NOT_FOUND` when it is gone."""
        rows = self.model.objects.select_for_update(of=("self",)).select_related(*self.related)
        row = rows.filter(pk=self.row.pk).first()
        if row is None:
            raise Problem("NOT_FOUND", f"There is no {self.kind} with this id any more; somebody deleted it.")
        return type(self)(row)

    @property
    def workspace(self) -> Workspace:
        """The workspace it belongs to."""
        return self.ownership.workspace(self.row)

    def spell(self, document: dict[str, Any]) -> str:
        """A document as text, the same bytes each time."""
        return dump(to_spelling(document))

    def check(self, document: dict[str, Any]) -> list[Fault]:
        """Everything wrong with a document as this owner's."""
        return self.ownership.check(self.row, document).faults

    def look(self, document: dict[str, Any]) -> Checked:
        """The whole outcome of the check, with the names in sight at each line."""
        return self.ownership.check(self.row, document, with_scopes=True)

    def save_draft(self, document: dict[str, Any], author: Any) -> None:
        """Keep a draft, faulty or not."""
        self.deeds.save_draft(self.row, document, author)

    def publish(self, author: Any, message: str) -> Revision:
        """Make the draft what runs. Problem with every fault when it has any."""
        revision: Revision = self.deeds.publish(self.row, author, message)
        return revision

    def restore(self, revision: Revision, author: Any) -> None:
        """Make an old revision the draft."""
        self.deeds.restore(self.row, revision, author)

    def revisions(self) -> QuerySet[Revision]:
        """Its revisions, newest first."""
        return stack_publishing.revisions(self.row, self.ownership)

    def revision(self, number: int) -> Revision:
        """One revision by number. Problem `NOT_FOUND`."""
        found = self.revisions().filter(number=number).first()
        if found is None:
            raise Problem("NOT_FOUND", f"There is no revision {number}.")
        return found

    def as_called(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document with what a call adds to its inputs."""
        return document

    def curl_line(self, sample: str) -> str:
        """The shell line that calls what is live with sample inputs; empty where nothing can be called."""
        return ""

    def delete(self) -> None:
        """Take it away with its revisions."""
        raise NotImplementedError

    @property
    def pages(self) -> str:
        """The URL that its pages begin with."""
        return self.address("change").removesuffix("change/")

    def address(self, page: str, *arguments: Any) -> str:
        """The URL of one of its pages: `change`, `revisions`, `compare`, `restore`, `delete`."""
        meta = self.model._meta
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=(self.row.pk, *arguments))


class EndpointOwner(StackOwner):
    """An endpoint."""

    kind = "endpoint"
    ownership = endpoint_publishing.ENDPOINTS
    deeds = endpoint_publishing
    model = Endpoint
    related = ("published", "group", "group__workspace")
    after_deletion = "Calls to it fail from the next one on."

    def as_called(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document with the inputs in its path required: no call comes without them."""
        template = parse_template(document.get("path"), Faults())
        if template is None:
            return document
        return {**document, "inputs": with_path_required(document.get("inputs") or {}, template)}

    def curl_line(self, sample: str) -> str:
        """The shell line that calls what is live (the draft's address, before anything is)."""
        group, document = (
            self.row.group,
            self.row.published.document if self.row.published else self.row.draft,
        )
        prefix = f"/api/{group.mount}" if group.mount else f"/api:{group.canonical}"
        try:
            return curl_line(document, prefix, read_sample(sample))
        except Problem:
            # Inputs that cannot be read are said to be so where they are run.
            return curl_line(document, prefix, {})

    def delete(self) -> None:
        """Take it away with its revisions."""
        endpoint_publishing.delete_endpoint(self.row)


class FunctionOwner(StackOwner):
    """A function."""

    kind = "function"
    ownership = stack_publishing.FUNCTIONS
    deeds = stack_publishing
    model = Function
    related = ("published", "workspace")

    def delete(self) -> None:
        """Take it away with its revisions."""
        stack_publishing.delete_function(self.row)


class LambdaOwner(StackOwner):
    """A lambda: what it shares with stacks is drafts and revisions."""

    kind = "lambda"
    ownership = lambda_publishing.LAMBDAS
    deeds = lambda_publishing
    model = Lambda
    related = ("published", "workspace")

    def spell(self, document: dict[str, Any]) -> str:
        """The settings, then the code, as the files have them."""
        return LambdaFiles().text({"name": self.row.name, **with_defaults(document)})

    def delete(self) -> None:
        """Take it away with its revisions and schedules."""
        lambda_publishing.delete_lambda(self.row)


OWNERS: Mapping[str, type[StackOwner]] = {owner.kind: owner for owner in (EndpointOwner, FunctionOwner)}
