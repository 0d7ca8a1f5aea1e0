"""The OpenAPI document of a group, made from facts: shape, golden file, hostile texts, sharing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate

from endpoints.docs import spelled
from endpoints.openapi import GroupFacts, group_document
from endpoints.openapi_limits import EndpointLimits
from endpoints.openapi_operation import EndpointFacts, InputFacts
from stackyard.core import types as t
from stackyard.core import yaml
from stackyard.stacks.endings import Raised

GOLDEN = Path(__file__).parent / "golden"
KEY = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
CUSTOMER = t.object_of(
    {
        "id": t.INT,
        "created_at": t.TIMESTAMP,
        "name": t.TEXT,
        "email": t.Type("text", format="email"),
        "tier": t.Type("text", nullable=True, values=("free", "paid")),
        "tags": t.list_of(t.TEXT),
        "balance": t.DECIMAL,
        "meta": t.OBJECT.or_null(),
    }
)


def group(**more: Any) -> GroupFacts:
    return GroupFacts(
        **{
            "name": "shop",
            "workspace": "shop",
            "description": "Customers and orders. For partners.",
            "servers": ["https://api.example.com/api/v1", "https://api.example.com/api:shop"],
            "security_schemes": {"api_key": KEY},
            **more,
        }
    )


def get_customer(**more: Any) -> EndpointFacts:
    return EndpointFacts(
        **{
            "name": "get_customer_data",
            "method": "GET",
            "path": "/customers/{customer_id}",
            "description": "One customer by id.",
            "auth": ["api_key"],
            "security": [{"api_key": []}],
            "inputs": [InputFacts("customer_id", "path", {"type": "integer"}, required=True)],
            "response": CUSTOMER,
            "raised": [
                Raised(
                    404,
                    "CUSTOMER_NOT_FOUND",
                    "No customer found with ID …",
                    "Please check the customer ID and try again",
                )
            ],
            **more,
        }
    )


def add_customer(**more: Any) -> EndpointFacts:
    return EndpointFacts(
        **{
            "name": "add_customer",
            "method": "POST",
            "path": "/customers",
            "auth": ["public", "api_key"],
            "security": [{"api_key": []}, {}],
            "inputs": [
                InputFacts("name", "body", {"type": "string", "minLength": 1}, required=True),
                InputFacts("tags", "body", {"type": "array", "items": {"type": "string"}}),
                InputFacts("X-Signature", "header", {"type": "string"}),
            ],
            "response": CUSTOMER,
            "statuses": (201,),
            "limits": EndpointLimits(calls_per_second=5),
            **more,
        }
    )


def operation(document: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][path][method]
    return found


def test_the_document_is_the_golden_one_byte_for_byte() -> None:
    made = spelled(group_document(group(), [get_customer(), add_customer()]), "yaml").body.decode()
    path = GOLDEN / "openapi_group.yaml"
    if os.environ.get("STACKYARD_WRITE_GOLDEN") == "1":
        path.write_text(made)
    assert made == path.read_text()
    validate(yaml.load(made).data)


def test_the_order_endpoints_come_in_changes_nothing() -> None:
    one = group_document(group(), [get_customer(), add_customer()])
    other = group_document(group(), [add_customer(), get_customer()])
    assert spelled(one, "json") == spelled(other, "json")
    assert spelled(one, "yaml").body == spelled(other, "yaml").body


def test_yaml_and_json_say_the_same() -> None:
    document = group_document(group(), [get_customer(), add_customer()])
    assert (
        yaml.load(spelled(document, "yaml").body.decode()).data
        == json.loads(spelled(document, "json").body)
        == document
    )


def test_an_operation_tells_what_the_endpoint_takes_and_gives() -> None:
    document = group_document(group(), [get_customer()])
    shown = operation(document, "/customers/{customer_id}", "get")
    assert shown["operationId"] == "get_customer_data"
    assert shown["tags"] == ["customers"]
    assert shown["parameters"] == [
        {"name": "customer_id", "in": "path", "required": True, "schema": {"type": "integer"}}
    ]
    schema = shown["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["properties"]["tier"] == {"type": ["string", "null"], "enum": ["free", "paid", None]}
    assert schema["required"] == list(CUSTOMER.fields or ())
    assert shown["security"] == [{"api_key": []}]


def test_a_stacks_own_error_stands_with_its_code_and_an_example() -> None:
    document = group_document(group(), [get_customer()])
    missing = operation(document, "/customers/{customer_id}", "get")["responses"]["404"]
    assert "`CUSTOMER_NOT_FOUND`: No customer found with ID …" in missing["description"]
    content = missing["content"]["application/json"]
    assert content["schema"]["allOf"][1]["properties"]["error"]["properties"]["code"]["enum"] == [
        "CUSTOMER_NOT_FOUND"
    ]
    assert content["examples"]["example_1"]["value"]["error"]["suggestion"].startswith("Please")


def test_codes_of_one_status_share_a_response() -> None:
    raised = [Raised(404, "NO_CUSTOMER"), Raised(404, "NO_ORDER", "a"), Raised(404, "NO_ORDER", "b")]
    document = group_document(group(), [get_customer(raised=raised)])
    missing = operation(document, "/customers/{customer_id}", "get")["responses"]["404"]
    enum = missing["content"]["application/json"]["schema"]["allOf"][1]["properties"]["error"]["properties"]
    assert enum["code"]["enum"] == ["NO_CUSTOMER", "NO_ORDER"]
    assert "NO_ORDER`: a" in missing["description"]


def test_a_status_that_the_run_decides_is_the_default_response() -> None:
    document = group_document(group(), [get_customer(raised=[Raised(None, None)], statuses=(200, None))])
    answers = operation(document, "/customers/{customer_id}", "get")["responses"]
    assert answers["default"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Error"
    }
    assert "2XX" in answers
    validate(document)


def test_a_flat_body_can_also_be_a_form_and_a_nested_one_cannot() -> None:
    flat = operation(group_document(group(), [add_customer()]), "/customers", "post")["requestBody"]
    assert list(flat["content"]) == [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ]
    nested = InputFacts("address", "body", {"type": "object", "properties": {"city": {"type": "string"}}})
    document = group_document(group(), [add_customer(inputs=[nested])])
    body = operation(document, "/customers", "post")["requestBody"]
    assert list(body["content"]) == ["application/json"]
    assert "required" not in body


def test_unknown_inputs_are_open_in_a_group_that_ignores_them() -> None:
    for closed in (True, False):
        document = group_document(group(), [add_customer(closed=closed)])
        content = operation(document, "/customers", "post")["requestBody"]["content"]
        assert ("additionalProperties" in content["application/json"]["schema"]) is closed


def test_public_endpoints_ask_for_nothing_and_optional_ones_say_so() -> None:
    document = group_document(group(), [get_customer(auth=["public"], security=[{}]), add_customer()])
    assert operation(document, "/customers/{customer_id}", "get")["security"] == [{}]
    assert "401" not in operation(document, "/customers/{customer_id}", "get")["responses"]
    assert operation(document, "/customers", "post")["security"] == [{"api_key": []}, {}]


def test_an_endpoints_own_limits_are_said_where_they_hold() -> None:
    document = group_document(group(), [add_customer()])
    shown = operation(document, "/customers", "post")
    assert "More than 5 calls in a second." in shown["responses"]["429"]["description"]
    assert shown["x-limits"]["calls_per_second"] == 5
    assert "calls_per_caller" not in shown["x-limits"]
    each = EndpointLimits(calls_per_second=5, calls_per_caller=2)
    shown = operation(group_document(group(), [add_customer(limits=each)]), "/customers", "post")
    assert "more than 2 of one caller" in shown["responses"]["429"]["description"]
    assert shown["x-limits"]["calls_per_caller"] == 2
    assert set(shown["responses"]["429"]["headers"]) >= {"Retry-After", "RateLimit", "RateLimit-Policy"}


def test_error_responses_that_several_operations_have_are_components() -> None:
    document = group_document(
        group(), [get_customer(), get_customer(name="twin", path="/twins/{customer_id}")]
    )
    shown = operation(document, "/twins/{customer_id}", "get")["responses"]
    assert shown["401"] == {"$ref": "#/components/responses/Unauthorized"}
    assert "UNAUTHORIZED" in document["components"]["responses"]["Unauthorized"]["description"]
    validate(document)


def test_two_kinds_of_one_status_get_two_names() -> None:
    slow = EndpointLimits(calls_per_second=5)
    endpoints = [
        get_customer(
            name=f"e{number}", path=f"/{number}", inputs=[], limits=slow if number % 2 else EndpointLimits()
        )
        for number in range(4)
    ]
    shared = group_document(group(), endpoints)["components"]["responses"]
    assert "100 calls" in shared["TooManyRequests"]["description"]
    assert "5 calls" in shared["TooManyRequests2"]["description"]


def test_templates_that_differ_in_names_only_are_one_path() -> None:
    other = get_customer(
        name="edit",
        method="PATCH",
        path="/customers/{id}",
        inputs=[InputFacts("id", "path", {"type": "integer"}, required=True)],
    )
    document = group_document(group(), [get_customer(), other])
    assert list(document["paths"]) == ["/customers/{customer_id}"]
    assert operation(document, "/customers/{customer_id}", "patch")["parameters"][0]["name"] == "customer_id"
    validate(document)


def test_a_deprecated_group_marks_every_operation() -> None:
    old = group(
        deprecated_at="2026-01-01T00:00:00.000Z",
        sunset_at="2027-01-01T00:00:00.000Z",
        successor="https://api.example.com/api/v2",
    )
    document = group_document(old, [get_customer(), add_customer()])
    assert operation(document, "/customers", "post")["deprecated"] is True
    for said in ("2026-01-01", "2027-01-01", "/api/v2"):
        assert said in document["info"]["description"]


def test_epoch_groups_answer_numbers_for_timestamps() -> None:
    nested = t.list_of(CUSTOMER)
    document = group_document(group(), [get_customer(response=nested, epoch_timestamps=True)])
    shown = operation(document, "/customers/{customer_id}", "get")["responses"]["200"]
    items = shown["content"]["application/json"]["schema"]["items"]
    assert items["properties"]["created_at"] == {"type": "integer"}


def test_an_empty_group_is_a_valid_document() -> None:
    validate(group_document(group(security_schemes={}), []))


# The validator takes a tenth of a second and more.
@settings(max_examples=20)
@given(
    st.lists(st.text(max_size=30), min_size=6, max_size=6),
    st.dictionaries(st.text(max_size=8), st.sampled_from([t.INT, t.TEXT.or_null(), t.ANY]), max_size=5),
)
def test_no_text_can_break_the_document(texts: list[str], fields: dict[str, t.Type]) -> None:
    fields = {**fields, "$ref": t.TEXT, "properties": t.object_of({"$ref": t.INT, "type": t.INT})}
    endpoint = get_customer(
        description=texts[0],
        tags=[texts[1]],
        raised=[Raised(404, texts[2], texts[3], texts[4])],
        response=t.object_of(fields),
        inputs=[
            InputFacts("customer_id", "path", {"type": "string", "description": texts[5]}, required=True),
            InputFacts("q", "query", {"type": "string", "enum": [texts[0]], "default": texts[0]}),
        ],
    )
    document = group_document(group(name=texts[1], description=texts[2]), [endpoint, add_customer()])
    validate(document)
    assert json.loads(spelled(document, "json").body) == document
    assert yaml.load(spelled(document, "yaml").body.decode()).data == document


def test_a_post_may_be_sent_again_with_a_key() -> None:
    document = group_document(group(), [get_customer(), add_customer()])
    named = {
        method: [one["name"] for one in found.get("parameters", [])]
        for operations in document["paths"].values()
        for method, found in operations.items()
    }
    assert {method: "Idempotency-Key" in names for method, names in named.items()} == {
        "get": False,
        "post": True,
    }
