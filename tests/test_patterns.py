"""docs/patterns.md, run: its commands, its curl lines against a real server, and what they print."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from stackyard.core.workspaces import edit_variable
from stackyard.tables.changes import create_table
from tests.doc_pages import run_page, served
from tests.factories import make_group, make_key, make_workspace


@pytest.mark.django_db(transaction=True, databases=["default", "history"])
def test_the_page_of_patterns_is_true(tmp_path: Path) -> None:
    workspace = make_workspace()
    create_table(
        workspace, "customers", fields={"name": {"type": "text", "required": True}, "email": "email"}
    )
    make_group(workspace)
    Image.new("RGB", (4, 3)).save(tmp_path / "tea.png")

    def set_secret() -> None:
        for variable in workspace.variables.filter(name="GITHUB_SECRET"):
            edit_variable(variable, value="It's a secret")

    keys = {"KEY": make_key(workspace), "META_KEY": make_key(workspace, "meta")}
    with served() as base:
        compared = run_page(
            "patterns.md",
            tmp_path,
            {"BASE": base, **keys},
            curl="curl -sS --fail-with-body -w '\\n'",
            after_commands=set_secret,
        )
    assert compared >= 6
