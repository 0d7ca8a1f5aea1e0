"""Changes of fields in the console: what will happen is told first; what was deleted is had back."""

from __future__ import annotations

import pytest
from django.test import Client

from stackyard.tables.changes import create_table
from stackyard.tables.models import Table
from stackyard.tables.schema import load_schema
from stackyard.tables.store import Store
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "history"])


@pytest.fixture
def things(console: Client) -> Table:
    """Two records, one of whose texts is no number."""
    shop = factories.make_workspace()
    made = create_table(shop, "things", fields={"size": "text"})
    Store(load_schema(shop.pk)).add_many("things", [{"size": "4"}, {"size": "<b>large"}])
    return made


def test_a_change_of_type_tells_what_will_happen_and_does_it_when_asked(
    console: Client, things: Table
) -> None:
    field = things.fields.get()
    address = f"/admin/tables/table/{things.pk}/fields/{field.pk}/type/"
    assert console.get(address).status_code == 200
    look = console.post(address, {"type": "int", "on_bad": "refuse"}).content.decode()
    assert "2 records are converted at once" in look
    assert "&lt;b&gt;large" in look
    assert load_schema(things.workspace_id).table("things").field("size").type.name == "text"
    refused = console.post(address, {"type": "int", "on_bad": "refuse", "do": "change"})
    assert refused.status_code == 200
    assert console.post(address, {"type": "int", "on_bad": "null", "do": "change"}).status_code == 302
    store = Store(load_schema(things.workspace_id))
    assert [store.get("things", pk)["size"] for pk in (1, 2)] == [4, None]  # type: ignore[index]


def test_an_odd_type_is_said_on_the_form(console: Client, things: Table) -> None:
    address = f"/admin/tables/table/{things.pk}/fields/{things.fields.get().pk}/type/"
    for sent in ({"type": "nothing"}, {"type": "password", "on_bad": "null"}, {"type": "int", "on_bad": "x"}):
        answer = console.post(address, {"do": "change", **sent})
        assert answer.status_code == 200
        assert "errorlist" in answer.content.decode()


def test_a_deleted_field_is_had_back_with_its_values(console: Client, things: Table) -> None:
    dropped = "/admin/tables/table/dropped/"
    assert "Nothing was deleted lately" in console.get(dropped).content.decode()
    console.post(f"/admin/tables/table/{things.pk}/fields/{things.fields.get().pk}/hide/")
    text = console.get(dropped).content.decode()
    assert "things.size" in text
    run = text.split('name="run" value="')[1].split('"')[0]
    assert console.post(dropped, {"run": run}).status_code == 302
    found = Store(load_schema(things.workspace_id)).get("things", 1)
    assert found is not None
    assert found["size"] == "4"
    assert console.post(dropped, {"run": "nothing"}).status_code == 302


def test_relations_are_drawn_and_listed(console: Client, things: Table) -> None:
    fields = {
        "thing": {"type": "reference", "table": "things"},
        "self": {"type": "reference", "table": "parts"},
    }
    create_table(things.workspace, "parts", fields=fields)
    text = console.get("/admin/tables/table/relations/").content.decode()
    assert text.count('aria-hidden="true"></path>') == 2
    assert "parts</a>.<code>thing</code>" in text
