"""Files that are wrong: every fault of every file is told with its place, and nothing is changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings

from stackyard.core import files
from stackyard.core.errors import Problem
from stackyard.core.files import InvalidFiles
from stackyard.core.models import Workspace
from stackyard.core.yaml import dump
from stackyard.stacks.models import Revision
from stackyard.tables.models import Field, Table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.workspace_folders import SHOP, apply_shop, exported, faults, read, write
from tests.workspace_strategies import spoilt

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The small workspace, applied."""
    return apply_shop(tmp_path)


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


def test_was_of_something_that_has_a_file_too_is_refused(shop: Path):
    write(shop, {"tables/clients.yaml": "name: clients\nwas: customers\nfields:\n  a: text\n"})
    assert faults(shop)[0].startswith("tables/clients.yaml:2:1: tables/customers.yaml is there too")


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


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (
            "  name: {type: text, required: true, unique: true}",
            "tables/customers.yaml:3:3: name can't be unique",
        ),
        ("  name: {type: int}", "tables/customers.yaml:3:3: 2 values of customers.name can't become int"),
        (
            "  name: text\n  level: {type: int, required: true}",
            "tables/customers.yaml:4:3: The table has records",
        ),
        (
            "  name: text\n  email: {type: email, required: true}",
            "tables/customers.yaml:4:24: 2 records hold nothing here",
        ),
    ],
)
def test_a_change_that_the_records_do_not_allow_is_told_at_its_field(shop: Path, field: str, said: str):
    store = Store(load_schema(Workspace.objects.get().pk))
    store.add_many("customers", [{"name": "Ann"}, {"name": "Ann"}])
    write(shop, {"tables/customers.yaml": f"name: customers\nfields:\n{field}\n"})
    found = faults(shop)
    assert found[0].startswith(said), found
    assert store.get("customers", 1)["name"] == "Ann"


def test_fields_that_come_later_are_filled(shop: Path):
    store = Store(load_schema(Workspace.objects.get().pk))
    store.add("customers", {"name": "Ann"})
    text = SHOP["tables/customers.yaml"] + "  level: {type: int, required: true, default: 3}\n"
    files.apply(write(shop, {"tables/customers.yaml": text}))
    assert Store(load_schema(Workspace.objects.get().pk)).get("customers", 1)["level"] == 3


@given(spoilt())
@settings(max_examples=1000 if os.environ.get("STACKYARD_FUZZ") == "1" else 60)
def test_whatever_the_files_say_the_answer_is_a_problem_or_a_workspace(
    tmp_path_factory: pytest.TempPathFactory, contents: dict[str, Any]
):
    folder = tmp_path_factory.mktemp("spoilt")
    with transaction.atomic():
        write(folder, {path: dump(document) for path, document in contents.items()})
        try:
            files.apply(folder)
            assert files.apply(folder).is_equal
        except InvalidFiles as problem:
            said = problem.faults
        else:
            said = []
        assert bool(said) != Workspace.objects.exists()
        transaction.set_rollback(True)
