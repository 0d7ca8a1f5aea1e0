"""The sample workspace, driven over HTTP through both doors."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings

from endpoints.blueprints import apply_blueprint
from endpoints.groups import create_group
from stackyard.core import files
from stackyard.core.models import Workspace
from stackyard.tables.query import Query
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests.doors import Door
from tests.factories import make_key
from tests.workspace_folders import exported, read

pytestmark = pytest.mark.django_db(databases=["default", "history"])

SHOP = Path(settings.ROOT) / "examples" / "shop"
GENERATOR = SHOP.parent / "generate_shop.py"


@pytest.fixture
def shop(db: None, tmp_path: Path) -> Workspace:
    """The sample, with the records of its first 150 customers."""
    folder = tmp_path / "shop"
    shutil.copytree(SHOP, folder)
    _keep(folder / "records" / "customers.csv", lambda row: int(row[0]) <= 150)
    _keep(folder / "records" / "orders.csv", lambda row: int(row[3]) <= 150 and int(row[0]) <= 3000)
    files.apply(folder)
    return Workspace.objects.get(name="shop")


@pytest.fixture
def whole_shop(db: None) -> Workspace:
    """The sample with all its records."""
    files.apply(SHOP)
    return Workspace.objects.get(name="shop")


def _keep(path: Path, is_kept: Callable[[list[str]], bool]) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line[0].isdecimal() or is_kept(line.split(","))))


@pytest.fixture
def caller(client: Door, shop: Workspace) -> Door:
    """Someone with a key of the sample."""
    return client.with_key(make_key(shop))


def test_get_customer_data_answers_as_the_seed_says(caller: Door, client: Door):
    answer = caller.get("/api/v1/customers/123")
    assert answer.status == 200
    assert answer.json()["id"] == 123
    assert set(answer.json()) >= {"name", "email", "tier", "address", "created_at"}
    assert caller.get("/api:shop/customers/123").json() == answer.json()
    missing = caller.get("/api/v1/customers/12345")
    assert missing.status == 404
    assert {key: missing.error[key] for key in ("code", "message", "suggestion")} == {
        "code": "CUSTOMER_NOT_FOUND",
        "message": "No customer found with ID 12345",
        "suggestion": "Please check the customer ID and try again",
    }
    assert client.get("/api/v1/customers/123").status == 401
    assert caller.get("/api/v1/customers/abc").status == 400


def test_there_is_enough_to_try_things_with(whole_shop: Workspace):
    store = Store(load_schema(whole_shop.pk))
    counts = {name: store.query(Query(name, return_="count")) for name in store.schema.tables}
    assert counts == {"customers": 500, "products": 60, "orders": 5_200, "users": 0}
    addresses = [record["address"] for record in store.query(Query("customers"))]
    assert len({address["country"] for address in addresses}) >= 8


def test_customers_are_listed_created_changed_and_deleted(caller: Door):
    page = caller.get(
        "/api/v1/customers", query={"sort": "-created_at,name", "page": 2, "per_page": 20}
    ).json()
    assert (page["curPage"], page["nextPage"], page["prevPage"], page["itemsReceived"]) == (2, 3, 1, 20)
    made = caller.post(
        "/api/v1/customers", {"name": "Ada Byron", "email": "ada@example.com", "tags": ["press"]}
    )
    assert made.status == 201
    url = f"/api/v1/customers/{made.json()['id']}"
    assert caller.patch(url, {"tier": "gold"}).json()["tier"] == "gold"
    assert caller.put(url, {"name": "Ada King", "email": "ada@example.com"}).json()["tier"] == "standard"
    assert caller.delete(url).json() is None
    assert caller.get(url).error["code"] == "CUSTOMER_NOT_FOUND"
    assert caller.delete("/api/v1/customers/1").status == 409, "orders refer to this customer"


def test_many_customers_are_changed_in_one_call(caller: Door):
    answer = caller.post(
        "/api/v1/batch/customers",
        {
            "operations": [
                {"action": "create", "data": {"name": "Grace", "email": "grace@example.com"}},
                {"action": "update", "id": 123, "data": {"phone": "+1 555 0100"}},
                {"action": "delete", "id": 99_999},
            ]
        },
    ).json()
    assert (answer["succeeded"], answer["failed"]) == (2, 1)
    assert caller.get("/api/v1/customers/123").json()["phone"] == "+1 555 0100"


def test_the_report_adds_up(caller: Door):
    report = caller.get("/api/v1/customers/123/report").json()
    assert report["customer"]["id"] == 123
    assert sum(status["orders"] for status in report["statuses"]) == report["orders"]
    assert [status["status"] for status in report["statuses"]] == sorted(
        s["status"] for s in report["statuses"]
    )
    for status in report["statuses"]:
        assert 0 < status["goods"] <= status["total"]
    assert caller.get("/api/v1/customers/99999/report").error["code"] == "CUSTOMER_NOT_FOUND"


def test_products_are_searched_by_words_category_and_price(client: Door, shop: Workspace):
    found = client.get(
        "/api/v1/search/products", query={"q": "LAMP", "category": "lighting", "max_price": "100"}
    ).json()
    prices = [record["price"] for record in found["items"]]
    assert prices == sorted(prices)
    assert prices
    assert max(prices) <= 100
    assert all("lamp" in record["name"].lower() for record in found["items"])
    every = client.get("/api/v1/search/products").json()["itemsTotal"]
    in_stock = client.get("/api/v1/search/products", query={"in_stock": "true"}).json()["itemsTotal"]
    assert 0 < in_stock < every


def test_an_order_takes_stock_or_nothing(caller: Door):
    stocks = {
        r["id"]: r
        for r in caller.get("/api/v1/products", query={"per_page": 100, "active": "true"}).json()["items"]
    }
    full = next(r for r in stocks.values() if r["stock"] >= 40)
    empty = next(r for r in stocks.values() if r["stock"] == 0)
    refused = caller.post(
        "/api/v1/orders",
        {
            "customer": 1,
            "items": [{"product": full["id"], "quantity": 2}, {"product": empty["id"], "quantity": 1}],
        },
    )
    assert (refused.status, refused.error["code"]) == (409, "OUT_OF_STOCK")
    assert caller.get(f"/api/v1/products/{full['id']}").json()["stock"] == full["stock"]

    made = caller.post("/api/v1/orders", {"customer": 1, "items": [{"product": full["id"], "quantity": 2}]})
    assert made.status == 201
    order = made.json()
    goods = Decimal(str(full["price"])) * 2
    shipping = Decimal("0") if goods >= 80 else Decimal("5.9")
    assert Decimal(str(order["total"])) == goods + shipping
    assert (order["status"], order["customer"]) == ("pending", 1)
    assert caller.get(f"/api/v1/products/{full['id']}").json()["stock"] == full["stock"] - 2
    assert (
        caller.post("/api/v1/orders", {"customer": 99999, "items": [{"product": 1, "quantity": 1}]}).status
        == 404
    )
    assert caller.post("/api/v1/orders", {"customer": 1, "items": []}).status == 400


def test_a_quote_is_what_the_function_says(client: Door, shop: Workspace):
    items = [{"quantity": 3, "price": 12.5}, {"quantity": 1, "price": 2.4}]
    assert client.post("/api/v1/quote", {"items": items}).json() == {
        "subtotal": 39.9,
        "shipping": 5.9,
        "total": 45.8,
    }
    assert client.post("/api/v1/quote", {"items": [{"quantity": 1, "price": 80}]}).json()["shipping"] == 0


def test_version_2_says_more_and_version_1_names_its_successor(caller: Door):
    old, new = caller.get("/api/v1/customers/123").json(), caller.get("/api/v2/customers/123").json()
    assert new.keys() - old.keys() == {"orders_count", "lifetime_value", "last_order_at"}
    assert new["orders_count"] == caller.get("/api/v1/customers/123/report").json()["orders"]
    first = caller.get("/api/v2/customers", query={"per_page": 2, "tier": "gold"}).json()
    second = caller.get(
        "/api/v2/customers", query={"per_page": 2, "tier": "gold", "cursor": first["nextCursor"]}
    ).json()
    assert len({record["id"] for record in [*first["items"], *second["items"]]}) == 4
    assert all(isinstance(record["orders_count"], int) for record in first["items"])


def test_people_sign_up_log_in_and_are_known(client: Door, shop: Workspace):
    eve = {"email": "eve@example.com", "password": "correct horse"}
    made = client.post("/api/shop/v1/auth/signup", {"name": "Eve", **eve})
    assert (made.status, set(made.json())) == (201, {"authToken", "refreshToken"})
    pair = client.post("/api:shop-auth/auth/login", eve)
    assert (pair.status, set(pair.json())) == (200, {"authToken", "refreshToken"})
    known = Door(client.application, {"Authorization": f"Bearer {pair.json()['authToken']}"})
    me = known.get("/api:shop-auth/auth/me").json()
    assert set(me) == {"id", "created_at", "name", "email"}
    assert (me["name"], me["email"]) == ("Eve", "eve@example.com")
    assert client.get("/api:shop-auth/auth/me").status == 401
    assert known.post("/api:shop-auth/auth/logout", {}).json() == {"loggedOut": True}


def test_the_samples_login_is_what_the_blueprint_makes(shop: Workspace, tmp_path: Path):
    apply_blueprint(create_group(shop, "again"), "authentication", "users")
    written = exported("shop", tmp_path / "out")
    made = {name: text for name, text in written.items() if name.startswith("apis/again/")}
    assert len(made) == 7
    for name, text in made.items():
        assert (SHOP / name.replace("again", "shop-auth")).read_bytes() == text


def test_the_sample_is_written_as_the_export_writes_it(whole_shop: Workspace, tmp_path: Path):
    assert files.apply(SHOP).is_equal
    assert exported("shop", tmp_path / "out", records=True) == read(SHOP)


def test_the_records_are_what_the_generator_makes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    spec = importlib.util.spec_from_file_location("generate_shop", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    generator.RECORDS = tmp_path / "records"
    generator.main()
    assert read(tmp_path / "records") == read(SHOP / "records")


def test_records_are_loaded_only_into_an_empty_table(shop: Workspace, caller: Door):
    assert caller.patch("/api/v1/customers/1", {"phone": "changed"}).status == 200
    assert files.apply(SHOP).is_equal
    assert caller.get("/api/v1/customers/1").json()["phone"] == "changed"
