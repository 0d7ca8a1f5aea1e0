"""A workspace as files: the laws of apply, export and diff, and what happens to files that are wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings

from endpoints.models import ApiGroup, Endpoint
from stackyard.core import files
from stackyard.core.errors import Problem
from stackyard.core.files import InvalidFiles
from stackyard.core.models import Variable, Workspace
from stackyard.core.yaml import dump
from stackyard.stacks.models import Function, Revision
from stackyard.tables.models import Field, Table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.workspace_strategies import workspaces

pytestmark = pytest.mark.django_db(databases=["default", "history"])

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


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The files above, applied."""
    folder = write(tmp_path / "shop", SHOP)
    files.apply(folder)
    return folder


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
        version = Workspace.objects.get(name="generated").version
        assert files.apply(folder / "first", prune=True).is_equal
        assert Workspace.objects.get(name="generated").version == version
        assert exported("generated", folder / "second") == first
        Workspace.objects.get(name="generated").delete()
        files.apply(folder / "first")
        assert exported("generated", folder / "third") == first
        transaction.set_rollback(True)


def test_every_problem_of_every_file_is_told_and_nothing_changes(shop: Path, tmp_path: Path):
    before = exported("tiny", tmp_path / "before")
    rows = (Table.objects.count(), Field.objects.count(), Revision.objects.count())
    version = Workspace.objects.get().version
    write(
        shop,
        {
            "workspace.yaml": "name: tiny\ntimzone: UTC\n",
            "tables/customers.yaml": "name: customers\nfields:\n  name: txt\n  new: text\n",
            "tables/extra.yaml": "name: extra\nfields:\n  a: text\n",
            "functions/double.yaml": "name: double\nstack:\n  - set_variable: {nam: x}\nresponse: !expr '1 +'\n",
            "functions/broken.yaml": "name: broken\nstack: [\n",
            "apis/v1/get_customer.yaml": SHOP["apis/v1/get_customer.yaml"].replace(
                "customers, value", "people, value"
            ),
            "apis/v2/lost.yaml": "name: lost\nmethod: GET\npath: /lost\nauth: [public]\nstack: []\n",
            "table/customers.yaml": "name: customers\n",
        },
    )
    said = faults(shop)
    for part in (
        'workspace.yaml:2:1: A workspace has no key "timzone". Did you mean "timezone"?',
        'tables/customers.yaml:3:3: There is no field type "txt"',
        'functions/double.yaml:3:20: "set_variable" has no parameter "nam". Did you mean "name"?',
        "functions/double.yaml:4:",
        "functions/broken.yaml:3:1: while parsing",
        'apis/v1/get_customer.yaml:8:18: There is no table "people"',
        "apis/v2/lost.yaml:1:1: The group has no file: apis/v2.yaml.",
        'table/customers.yaml: Nothing is kept at this path. Did you mean "tables"?',
    ):
        assert any(line.startswith(part) for line in said), (part, said)
    assert exported("tiny", tmp_path / "after") == before
    assert rows == (Table.objects.count(), Field.objects.count(), Revision.objects.count())
    assert Workspace.objects.get().version == version


def test_a_new_workspace_with_a_fault_leaves_no_trace(tmp_path: Path):
    folder = write(tmp_path / "w", {**SHOP, "apis/v1.yaml": "name: v1\ncanonical: a b\n"})
    assert any("apis/v1.yaml:2:1" in line for line in faults(folder))
    assert not Workspace.objects.exists()
    assert not Table.objects.exists()


def test_faults_of_a_workspace_file_do_not_hide_those_of_others(tmp_path: Path):
    folder = write(tmp_path / "w", {**SHOP, "workspace.yaml": "name: tiny\ntimezone: Mars\n"})
    write(folder, {"functions/double.yaml": "name: double\nstack: []\nresponse: !expr 'nothing'\n"})
    said = faults(folder)
    assert len(said) == 2
    assert said[0].startswith("functions/double.yaml:3:")
    assert said[1].startswith('workspace.yaml:2:1: There is no time zone "Mars"')


def test_a_dry_run_finds_the_same_problems_and_changes_nothing(shop: Path, tmp_path: Path):
    before = exported("tiny", tmp_path / "before")
    write(shop, {"tables/extra.yaml": "name: extra\nfields:\n  a: text\n"})
    plan = files.apply(shop, dry_run=True)
    assert [change.path for change in plan.changes if change.action == "create"] == ["tables/extra.yaml"]
    assert exported("tiny", tmp_path / "after") == before
    write(shop, {"tables/extra.yaml": "name: extra\nfields:\n  a: txt\n"})
    assert len(faults(shop, dry_run=True)) == 1


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


def test_was_of_something_that_has_a_file_too_is_refused(shop: Path):
    write(shop, {"tables/clients.yaml": "name: clients\nwas: customers\nfields:\n  a: text\n"})
    assert faults(shop)[0].startswith("tables/clients.yaml:2:1: tables/customers.yaml is there too")


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


def test_addresses_of_another_workspace_are_refused_at_their_lines(shop: Path, tmp_path: Path):
    folder = write(
        tmp_path / "other", {"workspace.yaml": "name: other\n", "apis/v1.yaml": SHOP["apis/v1.yaml"]}
    )
    said = faults(folder)
    assert [line.split(": ")[0] for line in said] == ["apis/v1.yaml:2:1", "apis/v1.yaml:3:1"]


def test_endpoints_that_would_answer_the_same_url_are_refused(shop: Path):
    twin = SHOP["apis/v1/get_customer.yaml"].replace("get_customer", "twin").replace("{id}", "{id}")
    write(shop, {"apis/v1/twin.yaml": twin})
    assert faults(shop)[0].startswith("apis/v1/twin.yaml:3:1: GET /customers/{id} and GET /customers/{id}")


def test_what_is_not_in_the_files_is_not_broken_by_them(shop: Path):
    write(
        shop,
        {
            "apis/v1/get_customer.yaml": None,
            "tables/customers.yaml": None,
            "tables/clients.yaml": SHOP["tables/customers.yaml"]
            .replace("name: customers\n", "name: clients\nwas: customers\n")
            .replace("table: customers", "table: clients"),
            "tables/orders.yaml": SHOP["tables/orders.yaml"].replace("table: customers", "table: clients"),
        },
    )
    said = faults(shop)
    assert len(said) == 1
    assert said[0].startswith("apis/v1/get_customer.yaml: It is not in the files and would no longer work")


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


def test_a_fault_in_an_expression_is_told_at_its_column(shop: Path):
    changed = SHOP["apis/v1/get_customer.yaml"].replace(
        "!expr 'customer'", "!expr 'customer.emial ~ nothing'"
    )
    write(shop, {"apis/v1/get_customer.yaml": changed})
    places = [line.split(": ")[0] for line in faults(shop)]
    column = len("response: !expr 'customer.emial ~ ") + 1
    assert f"apis/v1/get_customer.yaml:10:{column}" in places


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        (
            "tables/x.yaml",
            "name: y\n",
            "tables/x.yaml:1:1: A table in tables/x.yaml must be named like its file",
        ),
        (
            "tables/x.yaml",
            "fields: {}\n",
            "tables/x.yaml:1:1: A table in tables/x.yaml must be named like its file",
        ),
        ("tables/x.yaml", "- 1\n", "tables/x.yaml:1:1: The file must hold a map"),
        ("tables/x.yml", "name: x\n", "tables/x.yml: Files of a workspace end in .yaml."),
        ("tables/x-y.yaml", "name: x-y\n", 'tables/x-y.yaml:1:1: "x-y" is not a name.'),
        (
            "tables/CUSTOMERS.yaml",
            "name: CUSTOMERS\n",
            'tables/CUSTOMERS.yaml:1:1: There is a table "CUSTOMERS" already',
        ),
        (
            "functions/x.yaml",
            "name: x\nstak: []\n",
            'functions/x.yaml:2:1: A function has no key "stak". Did you mean "stack"?',
        ),
        ("apis/v1.yaml", "name: v1\ndocs: maybe\n", "apis/v1.yaml:2:1: Value 'maybe' is not a valid choice."),
        (
            "apis/v1.yaml",
            "name: v1\nsunset_at: soon\n",
            "apis/v1.yaml:2:1: sunset_at is a moment with its zone",
        ),
        ("apis/v1.yaml", "name: v1\nsuccessor: v3\n", 'apis/v1.yaml:2:1: There is no API group "v3".'),
        ("apis/v1.yaml", "name: v1\ncors: {orgins: []}\n", 'apis/v1.yaml:2:8: CORS has no "orgins".'),
        ("workspace.yaml", "name: tiny\nvariables: {a: x}\n", "workspace.yaml:2:13: Use A-Z, 0-9 and _"),
        (
            "workspace.yaml",
            "name: tiny\nvariables: {A: 5}\n",
            "workspace.yaml:2:13: The value of A must be text",
        ),
    ],
)
def test_a_file_that_is_wrong_says_where(shop: Path, path: str, content: str, said: str):
    write(shop, {path: content})
    assert any(line.startswith(said) for line in faults(shop)), faults(shop)


def test_links_and_files_that_are_not_plain_are_refused(shop: Path, tmp_path: Path):
    outside = write(tmp_path / "outside", {"secret.yaml": "name: secret\n", "dir/x.yaml": "name: x\n"})
    (shop / "tables" / "secret.yaml").symlink_to(outside / "secret.yaml")
    (shop / "functions" / "more").symlink_to(outside / "dir")
    os.mkfifo(shop / "tables" / "pipe.yaml")
    assert faults(shop) == [
        "functions/more: This is a symbolic link; a workspace's files are plain files.",
        "tables/pipe.yaml: This is not a plain file.",
        "tables/secret.yaml: This is a symbolic link; a workspace's files are plain files.",
    ]


def test_an_export_keeps_out_of_other_folders(shop: Path, tmp_path: Path):
    for contents in ({"notes.txt": "mine"}, {"workspace.yaml": "name: another\n"}):
        folder = write(tmp_path / str(len(contents)) / next(iter(contents)), contents)
        with pytest.raises(Problem, match="holds other files"):
            files.export("tiny", folder)
        assert set(read(folder)) == set(contents)


def test_an_export_takes_away_what_the_workspace_no_longer_has(shop: Path):
    write(shop, {"README.md": "About it.", "functions/old.yaml": "name: old\n"})
    files.export("tiny", shop)
    assert set(read(shop)) == {*SHOP, "README.md"}


def test_diff_of_another_workspaces_files_is_refused(shop: Path, tmp_path: Path):
    write(shop, {"workspace.yaml": "name: another\n"})
    with pytest.raises(InvalidFiles, match='These are the files of "another", not of "tiny"'):
        files.diff("tiny", shop)


def test_a_folder_or_workspace_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(Problem, match="There is no folder"):
        files.apply(tmp_path / "nowhere")
    with pytest.raises(Problem, match='There is no workspace "nobody"'):
        files.diff("nobody", tmp_path)
    with pytest.raises(InvalidFiles, match="The file is missing: it names the workspace"):
        files.apply(tmp_path)


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
