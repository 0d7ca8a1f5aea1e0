"""Lambdas as files: lambda.yaml and main.ts, under the laws of every workspace's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lambdas.models import Lambda
from lambdas.publishing import save_draft
from lambdas.running import run_now, value_or_problem
from stackyard.core import files
from stackyard.core.models import Workspace
from stackyard.runs.models import Schedule
from stackyard.stacks.models import Revision
from tests.workspace_folders import exported, faults, write

pytestmark = pytest.mark.django_db(databases=["default", "history"])

NIGHTLY = """name: nightly
description: Every night.
timeout: 300
memory_mb: 128
triggers:
  - schedule: {cron: '0 2 * * *', timezone: Europe/Berlin}
  - after: {lambda: other}
retry_safe: true
variables: [MAIL]
network: [api.example.com]
"""
FILES: dict[str, Any] = {
    "workspace.yaml": "name: tiny\nvariables:\n  MAIL: a@example.com\n",
    "tables/orders.yaml": "name: orders\nfields:\n  total: float\n",
    "functions/half.yaml": (
        "name: half\ninputs:\n  n: {type: int}\nstack:\n"
        "  - run_lambda: {lambda: plain, input: {n: !expr 'input.n'}}\n    as: found\nresponse: !expr 'found'\n"
    ),
    "lambdas/nightly/lambda.yaml": NIGHTLY,
    "lambdas/nightly/main.ts": "// Grüße\r\nconst n: number = 1\n\n\nreturn n",
    "lambdas/plain/lambda.yaml": "name: plain\n",
    "lambdas/plain/main.ts": "return input.n / 2\n",
}


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The folder above, applied."""
    folder = write(tmp_path / "tiny", FILES)
    files.apply(folder)
    return folder


def one(name: str) -> Lambda:
    return Lambda.objects.select_related("published", "workspace").get(name=name)


def test_files_make_lambdas_that_run(tiny: Path) -> None:
    assert value_or_problem(run_now(one("plain"), {"n": 42})) == 21
    nightly = one("nightly")
    assert (nightly.description, nightly.has_changes) == ("Every night.", False)
    assert (Schedule.objects.get().cron, Schedule.objects.get().timezone) == ("0 2 * * *", "Europe/Berlin")
    assert nightly.triggers.get().key == "other"


def test_applying_again_changes_nothing_and_an_export_is_the_same_byte_for_byte(
    tiny: Path, tmp_path: Path
) -> None:
    before = (Workspace.objects.get().version, Revision.objects.count())
    assert files.apply(tiny).is_equal
    assert (Workspace.objects.get().version, Revision.objects.count()) == before
    first = exported("tiny", tmp_path / "first")
    assert {path: first[path] for path in first if path.startswith("lambdas")} == {
        path: text.encode() for path, text in FILES.items() if path.startswith("lambdas")
    }
    assert exported("tiny", tmp_path / "first") == exported("tiny", tmp_path / "second") == first
    assert files.diff("tiny", tmp_path / "first").is_equal
    Workspace.objects.all().delete()
    files.apply(tmp_path / "first")
    assert exported("tiny", tmp_path / "third") == first


def test_a_change_of_the_code_alone_is_a_change(tiny: Path) -> None:
    write(tiny, {"lambdas/plain/main.ts": "return input.n / 4\n"})
    plan = files.diff("tiny", tiny)
    assert [(c.path, c.action) for c in plan.changes if c.action != "unchanged"] == [
        ("lambdas/plain/lambda.yaml", "update")
    ]
    files.apply(tiny)
    assert value_or_problem(run_now(one("plain"), {"n": 42})) == 10.5
    assert one("plain").published.number == 2  # type: ignore[union-attr]


def test_syntax_faults_stand_at_their_line_of_the_code(tiny: Path, tmp_path: Path) -> None:
    before = exported("tiny", tmp_path / "before")
    write(
        tiny,
        {
            "lambdas/plain/main.ts": "const a = 1;\nconst b = ;\n",
            "lambdas/nightly/main.ts": "return 2",
            "lambdas/new/lambda.yaml": "name: new\n",
            "lambdas/new/main.ts": "return (",
        },
    )
    found = faults(tiny)
    assert [line.split(" ")[0] for line in found] == [
        "lambdas/new/main.ts:1:9:",
        "lambdas/plain/main.ts:2:11:",
    ], found
    assert exported("tiny", tmp_path / "after") == before
    assert not Lambda.objects.filter(name="new").exists()


def test_every_fault_of_the_settings_is_told_at_its_line(tiny: Path) -> None:
    write(
        tiny,
        {
            "lambdas/plain/lambda.yaml": (
                "name: plain\ntimout: 5\ntimeout: 301\nmemory_mb: many\nretry_safe: 1\n"
                "catch_up: some\ncode: return 1\nnetwork: ['http://x']\n"
                "triggers:\n  - shedule: {}\n  - schedule: {cron: '61 * * * *', timezone: [Mars]}\n"
            )
        },
    )
    found = faults(tiny)
    assert [int(line.split(":")[1]) for line in found] == [2, 3, 4, 5, 6, 7, 8, 10, 11, 11], found
    assert 'Did you mean "timeout"?' in found[0]


def test_what_is_not_there_is_told_too(tiny: Path) -> None:
    write(
        tiny,
        {
            "lambdas/plain/lambda.yaml": "name: plain\nvariables:\n  - MIAL\n",
            "lambdas/nightly/main.ts": None,
            "lambdas/lonely/main.ts": "return 1",
            "lambdas/plain/other.ts": "return 1",
            "lambdas/wrong/lambda.yaml": "name: right\n",
            "lambdas/wrong/main.ts": "return 1",
            "lambdas/flat.yaml": "name: flat\n",
        },
    )
    found = faults(tiny)
    assert [line.split(": ")[0] for line in found] == [
        "lambdas/flat.yaml",
        "lambdas/lonely/main.ts",
        "lambdas/nightly/lambda.yaml:1:1",
        "lambdas/plain/lambda.yaml:3:5",
        "lambdas/plain/other.ts",
        "lambdas/wrong/lambda.yaml:1:1",
    ], found
    assert 'Did you mean "MAIL"?' in found[3]


def test_what_the_files_lack_stays_unless_pruned(tiny: Path, tmp_path: Path) -> None:
    write(tiny, {"lambdas/nightly/lambda.yaml": None, "lambdas/nightly/main.ts": None})
    assert not files.apply(tiny).changes_something
    files.apply(tiny, prune=True)
    assert not Lambda.objects.filter(name="nightly").exists()
    assert not Schedule.objects.exists()
    folder = tmp_path / "out"
    exported("tiny", folder)
    write(
        tiny,
        {
            "lambdas/plain/lambda.yaml": None,
            "lambdas/plain/main.ts": None,
            "functions/half.yaml": FILES["functions/half.yaml"],
        },
    )
    assert "plain" in faults(tiny, prune=True)[0]
    assert (folder / "lambdas/plain/main.ts").exists()


def test_an_export_takes_away_the_files_of_what_is_gone(tiny: Path, tmp_path: Path) -> None:
    exported("tiny", tmp_path / "out")
    one("nightly").delete()
    assert not [path for path in exported("tiny", tmp_path / "out") if "nightly" in path]
    assert not (tmp_path / "out/lambdas/nightly").exists()


def test_a_variable_that_a_lambda_sees_is_not_pruned_unseen(tiny: Path) -> None:
    write(tiny, {"workspace.yaml": "name: tiny\n"})
    [found] = faults(tiny, prune=True)
    assert found.startswith("lambdas/nightly/lambda.yaml:")
    assert "MAIL" in found


def test_a_lambda_is_renamed_with_its_schedule_and_revisions(tiny: Path) -> None:
    before = one("nightly").pk
    write(
        tiny,
        {
            "lambdas/nightly/lambda.yaml": None,
            "lambdas/nightly/main.ts": None,
            "lambdas/daily/lambda.yaml": NIGHTLY.replace("name: nightly", "name: daily\nwas: nightly"),
            "lambdas/daily/main.ts": FILES["lambdas/nightly/main.ts"],
        },
    )
    files.apply(tiny)
    assert one("daily").pk == before
    assert files.apply(tiny).is_equal
    assert Schedule.objects.get().target_id == before


def test_a_draft_that_is_replaced_is_told(tiny: Path) -> None:
    target = one("plain")
    save_draft(target, {**target.draft, "code": "return 'draft'"})
    assert files.diff("tiny", tiny).is_equal
    write(tiny, {"lambdas/plain/main.ts": "return 3"})
    [change] = [c for c in files.diff("tiny", tiny).changes if c.action != "unchanged"]
    assert change.note == "replaces an unpublished draft"


codes = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff*/"), max_size=60).map(
    lambda text: f"/*{text}*/\nreturn 1"
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "description": st.sampled_from(["One line.", "Two\nlines.\n", "  blanks  ", "#: '"]),
        "timeout": st.integers(1, 300),
        "memory_mb": st.integers(64, 1024),
        "fresh_process": st.booleans(),
        "retry_safe": st.booleans(),
        "max_attempts": st.integers(1, 20),
        "catch_up": st.sampled_from(["none", "last", "all"]),
        "network": st.lists(st.sampled_from(["a.example.com", "*.example.org", "x.example.com:8443"])),
        "triggers": st.lists(
            st.sampled_from(
                [
                    {"schedule": {"every_seconds": 900}},
                    {"schedule": {"cron": "*/5 * * * *", "input": {"a": [1, None, "x"]}}},
                    {"webhook": {}},
                    {"after": {"lambda": "other"}},
                ]
            ),
            max_size=3,
        ),
    },
)


@given(documents, codes)
@hypothesis_settings(max_examples=25)
def test_the_laws_hold_for_any_lambda(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any], code: str
) -> None:
    folder = tmp_path_factory.mktemp("law")
    written = {
        "workspace.yaml": {"name": "generated"},
        "lambdas/any/lambda.yaml": {"name": "any", **document},
    }
    write(folder / "written", written)
    (folder / "written/lambdas/any/main.ts").write_bytes(code.encode())
    with transaction.atomic():
        files.apply(folder / "written")
        assert files.apply(folder / "written").is_equal
        first = exported("generated", folder / "first")
        assert first["lambdas/any/main.ts"] == code.encode()
        assert files.apply(folder / "first", prune=True).is_equal
        assert exported("generated", folder / "second") == first
        transaction.set_rollback(True)


def test_the_samples_lambda_is_the_seeds_and_reports_what_the_next_one_mails(
    tmp_path: Path, mailoutbox: list[Any]
) -> None:
    sample = Path(settings.ROOT) / "examples" / "shop" / "lambdas"
    code = (sample / "process_daily_orders" / "main.ts").read_text()
    assert code.startswith("// Example Lambda code\nconst orders = await db.query('orders', {\n")
    letter = (sample / "mail_report" / "main.ts").read_text()
    table = "name: orders\nfields:\n  items: {type: list, of: {type: object, fields: {price: float}}}\n"
    folder = write(
        tmp_path / "shop",
        {
            "workspace.yaml": "name: shop\nvariables: {REPORT_EMAIL: r@example.com, SHOP_NAME: Shop}\n",
            "tables/orders.yaml": table,
            "lambdas/process_daily_orders/lambda.yaml": (
                sample / "process_daily_orders/lambda.yaml"
            ).read_text(),
            "lambdas/process_daily_orders/main.ts": code,
            "lambdas/mail_report/lambda.yaml": (sample / "mail_report/lambda.yaml").read_text(),
            "lambdas/mail_report/main.ts": letter,
            "records/orders.csv": 'id,items\n1,"[{""price"":2.5},{""price"":2}]"\n',
        },
    )
    files.apply(folder)
    result = value_or_problem(run_now(one("process_daily_orders"), None))
    assert result == {"success": True, "report": [{"id": 1, "total": 4.5}]}
    assert value_or_problem(run_now(one("mail_report"), {"result": result})) == {"orders": 1, "sum": 4.5}
    [sent] = mailoutbox
    assert (sent.to, sent.subject) == (["r@example.com"], "Orders of Shop")
    assert sent.body == "Shop: 1 orders since yesterday, 4.50 in total.\n  order 1: 4.50"
