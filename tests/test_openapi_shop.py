"""What the sample's documents promise is what its endpoints answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from stackyard.core import files
from stackyard.core.models import Workspace
from tests.doors import Answer, Door
from tests.factories import make_key

pytestmark = pytest.mark.django_db(databases=["default", "history"])

SHOP = Path(settings.ROOT) / "examples" / "shop"
# Values for parameters that have no default.
VALUES = {"customer_id": "1", "order_id": "1", "product_id": "1", "id": "1"}


@pytest.fixture
def door() -> Door:
    files.apply(SHOP)
    return Door(WSGIHandler()).with_key(make_key(Workspace.objects.get(name="shop")))


def described(door: Door, canonical: str) -> dict[str, Any]:
    document: dict[str, Any] = door.get(f"/apispec:{canonical}?type=json").json()
    validate(document)
    return document


def promised(document: dict[str, Any], operation: dict[str, Any], status: int) -> dict[str, Any]:
    """The schema of an answer, with the components its references lead to."""
    response = operation["responses"].get(str(status)) or operation["responses"]["default"]
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return {**response["content"]["application/json"]["schema"], "components": document["components"]}


def faults(document: dict[str, Any], operation: dict[str, Any], answer: Answer) -> list[str]:
    """Where an answer is not what was promised."""
    validator = Draft202012Validator(promised(document, operation, answer.status))
    return [f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(answer.json())]


def address(path: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", value)
    return path


@pytest.mark.parametrize(("canonical", "mount"), [("shop", "v1"), ("shop-v2", "v2")])
def test_every_answer_to_reading_is_as_described(door: Door, canonical: str, mount: str) -> None:
    document = described(door, canonical)
    wrong = []
    for path, item in document["paths"].items():
        if "get" not in item:
            continue
        for values in (VALUES, dict.fromkeys(VALUES, "999999999"), dict.fromkeys(VALUES, "x")):
            answer = door.get(f"/api/{mount}{address(path, values)}")
            wrong += [f"{path} {answer.status} {fault}" for fault in faults(document, item["get"], answer)]
            if "{" not in path:
                assert answer.status == 200, (path, answer.body)
    assert not wrong, "\n".join(wrong)


def test_every_error_is_as_described(door: Door) -> None:
    document = described(door, "shop")
    stranger = Door(door.application)
    wrong = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            url = f"/api/v1{address(path, VALUES)}"
            answers = [
                stranger.request(method.upper(), url),
                door.request(method.upper(), f"{url}?nothing=1"),
                door.request(method.upper(), url, body=b"{", headers={"Content-Type": "application/json"}),
                door.request(method.upper(), url, body=b"<a/>", headers={"Content-Type": "text/xml"}),
            ]
            for number, answer in enumerate(answers[: 4 if "requestBody" in operation else 2]):
                is_open = {} in operation["security"]
                assert answer.status >= 400 or (is_open and number == 0), (method, url, answer.body)
                assert str(answer.status) in operation["responses"], (method, url, answer.status)
                wrong += [f"{method} {path}: {fault}" for fault in faults(document, operation, answer)]
    assert not wrong, "\n".join(wrong)


def test_a_customer_is_made_changed_and_deleted_as_described(door: Door) -> None:
    document = described(door, "shop")
    collection, one = document["paths"]["/customers"], document["paths"]["/customers/{customer_id}"]
    made = door.post("/api/v1/customers", {"name": "Ann", "email": "ann.new@example.com"})
    assert made.status == 201, made.body
    url = f"/api/v1/customers/{made.json()['id']}"
    steps = [
        (collection["post"], made),
        (one["get"], door.get(url)),
        (one["patch"], door.patch(url, {"name": "Anna"})),
        (one["delete"], door.delete(url)),
        (one["delete"], door.delete(url)),
    ]
    assert [answer.status for _, answer in steps] == [201, 200, 200, 200, 404]
    for operation, answer in steps:
        assert str(answer.status) in operation["responses"]
        assert faults(document, operation, answer) == []
