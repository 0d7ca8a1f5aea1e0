"""`/apispec:` and `/apidoc:` of API groups: who may read them, forms, caching, and that they follow what is published."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from openapi_spec_validator import validate

from endpoints import publishing
from endpoints.groups import create_group, edit_group
from endpoints.models import ApiGroup, Endpoint
from stackyard.core import yaml
from stackyard.stacks.api_drafts import canonical
from stackyard.stacks.publishing import create_function, publish
from stackyard.tables.changes import create_table
from tests import factories
from tests.doors import Door

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def group() -> ApiGroup:
    workspace = factories.make_workspace("shop")
    return create_group(workspace, "shop", canonical="shop", mount="v1", description="Greets people.")


@pytest.fixture
def door() -> Door:
    return Door(WSGIHandler())


def add_endpoint(group: ApiGroup, **more: Any) -> Endpoint:
    document = {
        "name": "hello",
        "method": "GET",
        "path": "/hello/{name}",
        "auth": ["public"],
        "inputs": {"name": {"type": "text", "max_length": 20, "description": "Who"}},
        "stack": [],
        "response": {"greeting": {"$expr": '"Hello " ~ input.name'}},
        **more,
    }
    endpoint = publishing.create_endpoint(group, canonical(document))
    publishing.publish(endpoint)
    return endpoint


def spec(door: Door, query: str = "?type=json", **more: Any) -> Any:
    answer = door.get(f"/apispec:shop{query}", **more)
    assert answer.status == 200, answer.body
    document = answer.json()
    validate(document)
    return document


def test_the_document_tells_what_is_published(group: ApiGroup, door: Door) -> None:
    add_endpoint(group)
    document = spec(door)
    assert document["info"]["title"] == "shop"
    assert [server["url"].rpartition("/")[2] for server in document["servers"]] == ["v1", "api:shop"]
    hello = document["paths"]["/hello/{name}"]["get"]
    [parameter] = hello["parameters"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("name", "path", True)
    assert parameter["schema"]["maxLength"] == 20
    assert parameter["description"] == "Who"
    schema = hello["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["properties"] == {"greeting": {"type": "string"}}


def test_it_follows_publishing_at_once(group: ApiGroup, door: Door) -> None:
    endpoint = add_endpoint(group)
    first = door.get("/apispec:shop")
    publishing.save_draft(endpoint, {**endpoint.draft, "description": "Says hello."})
    assert door.get("/apispec:shop").body == first.body
    publishing.publish(endpoint)
    second = door.get("/apispec:shop")
    assert b"Says hello." in second.body
    assert second.headers["etag"] != first.headers["etag"]
    publishing.set_active(endpoint, False)
    assert spec(door)["paths"] == {}


def test_yaml_is_the_default_and_both_forms_say_the_same(group: ApiGroup, door: Door) -> None:
    add_endpoint(group)
    text = door.get("/apispec:shop")
    assert text.headers["content-type"] == "application/yaml"
    assert yaml.load(text.body.decode()).data == spec(door)
    assert door.get("/apispec:shop?type=xml").error["code"] == "INVALID_INPUT"


def test_inputs_stand_where_the_endpoint_reads_them(group: ApiGroup, door: Door) -> None:
    inputs = {
        "name": "text",
        "tags": {"type": "text", "list": True},
        "x_signature": {"type": "text", "in": "header", "required": True},
        "address": {"type": "object", "fields": {"city": {"type": "text", "required": True}}},
    }
    for method in ("GET", "POST", "DELETE"):
        add_endpoint(group, name=method.lower(), method=method, inputs=inputs)
    item = spec(door)["paths"]["/hello/{name}"]
    places = {method: {p["name"]: p["in"] for p in item[method]["parameters"]} for method in item}
    assert places["get"] == {"name": "path", "tags": "query", "X-Signature": "header", "address": "query"}
    assert places["post"] == {"name": "path", "X-Signature": "header", "Idempotency-Key": "header"}
    assert places["delete"] == {"name": "path", "tags": "query", "X-Signature": "header"}
    body = item["post"]["requestBody"]["content"]
    assert list(body) == ["application/json"]
    assert set(body["application/json"]["schema"]["properties"]) == {"tags", "address"}
    assert set(item["delete"]["requestBody"]["content"]["application/json"]["schema"]["properties"]) == {
        "address"
    }


def test_a_sensitive_inputs_default_is_not_told(group: ApiGroup, door: Door) -> None:
    add_endpoint(
        group,
        method="POST",
        path="/hello",
        inputs={"name": "text", "pin": {"type": "text", "sensitive": True, "default": "canary-5501"}},
    )
    body = spec(door)["paths"]["/hello"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["pin"] == {"type": "string", "writeOnly": True}
    assert b"canary-5501" not in door.get("/apispec:shop").body


def test_records_and_errors_of_the_stack_are_described(group: ApiGroup, door: Door) -> None:
    create_table(
        group.workspace,
        "customers",
        fields={"name": {"type": "text", "required": True}, "secret": {"type": "text", "access": "private"}},
    )
    function = create_function(
        group.workspace,
        canonical(
            {"name": "guard", "stack": [{"throw": {"code": "CLOSED", "status": 403, "message": "Closed."}}]}
        ),
    )
    publish(function)
    add_endpoint(
        group,
        auth=["api_key"],
        inputs={"name": {"type": "int"}},
        stack=[
            {"call_function": {"function": "guard"}},
            {"get_record": {"table": "customers", "value": {"$expr": "input.name"}}, "as": "customer"},
            {
                "precondition": {
                    "if": {"$expr": "customer != null"},
                    "status": 404,
                    "code": "CUSTOMER_NOT_FOUND",
                    "message": {"$expr": '"No customer found with ID " ~ input.name'},
                }
            },
        ],
        response={"$expr": "customer"},
    )
    document = spec(door)
    answers = document["paths"]["/hello/{name}"]["get"]["responses"]
    schema = answers["200"]["content"]["application/json"]["schema"]
    assert list(schema["properties"]) == ["id", "created_at", "name"]
    assert schema["type"] == "object"
    assert "`CUSTOMER_NOT_FOUND`: No customer found with ID …" in answers["404"]["description"]
    assert "`CLOSED`: Closed." in answers["403"]["description"]
    assert "`ACCESS_DENIED`" in answers["403"]["description"]
    security = document["paths"]["/hello/{name}"]["get"]["security"]
    assert security == [{"api_key": []}, {"api_key_bearer": []}]
    assert document["components"]["securitySchemes"]["api_key"]["name"] == "X-API-Key"
    assert document["components"]["securitySchemes"]["api_key_bearer"]["scheme"] == "bearer"


def test_a_group_says_when_it_ends_and_what_follows(group: ApiGroup, door: Door) -> None:
    from datetime import UTC, datetime

    add_endpoint(group)
    later = create_group(group.workspace, "shop-v2", mount="v2")
    edit_group(group, deprecated_at=datetime(2026, 1, 1, tzinfo=UTC), successor=later, timestamps="epoch_ms")
    document = spec(door)
    assert document["paths"]["/hello/{name}"]["get"]["deprecated"] is True
    assert "/api/v2" in document["info"]["description"]


def test_an_unchanged_document_is_not_sent_again(group: ApiGroup, door: Door) -> None:
    add_endpoint(group)
    first = door.get("/apispec:shop")
    etag = first.headers["etag"]
    assert etag.startswith('"')
    again = door.get("/apispec:shop", headers={"If-None-Match": f'"other", {etag}'})
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    assert door.get("/apispec:shop?type=json", headers={"If-None-Match": etag}).status == 200


def test_the_page_is_swagger_ui_without_inline_script(group: ApiGroup, door: Door) -> None:
    page = door.get("/apidoc:shop", headers={"Accept": "text/html"})
    assert page.status == 200
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    text = page.body.decode()
    assert 'data-specification="/apispec:shop"' in text
    assert "<script>" not in text
    assert "swagger-ui-bundle.js" in text


def test_files_of_the_page_are_served(door: Door) -> None:
    from django.contrib.staticfiles import finders

    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"):
        assert finders.find(f"drf_spectacular_sidecar/swagger-ui-dist/{name}")
    assert finders.find("endpoints/apidoc.js")


@pytest.mark.parametrize("page", ["apispec", "apidoc"])
class TestAccess:
    def test_off_is_404(self, group: ApiGroup, door: Door, page: str) -> None:
        edit_group(group, docs="off")
        answer = door.get(f"/{page}:shop")
        assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")

    def test_an_inactive_group_has_no_documentation(self, group: ApiGroup, door: Door, page: str) -> None:
        edit_group(group, active=False)
        assert door.get(f"/{page}:shop").status == 404

    def test_an_unknown_group_is_404(self, door: Door, page: str) -> None:
        assert door.get(f"/{page}:nothing").status == 404

    def test_a_token_opens_it_in_the_query_or_as_a_bearer(
        self, group: ApiGroup, door: Door, page: str
    ) -> None:
        token = edit_group(group, docs="token").docs_token
        assert door.get(f"/{page}:shop?token={token}").status == 200
        assert door.get(f"/{page}:shop", headers={"Authorization": f"Bearer {token}"}).status == 200
        for query, headers in (
            ("", {}),
            ("?token=", {}),
            ("?token=wrong", {}),
            (f"?token={token}x", {}),
            ("", {"Authorization": "Bearer wrong"}),
            ("", {"Authorization": f"Basic {token}"}),
        ):
            answer = door.get(f"/{page}:shop{query}", headers=headers)
            assert (answer.status, answer.error["code"]) == (401, "UNAUTHORIZED")
            assert answer.headers["www-authenticate"].startswith("Bearer")

    def test_a_group_without_a_token_lets_nobody_in(self, group: ApiGroup, door: Door, page: str) -> None:
        ApiGroup.objects.update(docs="token", docs_token="")
        assert door.get(f"/{page}:shop?token=").status == 401

    def test_what_a_token_guards_stays_out_of_shared_caches(
        self, group: ApiGroup, door: Door, page: str
    ) -> None:
        token = edit_group(group, docs="token").docs_token
        answer = door.get(f"/{page}:shop?token={token}")
        assert "private" in answer.headers["cache-control"]
        assert "access-control-allow-origin" not in answer.headers

    def test_only_reading_is_offered(self, group: ApiGroup, door: Door, page: str) -> None:
        refused = door.post(f"/{page}:shop", {})
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
        assert refused.error["code"] == "METHOD_NOT_ALLOWED"
        assert door.request("OPTIONS", f"/{page}:shop").status == 204
        assert door.get(f"/{page}:shop/").status == 200


def test_hostile_names_cannot_break_page_or_document(group: ApiGroup, door: Door) -> None:
    hostile = "</script><script>alert(1)</script>\"'{{7*7}}\n---\n!!python/object:os.system \u2028 `${x}`"
    edit_group(group, description=hostile)
    add_endpoint(
        group,
        description=hostile,
        tags=[hostile],
        inputs={"name": {"type": "text", "description": hostile}},
        response={hostile: 1, "$ref": "#/components/schemas/Error", "x-y": {"a b": None}},
    )
    document = spec(door)
    assert yaml.load(door.get("/apispec:shop").body.decode()).data == document
    assert b"<script>alert" not in door.get("/apidoc:shop").body


def test_the_management_api_is_described_for_everybody(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = door.get("/apispec:meta?type=json")
    assert answer.status == 200
    assert "Warning" not in capsys.readouterr().err
    document = answer.json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    paths = document["paths"]
    assert "/api:meta/workspaces/{workspace}/tables/{table}/fields/{field}" in paths
    publish = paths["/api:meta/workspaces/{workspace}/groups/{group}/endpoints/{endpoint}/publish"]["post"]
    assert publish["operationId"] == "publish_endpoint"
    assert publish["requestBody"]["content"]["application/json"]
    assert set(publish["responses"]) >= {"200", "400", "401", "403", "404"}
    assert {"api_key": []} in publish["security"]
    ids = [operation["operationId"] for item in paths.values() for operation in item.values()]
    assert len(ids) == len(set(ids))
    assert yaml.load(door.get("/apispec:meta").body.decode()).data == document
    assert door.get("/apidoc:meta").status == 200
