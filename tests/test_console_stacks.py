"""The editor of endpoints and functions: check, save, publish, try, compare, restore."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from endpoints.models import ApiGroup, Endpoint
from endpoints.publishing import save_draft
from stackyard.console import sketches
from stackyard.console.models import Sketch
from stackyard.console.owners import EndpointOwner
from stackyard.stacks.models import Function
from tests import factories

pytestmark = pytest.mark.django_db(databases=["default", "history"])

HELLO = """\
# Greets whoever calls.
name: hello
method: GET
path: /hello/{who}
auth: [public]
inputs:
  who: {type: text}
stack:
  - set_variable:
      name: words
      value: !expr '"Hello " ~ input.who'   # a greeting
response: {text: !expr 'words'}
"""


@pytest.fixture
def group(db: None) -> ApiGroup:
    """The group `shop`, mounted at `v1`."""
    return factories.make_group(factories.make_workspace(), mount="v1")


@pytest.fixture
def endpoint(console: Client, group: ApiGroup) -> Endpoint:
    """A new endpoint, made in the console."""
    answer = console.post(
        "/admin/endpoints/endpoint/add/",
        {"do": "one", "group": group.pk, "method": "GET", "path": "/hello/{who}", "auth": ["public"]},
    )
    assert answer.status_code == 302
    return Endpoint.objects.get()


def page_of(endpoint: Endpoint) -> str:
    return f"/admin/endpoints/endpoint/{endpoint.pk}/change/"


def seen(endpoint: Endpoint) -> str:
    endpoint.refresh_from_db()
    return sketches.digest_of(endpoint.draft)


def send(console: Client, endpoint: Endpoint, do: str, text: str, **more: Any) -> Any:
    return console.post(page_of(endpoint), {"do": do, "text": text, "seen": seen(endpoint), **more})


def typed(answer: Any) -> str:
    """What stands in the editor."""
    found = re.search(r'<textarea id="text"[^>]*>\n(.*?)</textarea>', answer.content.decode(), re.S)
    assert found is not None
    return unescape(found[1])


def marks(answer: Any) -> list[tuple[int, int, str]]:
    """Line, column and level of every mark."""
    found = re.findall(r'data-line="(\d+)" data-column="(\d+)" data-level="(\w+)"', answer.content.decode())
    return [(int(line), int(column), level) for line, column, level in found]


def test_a_new_endpoint_has_the_inputs_its_path_names(endpoint: Endpoint) -> None:
    assert endpoint.name == "get_hello_who"
    assert endpoint.draft["inputs"] == {"who": {"type": "text"}}
    assert endpoint.published is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"path": "no-slash"}, "begins with"),
        ({"path": "/a/{b"}, "mixes text"),
        ({"name": "no good"}, "name"),
        ({"auth": []}, "required"),
        ({"method": "FETCH"}, "valid choice"),
    ],
)
def test_a_wrong_new_endpoint_says_why(
    console: Client, group: ApiGroup, changed: dict[str, Any], said: str
) -> None:
    values = {"do": "one", "group": group.pk, "method": "GET", "path": "/a", "auth": ["public"], **changed}
    answer = console.post("/admin/endpoints/endpoint/add/", values)
    assert answer.status_code == 200
    assert said in unescape(answer.content.decode())
    assert not Endpoint.objects.exists()


def test_without_a_group_the_page_leads_to_one(console: Client) -> None:
    assert "/admin/endpoints/apigroup/add/" in console.get("/admin/endpoints/endpoint/add/").content.decode()


def test_a_draft_is_saved_as_it_was_typed(console: Client, endpoint: Endpoint) -> None:
    assert send(console, endpoint, "save", HELLO).status_code == 302
    endpoint.refresh_from_db()
    assert endpoint.draft["response"] == {"text": {"$expr": "words"}}
    # Comments and line breaks are not part of a document; they are kept beside it.
    assert typed(console.get(page_of(endpoint))) == HELLO


def test_a_draft_that_was_changed_elsewhere_shows_as_it_is_now(console: Client, endpoint: Endpoint) -> None:
    send(console, endpoint, "save", HELLO)
    endpoint.refresh_from_db()
    save_draft(endpoint, {**endpoint.draft, "description": "Said elsewhere"})
    text = typed(console.get(page_of(endpoint)))
    assert "description: Said elsewhere" in text
    assert "# Greets" not in text


def test_publishing_makes_it_live(console: Client, endpoint: Endpoint) -> None:
    answer = send(console, endpoint, "publish", HELLO, message="First words")
    assert answer.status_code == 302
    endpoint.refresh_from_db()
    assert endpoint.published is not None
    assert endpoint.published.message == "First words"
    assert endpoint.name == "hello"
    text = console.get(page_of(endpoint)).content.decode()
    assert "Live · v1" in text
    assert "First words" in text


BROKEN = [
    # text, where it is marked
    ("name: [1, 2\nmethod: GET\n", (2, None)),
    ("name: a\nname: b\n", (2, 1)),
    ("name: hello\nstack:\n  - nothing_known: {}\n", (3, None)),
    ("name: hello\nstack:\n  - set_variable: {name: x, value: 1}\n    unknown: 1\n", (4, 5)),
    (HELLO.replace("input.who", "input.whom"), (11, 37)),
    (HELLO.replace("'words'", "'wrods'"), (12, 25)),
    (HELLO.replace('"Hello " ~', '"Hello " ~ ~'), (11, None)),
    (HELLO.replace("method: GET", "method: FETCH"), (3, 1)),
    (HELLO.replace("[public]", "[public, magic]"), (5, 16)),
    ("just text", (1, 1)),
    ("", (1, 1)),
    ("- a\n- b\n", (1, 1)),
    ("a: \x07\n", (1, None)),
]


@pytest.mark.parametrize(("text", "place"), BROKEN)
@pytest.mark.parametrize("do", ["check", "save", "publish", "try"])
def test_a_broken_text_is_marked_and_comes_back_as_typed(
    console: Client, endpoint: Endpoint, do: str, text: str, place: tuple[int, int | None]
) -> None:
    answer = send(console, endpoint, do, text)
    if answer.status_code == 302:
        assert do == "save"
        answer = console.get(page_of(endpoint))
    assert typed(answer) == text
    line, column = place
    assert any(
        level == "error" and line == at and column in (None, in_line) for at, in_line, level in marks(answer)
    ), marks(answer)
    endpoint.refresh_from_db()
    assert endpoint.published is None


@pytest.mark.parametrize("text", ["name: [1, 2\n", "name: hello\nstack:\n  - 12\n"])
def test_a_text_that_is_no_document_is_kept_beside_the_draft(
    console: Client, endpoint: Endpoint, text: str
) -> None:
    before = endpoint.draft
    send(console, endpoint, "save", text)
    endpoint.refresh_from_db()
    assert endpoint.draft == before
    again = console.get(page_of(endpoint))
    assert typed(again) == text
    assert "Text not saved" in again.content.decode()


def test_two_people_do_not_overwrite_each_other(console: Client, endpoint: Endpoint) -> None:
    mine = seen(endpoint)
    save_draft(endpoint, {**endpoint.draft, "description": "Theirs"})
    values = {"do": "save", "text": HELLO, "seen": mine}
    answer = console.post(page_of(endpoint), values)
    assert answer.status_code == 200
    assert "description: Theirs" in answer.content.decode()
    assert typed(answer) == HELLO
    endpoint.refresh_from_db()
    assert endpoint.draft["description"] == "Theirs"
    # Having seen theirs, saving again is meant.
    assert send(console, endpoint, "save", HELLO).status_code == 302
    endpoint.refresh_from_db()
    assert "description" not in endpoint.draft


def test_a_check_in_between_does_not_hide_that_somebody_else_saved(
    console: Client, endpoint: Endpoint
) -> None:
    mine = seen(endpoint)
    save_draft(endpoint, {**endpoint.draft, "description": "Theirs"})
    checked = console.post(page_of(endpoint), {"do": "check", "text": HELLO, "seen": mine})
    assert f'name="seen" value="{mine}"' in checked.content.decode()
    saved = console.post(page_of(endpoint), {"do": "save", "text": HELLO, "seen": mine})
    assert "was changed since" in saved.content.decode()


def test_a_kept_text_asks_when_the_draft_has_moved_on(console: Client, endpoint: Endpoint) -> None:
    send(console, endpoint, "save", "name: [1, 2\n")
    endpoint.refresh_from_db()
    save_draft(endpoint, {**endpoint.draft, "description": "Theirs"})
    text = console.get(page_of(endpoint)).content.decode()
    begun = re.search(r'name="seen" value="(\w+)"', text)
    assert begun is not None
    answer = console.post(page_of(endpoint), {"do": "save", "text": HELLO, "seen": begun[1]})
    assert "was changed since" in answer.content.decode()


def test_a_trial_runs_the_text_on_the_page(console: Client, endpoint: Endpoint) -> None:
    answer = send(console, endpoint, "try", HELLO, inputs='{"who": "Ann"}')
    text = unescape(answer.content.decode())
    assert '"text": "Hello Ann"' in text
    assert "curl http" in text
    assert "/api/v1/hello/Ann" in text
    assert "set_variable" in text
    endpoint.refresh_from_db()
    assert endpoint.draft["response"] is None
    assert '"who": "Ann"' in unescape(console.get(page_of(endpoint)).content.decode())


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ("{nonsense", "Not run"),
        ("[1]", "must be a map"),
        ('{"who": {"a": 1}}', "who"),
        ("", "who"),
    ],
)
def test_wrong_sample_inputs_say_why(console: Client, endpoint: Endpoint, inputs: str, said: str) -> None:
    answer = send(console, endpoint, "try", HELLO, inputs=inputs)
    assert answer.status_code == 200
    outcome = unescape(answer.content.decode()).split('id="trial"')[1]
    assert said in outcome


def test_a_trial_shows_the_problem_a_caller_would_get(console: Client, endpoint: Endpoint) -> None:
    stack = HELLO.replace(
        "stack:\n",
        "stack:\n  - precondition: {if: false, status: 404, code: NOBODY_HERE, message: Nobody}\n",
    )
    text = unescape(send(console, endpoint, "try", stack, inputs='{"who": "Ann"}').content.decode())
    assert "<strong>404</strong>" in text
    assert '"code": "NOBODY_HERE"' in text
    assert "stopped here" in text


def test_hostile_texts_are_shown_as_text(console: Client, endpoint: Endpoint) -> None:
    hostile = "</textarea><script>alert(1)</script>"
    text = HELLO.replace("# Greets whoever calls.", f"# {hostile}").replace("Hello ", f"Hello {hostile}")
    answer = send(console, endpoint, "try", text, inputs='{"who": "</pre><script>alert(2)</script>"}')
    assert "<script>alert" not in answer.content.decode()
    assert typed(answer) == text
    send(console, endpoint, "save", text)
    assert "<script>alert" not in console.get(page_of(endpoint)).content.decode()


def test_revisions_are_listed_compared_and_restored(console: Client, endpoint: Endpoint) -> None:
    send(console, endpoint, "publish", HELLO, message="first")
    send(console, endpoint, "publish", HELLO.replace("Hello", "Good day"), message="second")
    base = f"/admin/endpoints/endpoint/{endpoint.pk}/revisions/"
    listed = console.get(base).content.decode()
    assert "first" in listed
    assert "second" in listed
    changed = unescape(console.get(f"{base}1/").content.decode())
    assert "-      value: !expr '\"Hello" in changed or "Hello" in changed
    assert "Good day" in changed
    assert "Good day" in unescape(console.get(f"{base}2/?with=previous").content.decode())
    assert console.post(f"{base}1/restore/").status_code == 302
    assert "Hello" in typed(console.get(page_of(endpoint)))
    endpoint.refresh_from_db()
    assert endpoint.published is not None
    assert endpoint.published.number == 2
    assert console.get(f"{base}9/").status_code == 302


def test_an_endpoint_is_switched_off_and_on(console: Client, endpoint: Endpoint) -> None:
    send(console, endpoint, "publish", HELLO)
    for word, active in (("off", False), ("on", True)):
        console.post(f"/admin/endpoints/endpoint/{endpoint.pk}/switch/", {"active": word})
        endpoint.refresh_from_db()
        assert endpoint.active is active


def test_an_endpoint_is_deleted_after_a_question(console: Client, endpoint: Endpoint) -> None:
    send(console, endpoint, "save", HELLO)
    page = f"/admin/endpoints/endpoint/{endpoint.pk}/delete/"
    assert "Yes, delete" in console.get(page).content.decode()
    assert Endpoint.objects.exists()
    assert console.post(page).status_code == 302
    assert not Endpoint.objects.exists()
    assert not Sketch.objects.exists()
    assert console.get(page_of(endpoint)).status_code == 302


def test_the_list_tells_drafts_from_what_is_live(console: Client, endpoint: Endpoint) -> None:
    assert "Draft" in console.get("/admin/endpoints/endpoint/").content.decode()
    send(console, endpoint, "publish", HELLO)
    send(console, endpoint, "save", HELLO.replace("Hello", "Bye"))
    text = console.get("/admin/endpoints/endpoint/").content.decode()
    assert "Live · v1" in text
    assert "Draft differs" in text


def test_a_function_is_made_written_tried_and_published(console: Client) -> None:
    shop = factories.make_workspace()
    made = console.post("/admin/stacks/function/add/", {"workspace": shop.pk, "name": "double"})
    assert made.status_code == 302
    function = Function.objects.get()
    page = f"/admin/stacks/function/{function.pk}/change/"
    text = (
        "name: double\ninputs:\n  n: {type: int, required: true}\nstack: []\nresponse: !expr 'input.n * 2'\n"
    )
    values = {"text": text, "seen": sketches.digest_of(function.draft), "inputs": '{"n": 21}'}
    tried = unescape(console.post(page, {**values, "do": "try"}).content.decode())
    assert '<pre class="body" tabindex="0" id="trial-body">42</pre>' in tried
    assert console.post(page, {**values, "do": "publish"}).status_code == 302
    function.refresh_from_db()
    assert function.published is not None


@pytest.mark.parametrize("name", ["", "no good", "double"])
def test_a_wrong_function_says_why(console: Client, name: str) -> None:
    shop = factories.make_workspace()
    console.post("/admin/stacks/function/add/", {"workspace": shop.pk, "name": "double"})
    answer = console.post("/admin/stacks/function/add/", {"workspace": shop.pk, "name": name})
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert Function.objects.count() == 1


def test_the_admins_own_forms_are_not_behind_the_editor(console: Client, endpoint: Endpoint) -> None:
    # The stock form would write columns past the one door; `_31` is how the admin spells `1`.
    for odd in (f"_{ord(str(endpoint.pk)[0]):x}", "x"):
        assert console.get(f"/admin/endpoints/endpoint/{odd}/change/").status_code == 404


def test_owners_find_their_deeds(endpoint: Endpoint) -> None:
    owner = EndpointOwner.find(endpoint.pk)
    assert owner.workspace == endpoint.group.workspace
    assert owner.pages == f"/admin/endpoints/endpoint/{endpoint.pk}/"
