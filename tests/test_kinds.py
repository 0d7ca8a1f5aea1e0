"""One test that walks all kinds: each says what it is, and what its examples say is true."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from lambdas.publishing import create_lambda
from lambdas.publishing import publish as publish_lambda
from stackyard.core.jsonout import encode
from stackyard.core.kinds import Kind
from stackyard.core.models import Workspace
from stackyard.core.principal import ANONYMOUS
from stackyard.core.workspaces import create_variable
from stackyard.stacks.check import check_document
from stackyard.stacks.document import with_ids
from stackyard.stacks.palette import kind_value
from stackyard.stacks.parameter import WIDGETS
from stackyard.stacks.publishing import create_function, publish
from stackyard.stacks.runner import Execution, load_draft
from stackyard.stacks.step import Step
from stackyard.stacks.trace import Trace
from stackyard.tables.changes import create_table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store

KINDS = [kind for family in Kind.families().values() for kind in family.all().values()]
STEPS = list(Step.all().values())
SPRITE = (Path(__file__).parents[1] / "platform/stackyard/console/static/console/icons.svg").read_text()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.family}-{kind.name}")
def test_a_kind_says_what_it_is(kind: type[Kind]) -> None:
    assert kind.description(), "a docstring is its help"
    assert kind.label, "a label for people"


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_step_describes_its_parameters(step: type[Step]) -> None:
    names = [parameter.name for parameter in step.parameters]
    assert len(set(names)) == len(names)
    assert set(re.findall(r"{(\w+)}", step.sentence)) <= set(names)
    assert step.group
    assert f'id="{step.icon}"' in SPRITE, "an icon of console/static/console/icons.svg"
    assert step.sentence
    assert step.synonyms
    assert step.examples, "examples are run by this file and shown in the docs"
    for parameter in step.parameters:
        assert parameter.help, f"{parameter.name} needs a help text"
        assert isinstance(parameter.schema(), dict)
        assert parameter.shown_as in WIDGETS, f"the form has no control {parameter.shown_as}"


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_the_editor_is_told_all_of_a_step(step: type[Step]) -> None:
    told = kind_value(step)
    assert json.loads(encode(told)) == told, "plain JSON"
    assert all(told[key] for key in ("label", "group", "icon", "help", "words", "sentence"))
    for parameter in told["parameters"]:
        if parameter["widget"] in ("field", "fields", "data", "where", "sort", "json"):
            assert step.parameter(parameter["of"]), "the parameter that names the table"
        if parameter["widget"] == "branches":
            assert f"{{{parameter['test']}}}" in parameter["sentence"]
        if parameter["widget"] == "choice":
            assert parameter["choices"]
    # A part in brackets hangs on a parameter that may be left out; brackets do not nest.
    for part in re.findall(r"\[([^\]]*)\]", step.sentence):
        assert re.findall(r"{(\w+)}", part)
    assert not re.search(r"\[[^\]]*\[", step.sentence)


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    """Two customers, a function, a lambda, and the secret of a webhook."""
    create_variable(workspace, "WEBHOOK_SECRET", "s3cret", is_secret=True)
    create_variable(workspace, "MY_KEY", "a secret of thirty-two characters", is_secret=True)
    fields = {"name": "text", "email": {"type": "email", "unique": True}, "visits": "int"}
    create_table(workspace, "customers", fields=fields)
    Store(load_schema(workspace.pk)).add_many(
        "customers", [{"name": "Ann", "email": "ann@example.com"}, {"name": "Bob"}]
    )
    document = {"name": "twice", "inputs": {"n": {"type": "int"}}, "response": {"$expr": "input.n * 2"}}
    publish(create_function(workspace, document))
    members = {"email": {"type": "email", "unique": True}, "password": {"type": "password", "required": True}}
    create_table(workspace, "members", fields=members)
    member = {"email": "ann@example.com", "password": "correct horse"}
    Store(load_schema(workspace.pk)).add("members", member)
    publish_lambda(create_lambda(workspace, {"name": "half", "code": "return input.n / 2"}))
    return workspace


@pytest.mark.django_db
def test_the_examples_of_every_step_are_true(shop: Workspace) -> None:
    wrong = []
    for step in STEPS:
        for example in step.examples:
            with transaction.atomic():
                made = _run(shop, example)
                transaction.set_rollback(True)
            # An example that needs something outside, another server say, is checked and not run.
            if example.get("runs", True) and made != example["is"]:
                wrong.append((step.name, made))
    assert wrong == []


def _run(workspace: Workspace, example: Any) -> Any:
    from stackyard.stacks.catalogue import load_catalogue

    lines = example["lines"]
    document = with_ids(
        {"format": 1, "inputs": {}, "lines": lines, "response": {"$expr": example["response"]}}
    )
    assert check_document(document, load_catalogue(workspace)).faults == []
    plan = load_draft(workspace.pk, document)
    if not example.get("runs", True):
        return None
    return plan.run(
        Execution.start(workspace.pk, ANONYMOUS, trace=Trace() if "trace" in example else None), {}
    )
