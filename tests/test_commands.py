"""The management commands of the contract (§1), called as people call them: arguments in, text and exit code out."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from auth.keys import find_key
from auth.models import ApiKey
from endpoints.models import Endpoint
from lambdas.publishing import create_lambda, publish
from stackyard.core import files
from stackyard.core.models import Workspace
from tests.workspace_folders import SHOP, read, write

pytestmark = pytest.mark.django_db(databases=["default", "history"])


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of a small workspace, not applied."""
    return write(tmp_path / "shop", SHOP)


@pytest.fixture
def shop(folder: Path) -> Path:
    """The same, applied."""
    files.apply(folder)
    return folder


def test_apply_shows_the_plan_and_what_was_done(folder: Path):
    code, out, err = run("workspace", "apply", str(folder))
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "Plan for workspace tiny (new):",
        "  + workspace.yaml",
        "  + tables/customers.yaml",
        "  + tables/orders.yaml",
        "  + functions/double.yaml",
        "  + apis/v1.yaml",
        "  + apis/v1/get_customer.yaml",
        "Done: 6 created.",
    ]
    assert run("workspace", "apply", str(folder)) == (0, "Plan for workspace tiny:\n  = 6 unchanged\n", "")


def test_a_dry_run_stops_after_the_check(folder: Path):
    code, out, _ = run("workspace", "apply", str(folder), "--dry-run")
    assert code == 0
    assert out.endswith("Checked; nothing was changed (--dry-run).\n")
    assert not Workspace.objects.exists()


def test_apply_of_files_with_faults_exits_1_and_lists_them(folder: Path):
    write(folder, {"tables/orders.yaml": "name: orders\nfields:\n  a: txt\n  b: reference\n"})
    code, out, err = run("workspace", "apply", str(folder), "--dry-run")
    assert code == 1
    assert "Plan for workspace tiny (new):" in out
    assert err.splitlines()[0].startswith(
        'tables/orders.yaml:3:3: There is no field type "txt". Did you mean "text"?'
    )
    assert err.splitlines()[-1] == "2 problems; nothing was changed."
    assert not Workspace.objects.exists()


def test_prune_says_what_it_deletes(shop: Path):
    write(shop, {"functions/double.yaml": None})
    _, kept, _ = run("workspace", "apply", str(shop))
    assert "  - functions/double.yaml   (not in the files; kept, --prune deletes)" in kept
    _, deleted, _ = run("workspace", "apply", str(shop), "--prune")
    assert "  - functions/double.yaml   (not in the files; deleted)" in deleted
    assert run("workspace", "diff", "tiny", str(shop))[0] == 0


def test_export_writes_files_that_apply_unchanged(shop: Path, tmp_path: Path):
    assert run("workspace", "export", "tiny", str(tmp_path / "out"))[0] == 0
    assert set(read(tmp_path / "out")) == set(SHOP)
    assert run("workspace", "diff", "tiny", str(tmp_path / "out")) == (0, "Equal.\n", "")


def test_diff_shows_what_apply_would_change_and_exits_1(shop: Path):
    changed = SHOP["functions/double.yaml"].replace("* 2", "* 3")
    write(shop, {"functions/double.yaml": changed, "functions/new.yaml": "name: new\nstack: []\n"})
    code, out, err = run("workspace", "diff", "tiny", str(shop))
    assert (code, err) == (1, "")
    assert "  ~ functions/double.yaml" in out
    assert "      -response: !expr 'input.n * 2'\n      +response: !expr 'input.n * 3'" in out
    assert "  + functions/new.yaml" in out


def test_an_unknown_workspace_exits_1_with_the_nearest_name(shop: Path, tmp_path: Path):
    for arguments in (("diff", "tyny", str(shop)), ("export", "tyny", str(tmp_path / "x"))):
        code, out, err = run("workspace", *arguments)
        assert (code, out) == (1, "")
        assert 'There is no workspace "tyny". Did you mean "tiny"?' in err


def test_a_new_key_stands_alone_on_stdout(shop: Path):
    code, out, err = run(
        "apikey", "create", "--workspace", "tiny", "--name", "n8n", "--scopes", "v1:read, v1/get_customer"
    )
    assert (code, err, len(out.split())) == (0, "", 1)
    key = find_key(out.strip())
    assert key is not None
    assert key.scopes == {"v1:read", "v1/get_customer"}
    assert find_key(run("apikey", "create", "--workspace", "tiny", "--name", "all")[1].strip()).scopes == {
        "*"
    }


def test_a_key_with_a_scope_that_can_not_be_is_refused(shop: Path):
    code, out, err = run("apikey", "create", "--workspace", "tiny", "--name", "x", "--scopes", "v1:write")
    assert (code, out) == (1, "")
    assert "v1:write" in err
    assert not ApiKey.objects.exists()


def test_a_function_runs_from_the_command_line(shop: Path):
    assert run("stack", "run", "tiny/double", "--input", '{"n": 21}') == (0, "42\n", "")


def test_an_endpoint_runs_from_the_command_line_with_its_trace(shop: Path):
    code, out, err = run("stack", "run", "tiny/v1/get_customer", "--input", '{"id": 1}', "--trace")
    assert (code, out) == (0, "null\n")
    assert [json.loads(line)["line"] for line in err.splitlines()] == ["l1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tiny/double", "--input", '{"n": "x"}'), "expected an integer"),
        (("tiny/double", "--input", '{"n": 1, "n": 2}'), "INVALID_JSON"),
        (("tiny/double", "--input", "[1]"), "The input is a JSON object"),
        (("tiny/duble",), 'Did you mean "double"?'),
        (("tiny/v1/nothing",), 'There is no endpoint "tiny/v1/nothing".'),
        (("tiny",), "WORKSPACE/FUNCTION"),
        (("nowhere/x",), 'There is no workspace "nowhere".'),
    ],
)
def test_a_stack_that_can_not_run_exits_1_with_its_problem(shop: Path, arguments: Any, said: str):
    code, out, err = run("stack", "run", *arguments)
    assert (code, out) == (1, "")
    assert said in err


def test_a_stack_that_raises_says_where(shop: Path):
    throws = (
        "name: fails\nstack:\n  - throw: {status: 409, code: NOT_NOW, message: Later, suggestion: Wait}\n"
    )
    files.apply(write(shop, {"functions/fails.yaml": throws}))
    code, _, err = run("stack", "run", "tiny/fails")
    assert code == 1
    first, place, suggestion = err.splitlines()
    assert (first, suggestion) == ("NOT_NOW: Later", "Wait")
    assert place.startswith("  in line l1")


def test_a_blueprint_makes_endpoints_and_says_which(shop: Path):
    code, out, _ = run("blueprint", "batch", "tiny/v1", "orders")
    assert (code, out) == (0, "POST /batch/orders   batch_orders\n")
    assert Endpoint.objects.get(name="batch_orders").published is not None
    assert "Nothing to make" in run("blueprint", "batch", "tiny/v1", "orders")[1]
    for arguments, said in (
        (("bach", "tiny/v1", "orders"), 'Did you mean "batch"?'),
        (("batch", "tiny/v2", "orders"), 'There is no API group "v2" in tiny.'),
        (("batch", "tiny/v1", "ordres"), 'Did you mean "orders"?'),
    ):
        code, _, err = run("blueprint", *arguments)
        assert code == 1
        assert said in err


@pytest.fixture
def halving(workspace: Workspace) -> None:
    """A lambda that halves, says so, and does not like to be given nothing."""
    code = "console.log('halving', input.n);\nreturn input.n / 2"
    publish(create_lambda(workspace, {"name": "half", "code": code}))
    create_lambda(workspace, {"name": "draft", "code": "return 1"})


def test_a_lambda_runs_from_the_command_line(halving: None):
    code, out, err = run("lambda", "run", "shop/half", "--input", '{"n": 21}')
    assert (code, json.loads(out), err.strip()) == (0, 10.5, "halving 21")


def test_a_lambda_that_fails_exits_1_with_its_line(halving: None):
    code, out, err = run("lambda", "run", "shop/half")
    assert (code, out) == (1, "")
    assert "TypeError" in err
    assert "half.ts:1:" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("shop/hafl",), 'There is no lambda "shop/hafl". Did you mean "shop/half"?'),
        (("nothing",), "There is no lambda"),
        (("shop/draft",), "not published"),
        (("shop/half", "--input", "{n: 1}"), "JSON"),
        (("shop/half", "--input", ""), "JSON"),
    ],
)
def test_a_lambda_that_cannot_run_says_why(halving: None, arguments: tuple[str, ...], said: str):
    with pytest.raises(CommandError) as caught:
        run("lambda", "run", *arguments)
    assert said in str(caught.value)
