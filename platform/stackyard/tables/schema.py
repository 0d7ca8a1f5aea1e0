"""PLACEHOLDER so that imports work until the tables are written: overwrite this file."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class FieldDef:
    name: str = ""


@dataclass
class TableDef:
    name: str = ""


@dataclass
class Schema:
    workspace_id: int = 0
    version: int = 0
    tables: dict = field(default_factory=dict)


def load_schema(workspace_id: int) -> Any:
    return Schema(workspace_id)
