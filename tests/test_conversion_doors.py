"""A field's change of type from files and through the management API."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command

from auth.keys import create_key
from stackyard.core.files import diff, export
from stackyard.core.models import Workspace
from stackyard.runs.working import work
from stackyard.tables.conversions import starting
from stackyard.tables.specs import field_spec
from tests.doors import Door
from tests.test_conversions import field_of, filled, large, values

__all__ = ["large"]

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])


@pytest.mark.parametrize("way", ["at once", "as a run"])
def test_files_change_a_type_the_same_way(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    if way == "as a run":
        monkeypatch.setattr(starting, "AT_ONCE", 0)
    filled(workspace, "text", ["1", "2"])
    export("shop", tmp_path)
    file = tmp_path / "tables/things.yaml"
    file.write_text(file.read_text().replace("value: text", "value: {type: int, min: 0, unique: true}"))
    call_command("workspace", "apply", str(tmp_path), stdout=io.StringIO(), stderr=io.StringIO())
    assert values(workspace) == [1, 2]
    assert field_spec(field_of(workspace)) == {"type": "int", "min": 0, "unique": True}
    assert diff("shop", tmp_path).is_equal
    if way == "as a run":
        file.write_text(file.read_text().replace("type: int, min: 0", "type: text"))
        call_command("workspace", "apply", str(tmp_path), "--no-wait", stdout=io.StringIO())
        assert values(workspace) == [1, 2]
        # A second apply finds the run at work, and starts no other.
        call_command("workspace", "apply", str(tmp_path), stdout=io.StringIO(), stderr=io.StringIO())
        assert values(workspace) == ["1", "2"]


def test_a_type_is_changed_through_the_management_api(large: None, workspace: Workspace) -> None:
    meta = Door(WSGIHandler()).with_key(create_key(workspace, "manager", ["meta"])[1])
    field = filled(workspace, "text", ["1", "x"])
    one = "/api:meta/workspaces/shop/tables/things/fields/value"
    plan = meta.post(f"{one}/retype/check", {"type": "int"}).json()
    assert (plan["refused"], plan["at_once"], plan["bad"][0]["id"]) == (1, False, 2)
    assert meta.post(f"{one}/retype/check", {"type": "int", "on_bad": 3}).status == 400
    assert meta.post(f"{one}/retype", {"type": "nope"}).status == 400
    begun = meta.post(f"{one}/retype", {"type": "int", "on_bad": "null"})
    assert (begun.status, begun.json()["kind"]) == (202, "conversion")
    work(begun.json()["id"])
    assert meta.get(one).json()["type"] == "int"
    assert values(workspace) == [1, None]
    assert meta.delete(one).status == 204
    [gone] = meta.get("/api:meta/workspaces/shop/dropped").json()["items"]
    assert (gone["name"], gone["kind"]) == ("things.value", "field")
    assert meta.post(f"/api:meta/workspaces/shop/dropped/{gone['id']}/restore").status == 204
    assert meta.get(one).json()["type"] == "int"
    assert field.pk == field_of(workspace).pk
