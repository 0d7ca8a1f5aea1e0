"""What a check may look names up in: the schema, the functions and the variables of one workspace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stackyard.core import types as t
from stackyard.core.models import Variable
from stackyard.tables.schema import Schema, load_schema

from .models import Function

if TYPE_CHECKING:
    from stackyard.core.models import Workspace


@dataclass(frozen=True, slots=True)
class Signature:
    """A published function from outside: what it takes and gives."""

    id: int
    revision_id: int
    inputs: Mapping[str, Mapping[str, Any]]
    response: t.Type


class Signatures(Mapping[str, Signature]):
    """The functions of a workspace by name. A response's type is found on first use, by checking the function."""

    def __init__(self, workspace_id: int, catalogue: Catalogue) -> None:
        self._rows = {
            name: (pk, revision, document)
            for pk, name, revision, document in Function.objects.filter(
                workspace_id=workspace_id, published__isnull=False
            ).values_list("pk", "name", "published_id", "published__document")
        }
        self._catalogue = catalogue
        self._made: dict[str, Signature] = {}

    def __getitem__(self, name: str) -> Signature:
        if name not in self._made:
            pk, revision, document = self._rows[name]
            # Until its own check is done, a function that calls itself gives "not known".
            self._made[name] = Signature(pk, revision, document.get("inputs", {}), t.ANY)
            self._made[name] = Signature(pk, revision, document.get("inputs", {}), self._response(document))
        return self._made[name]

    def _response(self, document: dict[str, Any]) -> t.Type:
        from .check import check_document

        return check_document(document, self._catalogue, extra_keys=tuple(document)).response

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


@dataclass(slots=True)
class Catalogue:
    """Everything a document may name. `variables` says of each whether it is a secret."""

    schema: Schema
    functions: Mapping[str, Signature] = field(default_factory=dict)
    variables: Mapping[str, bool] = field(default_factory=dict)


def load_catalogue(workspace: Workspace, schema: Schema | None = None) -> Catalogue:
    """The catalogue as the database has it now; over another schema when one is given."""
    variables = dict(Variable.objects.filter(workspace=workspace).values_list("name", "is_secret"))
    catalogue = Catalogue(schema or load_schema(workspace.pk), {}, variables)
    catalogue.functions = Signatures(workspace.pk, catalogue)
    return catalogue
