"""A workspace as files: the laws of apply, export and diff."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings

from endpoints.models import ApiGroup, Endpoint
from stackyard.core import files
from stackyard.core.models import Variable, Workspace
from stackyard.stacks.models import Function, Revision
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.workspace_folders import SHOP, apply_shop, exported, faults, read, write
from tests.workspace_strategies import workspaces

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The small workspace, applied."""
    return apply_shop(tmp_path)


def test_files_make_a_workspace_that_is_published(shop: Path):
    workspace = Workspace.objects.get(name="tiny")
    assert set(load_schema(workspace.pk).tables) == {"customers", "orders"}
    assert Variable.objects.get(workspace=workspace, name="TOKEN").is_secret
    assert Function.objects.get(workspace=workspace).published is not None
    endpoint = Endpoint.objects.get(group__workspace=workspace)
    assert (endpoint.method, endpoint.path, endpoint.published is not None) == (
        "GET",
        "/customers/{id}",
        True,
    )
    store = Store(load_schema(workspace.pk))
    ann = store.add("customers", {"name": "Ann", "email": "ann@example.com"})
    assert store.add("orders", {"customer": ann["id"]})["total"] == 0


def test_applying_the_same_files_again_changes_nothing(shop: Path):
    before = (Workspace.objects.get().version, Revision.objects.count())
    plan = files.apply(shop)
    assert plan.is_equal
    assert not plan.changes_something
    assert (Workspace.objects.get().version, Revision.objects.count()) == before


def test_an_export_reads_back_as_what_it_was_made_from(shop: Path, tmp_path: Path):
    first = exported("tiny", tmp_path / "first")
    assert set(first) == set(SHOP)
    assert files.diff("tiny", tmp_path / "first").is_equal
    assert exported("tiny", tmp_path / "second") == first
    assert exported("tiny", tmp_path / "first") == first


def test_an_export_makes_the_same_workspace_in_another_installation(shop: Path, tmp_path: Path):
    first = exported("tiny", tmp_path / "first")
    Workspace.objects.all().delete()
    files.apply(tmp_path / "first")
    assert exported("tiny", tmp_path / "second") == first


def assert_a_fault_changes_nothing(folder: Path, generated: dict[str, Any], before: dict[str, bytes]) -> None:
    """Every file but one changed, and that one broken: nothing of it stays."""
    changed = {path: {**document, "description": "Changed."} for path, document in generated.items()}
    broken = max(changed)
    write(folder / "broken", {**changed, broken: {**changed[broken], "nonsense": 1}})
    assert [line.split(":")[0] for line in faults(folder / "broken")] == [broken]
    assert exported("generated", folder / "after") == before


@given(workspaces())
@settings(max_examples=1000 if os.environ.get("STACKYARD_FUZZ") == "1" else 25)
def test_laws_hold_for_any_workspace(tmp_path_factory: pytest.TempPathFactory, generated: dict[str, Any]):
    folder = tmp_path_factory.mktemp("law")
    with transaction.atomic():
        write(folder / "written", generated)
        files.apply(folder / "written")
        assert files.apply(folder / "written").is_equal
        first = exported("generated", folder / "first")
        assert set(first) == set(generated)
        assert_a_fault_changes_nothing(folder, generated, first)
        version = Workspace.objects.get(name="generated").version
        assert files.apply(folder / "first", prune=True).is_equal
        assert Workspace.objects.get(name="generated").version == version
        assert exported("generated", folder / "second") == first
        Workspace.objects.get(name="generated").delete()
        files.apply(folder / "first")
        assert exported("generated", folder / "third") == first
        transaction.set_rollback(True)


def test_what_the_files_lack_stays_unless_pruned(shop: Path, tmp_path: Path):
    write(
        shop,
        {
            "functions/double.yaml": None,
            "tables/orders.yaml": None,
            "apis/v1/get_customer.yaml": None,
            "tables/customers.yaml": "name: customers\nfields:\n  email: {type: email, unique: true}\n",
            "workspace.yaml": "name: tiny\n",
        },
    )
    before = exported("tiny", tmp_path / "before")
    plan = files.apply(shop)
    assert not plan.changes_something
    assert not plan.is_equal
    assert exported("tiny", tmp_path / "kept") == before
    files.apply(shop, prune=True)
    assert exported("tiny", tmp_path / "pruned") == {
        "workspace.yaml": b"name: tiny\ntimezone: UTC\n",
        "tables/customers.yaml": b"name: customers\nfields:\n  email: {type: email, unique: true}\n",
        "apis/v1.yaml": b"name: v1\ncanonical: tiny-one\nmount: tiny/v1\n",
    }
    assert files.diff("tiny", shop).is_equal


def test_a_kept_field_stays_where_it_was(shop: Path):
    write(
        shop,
        {
            "tables/customers.yaml": "name: customers\nfields:\n  name: {type: text, required: true}\n"
            "  new: int\n  boss: {type: reference, table: customers}\n"
        },
    )
    files.apply(shop)
    schema = load_schema(Workspace.objects.get().pk)
    assert list(schema.table("customers").fields) == ["id", "created_at", "name", "email", "new", "boss"]


def test_the_order_of_fields_is_the_files(shop: Path):
    text = SHOP["tables/customers.yaml"]
    lines = text.splitlines()
    write(shop, {"tables/customers.yaml": "\n".join([*lines[:2], *reversed(lines[2:])])})
    files.apply(shop)
    schema = load_schema(Workspace.objects.get().pk)
    assert list(schema.table("customers").fields)[2:] == ["boss", "email", "name"]
    assert files.diff("tiny", shop).is_equal


def test_was_renames_and_keeps_what_is_there(shop: Path, tmp_path: Path):
    store = Store(load_schema(Workspace.objects.get().pk))
    store.add("customers", {"name": "Ann", "email": "ann@example.com"})
    ids = (Function.objects.get().pk, Endpoint.objects.get().pk)
    write(
        shop,
        {
            "tables/customers.yaml": None,
            "tables/clients.yaml": SHOP["tables/customers.yaml"]
            .replace("name: customers\n", "name: clients\nwas: customers\n")
            .replace("  name: {type: text,", "  full_name: {was: name, type: text,")
            .replace("table: customers", "table: clients"),
            "tables/orders.yaml": SHOP["tables/orders.yaml"].replace("table: customers", "table: clients"),
            "functions/double.yaml": None,
            "functions/twice.yaml": SHOP["functions/double.yaml"].replace(
                "name: double", "name: twice\nwas: double"
            ),
            "apis/v1/get_customer.yaml": None,
            "apis/v1/get_client.yaml": SHOP["apis/v1/get_customer.yaml"]
            .replace("name: get_customer\n", "name: get_client\nwas: get_customer\n")
            .replace("table: customers", "table: clients"),
        },
    )
    plan = files.apply(shop)
    assert [c.path for c in plan.changes if c.action == "rename"] == [
        "tables/clients.yaml",
        "functions/twice.yaml",
        "apis/v1/get_client.yaml",
    ]
    store = Store(load_schema(Workspace.objects.get().pk))
    assert store.get("clients", 1)["full_name"] == "Ann"
    assert (Function.objects.get(name="twice").pk, Endpoint.objects.get(name="get_client").pk) == ids
    assert files.apply(shop).is_equal, "`was` is past once it has been done"
    assert b"was" not in b"".join(exported("tiny", tmp_path / "out").values())


def test_was_without_anything_to_rename_makes_it_new(tmp_path: Path):
    contents = {
        "workspace.yaml": "name: w\n",
        "tables/b.yaml": "name: b\nwas: a\nfields:\n  x: {was: y, type: text}\n",
    }
    files.apply(write(tmp_path / "w", contents))
    assert list(load_schema(Workspace.objects.get().pk).tables) == ["b"]


def test_functions_may_call_each_other_in_any_order(shop: Path, tmp_path: Path):
    call = (
        "name: {0}\ninputs:\n  n: {{type: int}}\nstack:\n  - condition:\n      if: !expr 'input.n > 0'\n      then:\n"
        "        - call_function: {{function: {1}, input: {{n: !expr 'input.n - 1'}}}}\n          as: answer\n"
        "        - return: {{value: !expr 'answer'}}\nresponse: {0}\n"
    )
    write(
        shop,
        {"functions/even.yaml": call.format("even", "odd"), "functions/odd.yaml": call.format("odd", "even")},
    )
    files.apply(shop)
    assert Function.objects.filter(published__isnull=False).count() == 3
    assert files.diff("tiny", shop).is_equal


def test_groups_may_trade_addresses_and_endpoints_paths(shop: Path):
    base = SHOP["apis/v1/get_customer.yaml"]
    write(
        shop,
        {
            "apis/v2.yaml": "name: v2\ncanonical: tiny-two\nmount: tiny/v2\n",
            "apis/v1/other.yaml": base.replace("get_customer", "other").replace("/customers/", "/others/"),
        },
    )
    files.apply(shop)
    write(
        shop,
        {
            "apis/v1.yaml": "name: v1\ncanonical: tiny-two\nmount: tiny/v2\nsuccessor: v2\n",
            "apis/v2.yaml": "name: v2\ncanonical: tiny-one\nmount: tiny/v1\n",
            "apis/v1/other.yaml": base.replace("get_customer", "other"),
            "apis/v1/get_customer.yaml": base.replace("/customers/", "/others/"),
        },
    )
    files.apply(shop)
    assert files.diff("tiny", shop).is_equal
    assert ApiGroup.objects.get(name="v1").successor == ApiGroup.objects.get(name="v2")


def test_a_secret_never_leaves_and_is_never_taken_from_a_file(shop: Path, tmp_path: Path):
    secret = Variable.objects.get(name="TOKEN")
    secret.value = "kingfisher"
    secret.save()
    out = exported("tiny", tmp_path / "out")
    assert b"TOKEN: {secret: true}" in out["workspace.yaml"]
    assert all(b"kingfisher" not in content for content in out.values())
    files.apply(shop)
    assert Variable.objects.get(name="TOKEN").value.reveal() == "kingfisher"
    write(shop, {"workspace.yaml": "name: tiny\nvariables:\n  TOKEN: {secret: true, value: x}\n"})
    assert faults(shop) == [
        "workspace.yaml:3:25: The value of a secret is never in a file: set it in the console."
    ]


def test_lines_without_an_id_keep_the_id_of_their_place(shop: Path):
    endpoint = Endpoint.objects.get()
    revision = endpoint.published
    revision.document["lines"][0]["id"] = "k3f9"
    revision.save()
    assert files.apply(shop).is_equal
    changed = SHOP["apis/v1/get_customer.yaml"].replace("as: customer", "as: customer\n    note: by id")
    write(shop, {"apis/v1/get_customer.yaml": changed})
    files.apply(shop)
    assert Endpoint.objects.get().published.document["lines"][0]["id"] == "k3f9"


def test_an_export_takes_away_what_the_workspace_no_longer_has(shop: Path):
    write(shop, {"README.md": "About it.", "functions/old.yaml": "name: old\n"})
    files.export("tiny", shop)
    assert set(read(shop)) == {*SHOP, "README.md"}


def test_a_plan_says_which_drafts_it_replaces(shop: Path):
    endpoint = Endpoint.objects.get()
    endpoint.draft = {**endpoint.draft, "description": "Being written."}
    endpoint.save()
    assert files.apply(shop).is_equal
    assert Endpoint.objects.get().draft["description"] == "Being written.", (
        "what is unchanged keeps its draft"
    )
    changed = SHOP["apis/v1/get_customer.yaml"].replace(
        "method: GET", "method: GET\ndescription: From files."
    )
    plan = files.apply(write(shop, {"apis/v1/get_customer.yaml": changed}))
    assert [c.note for c in plan.changes if c.changes_something] == ["replaces an unpublished draft"]
    assert not Endpoint.objects.get().has_changes
