"""Folders of workspace files for tests: a small workspace, and ways to write, read and apply folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stackyard.core import files
from stackyard.core.files import InvalidFiles
from stackyard.core.yaml import dump

SHOP: dict[str, Any] = {
    "workspace.yaml": "name: tiny\nvariables:\n  MAIL: a@example.com\n  TOKEN: {secret: true}\n",
    "tables/customers.yaml": (
        "name: customers\nfields:\n  name: {type: text, required: true}\n"
        "  email: {type: email, unique: true}\n  boss: {type: reference, table: customers}\n"
    ),
    "tables/orders.yaml": (
        "name: orders\nfields:\n  customer: {type: reference, table: customers}\n"
        "  total: {type: decimal, default: 0}\nindexes:\n  - {fields: [customer, -created_at]}\n"
    ),
    "functions/double.yaml": "name: double\ninputs:\n  n: {type: int}\nstack: []\nresponse: !expr 'input.n * 2'\n",
    "apis/v1.yaml": "name: v1\ncanonical: tiny-one\nmount: tiny/v1\n",
    "apis/v1/get_customer.yaml": (
        "name: get_customer\nmethod: GET\npath: /customers/{id}\nauth: [public]\ninputs:\n  id: {type: int}\n"
        "stack:\n  - get_record: {table: customers, value: !expr 'input.id'}\n    as: customer\n"
        "response: !expr 'customer'\n"
    ),
}


def write(folder: Path, contents: dict[str, Any]) -> Path:
    """Write files: texts as they are, documents as YAML, None for a file that is taken away."""
    for path, content in contents.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            target.unlink()
        else:
            target.write_text(content if isinstance(content, str) else dump(content))
    return folder


def read(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def exported(name: str, folder: Path, **options: Any) -> dict[str, bytes]:
    """A workspace exported to a new folder."""
    files.export(name, folder, **options)
    return read(folder)


def faults(folder: Path, **options: Any) -> list[str]:
    """What applying says is wrong."""
    with pytest.raises(InvalidFiles) as caught:
        files.apply(folder, **options)
    return [str(fault) for fault in caught.value.faults]


def apply_shop(tmp_path: Path) -> Path:
    """A new folder with the files above, applied."""
    folder = write(tmp_path / "shop", SHOP)
    files.apply(folder)
    return folder
