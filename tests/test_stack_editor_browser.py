"""The visual editor in a real browser: adding, moving, values, problems, and everything by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from endpoints.models import ApiGroup
from stackyard.stacks.publishing import create_function
from tests.browsing import Watched
from tests.stacks_on_screen import LINES, Stack, expr, make_draft, make_shop, setting

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "history"])


@pytest.fixture
def group(transactional_db: None) -> ApiGroup:
    """A shop's group."""
    return make_shop()


@pytest.fixture
def stack(watched: Watched, group: ApiGroup) -> Stack:
    """A stack with blocks, open on a wide screen."""
    watched.page.set_viewport_size({"width": 1440, "height": 900})
    return Stack(watched.page, make_draft(group, LINES)).open()


@pytest.fixture
def empty(watched: Watched, group: ApiGroup) -> Stack:
    """A stack without a line, open."""
    watched.page.set_viewport_size({"width": 1440, "height": 900})
    return Stack(watched.page, make_draft(group, [])).open()


def test_a_step_is_added_by_keyboard_and_its_first_field_is_reached_in_six_keys(stack: Stack) -> None:
    stack.focus("last")
    stack.keys("/", "l", "o", "o", "p")
    expect(stack.page.get_by_role("option", name="For each").first).to_have_attribute("aria-selected", "true")
    stack.keys("Enter")
    expect(stack.panel.get_by_role("heading", name="For each")).to_be_visible()
    # In the first field a variable is chosen at once.
    stack.page.keyboard.type("{cus")
    expect(stack.page.get_by_role("option", name="customer", exact=False).first).to_be_visible()
    stack.keys("Enter")
    expect(stack.panel.locator(".pill").first).to_have_text("customer")
    made = stack.saved()["lines"][4]
    assert (made["step"], made["params"]["in"]) == ("for_each", expr("customer"))
    stack.keys("Escape")
    assert stack.focused() == made["id"]


def test_an_empty_stack_offers_ways_to_begin(empty: Stack) -> None:
    empty.page.get_by_role("button", name="Query all records").click()
    expect(empty.panel.get_by_role("heading", name="Query all records")).to_be_visible()
    empty.panel.get_by_label("Table").select_option("customers")
    draft = empty.saved()
    assert draft["lines"][0]["as"] == "records"
    assert draft["lines"][0]["params"] == {"table": "customers"}
    expect(empty.page.locator(".beginnings")).to_have_count(0)


def test_a_step_moves_through_every_place_and_back(stack: Stack) -> None:
    stack.focus("last")
    stack.keys("Alt+ArrowUp")
    assert stack.order() == ["find", "known", "cond", "label", "other", "last"]
    assert stack.focused() == "last"
    stack.keys("Alt+ArrowUp", "Alt+ArrowUp")
    assert stack.order() == ["find", "known", "cond", "label", "last", "other"]
    expect(stack.page.locator("[aria-live=polite]")).to_contain_text("Moved to 3.2, inside Condition")
    stack.keys("Alt+ArrowDown", "Alt+ArrowDown", "Alt+ArrowDown")
    assert stack.order() == ["find", "known", "cond", "label", "other", "last"]
    assert [line["id"] for line in stack.saved()["lines"]] == ["find", "known", "cond", "last"]


def test_a_step_is_dragged_by_its_handle_into_a_block(stack: Stack) -> None:
    stack.row("last").hover()
    handle = stack.row("last").locator(".handle")
    source, target = handle.bounding_box(), stack.row("label").bounding_box()
    assert source is not None
    assert target is not None
    mouse = stack.page.mouse
    mouse.move(source["x"] + 6, source["y"] + 12)
    mouse.down()
    mouse.move(target["x"] + 200, target["y"] + 20, steps=6)
    mouse.move(target["x"] + 200, target["y"] + target["height"] - 4, steps=6)
    expect(stack.page.locator(".rows .edge-bottom")).to_be_visible()
    mouse.up()
    expect(stack.page.locator(".rows .row.line")).to_have_count(6)
    assert stack.order() == ["find", "known", "cond", "label", "last", "other"]
    then = stack.saved()["lines"][2]["params"]["then"]
    assert [line["id"] for line in then] == ["label", "last"]


def test_what_is_deleted_comes_back(stack: Stack) -> None:
    stack.focus("cond")
    stack.keys("Delete")
    expect(stack.page.locator(".toast")).to_contain_text("1 step deleted")
    assert stack.order() == ["find", "known", "last"]
    assert stack.focused() == "last"
    stack.page.locator(".toast").get_by_role("button", name="Undo").click()
    assert stack.order() == ["find", "known", "cond", "label", "other", "last"]
    stack.focus("known")
    stack.keys("x", "Control+d")
    assert len(stack.order()) == 7
    stack.keys("Control+z", "Control+z")
    assert len(stack.order()) == 6
    expect(stack.row("known").locator(".tag")).to_have_count(0)
    stack.keys("Control+y")
    expect(stack.row("known").locator(".tag")).to_have_text("off")
    assert stack.saved()["lines"][1]["disabled"] is True


def test_steps_are_copied_to_another_stack_as_text(stack: Stack, group: ApiGroup, watched: Watched) -> None:
    stack.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    stack.focus("known")
    stack.keys("Shift+ArrowDown", "Control+c")
    copied = stack.page.evaluate("navigator.clipboard.readText()")
    assert '"precondition"' in copied
    assert '"to_upper"' not in copied
    other = Stack(stack.page, make_draft(group, [setting("first")])).open()
    other.focus("first")
    other.keys("Control+v")
    expect(other.page.locator(".rows .row.line")).to_have_count(5)
    lines = other.saved()["lines"]
    assert [line["step"] for line in lines] == ["set_variable", "precondition", "condition"]
    assert lines[1]["id"] != "known"
    # YAML out of the docs pastes as well; words do not, and say so.
    other.page.evaluate("navigator.clipboard.writeText('- debug_log: {value: !expr \"now\"}\\n')")
    other.focus("first")
    other.keys("Control+v")
    expect(other.page.locator(".rows .row.line")).to_have_count(6)
    other.page.evaluate("navigator.clipboard.writeText('just some words')")
    other.focus("first")
    other.keys("Control+v")
    expect(other.page.get_by_role("alert")).to_contain_text("Not pasted")
    watched.forget("400")


def test_a_variable_gets_filters_as_chips(stack: Stack) -> None:
    stack.choose("last")
    value = stack.panel.get_by_role("combobox", name="Value", exact=True)
    value.fill("")
    value.press_sequentially("Hello {name")
    expect(stack.page.locator(".offer").first).to_contain_text("text")
    stack.page.get_by_role("option", name="customer.name").click()
    assert stack.saved()["lines"][3]["params"]["value"] == expr('"Hello " ~ customer.name')
    stack.panel.get_by_role("button", name="Clear Value").click()
    stack.panel.get_by_role("button", name="Choose a variable for Value").click()
    stack.page.get_by_role("option", name="customer.name").click()
    stack.panel.get_by_role("button", name="filter for Value").click()
    stack.page.get_by_role("combobox", name="Find a filter").fill("replace")
    stack.keys("Enter")
    form = stack.page.locator(".arguments-form")
    form.get_by_role("textbox").first.fill('"A"')
    form.get_by_role("textbox").nth(1).fill('"B"')
    stack.keys("Enter")
    expect(stack.row("last").locator(".is-filter")).to_have_text('replace("A", "B")')
    assert stack.saved()["lines"][3]["params"]["value"] == expr('customer.name | replace("A", "B")')
    stack.panel.get_by_role("button", name="Filter replace").click()
    stack.page.get_by_role("button", name="Take the filter replace away").click()
    assert stack.saved()["lines"][3]["params"]["value"] == expr("customer.name")


def test_a_formula_shows_what_is_wrong_at_its_column_and_a_fix(stack: Stack) -> None:
    stack.choose("last")
    stack.panel.get_by_label("Kind of value of Value").select_option("formula")
    formula = stack.panel.get_by_label("Formula of Value")
    formula.fill("customer.age +")
    expect(stack.panel.locator(".place")).to_contain_text("Column 15: Expected a value")
    formula.fill("custmer.age + 1")
    expect(stack.row("last").locator(".under.error")).to_contain_text('There is no "custmer" here.')
    expect(stack.page.get_by_role("button", name="1 problem")).to_be_visible()
    stack.page.get_by_role("button", name="1 problem").click()
    dialog = stack.page.get_by_role("dialog", name="Problems")
    dialog.get_by_role("button", name="Use customer").click()
    stack.keys("Escape")
    expect(stack.page.get_by_role("button", name="1 problem")).to_have_count(0)
    assert stack.saved()["lines"][3]["params"]["value"] == expr("customer.age + 1")


def test_conditions_are_put_together_from_parts(stack: Stack) -> None:
    stack.choose("cond")
    first = stack.panel.get_by_role("group", name="Condition 1")
    first.get_by_label("Comparison").select_option("is_not_empty")
    assert stack.saved()["lines"][2]["params"]["if"] == expr("customer.active | is_not_empty")
    stack.panel.get_by_role("button", name="Add a condition").click()
    second = stack.panel.get_by_role("group", name="Condition 2")
    second.get_by_role("combobox", name="Left side", exact=True).press_sequentially("{age")
    stack.page.get_by_role("option", name="customer.age").click()
    second = stack.panel.get_by_role("group", name="Condition 2")
    second.get_by_label("Comparison").select_option(">=")
    second.get_by_label("Kind of value of Right side").select_option("number")
    second.get_by_role("combobox", name="Right side", exact=True).fill("18")
    wanted = expr("customer.active | is_not_empty and customer.age >= 18")
    expect(stack.row("cond")).to_contain_text("18")
    assert stack.saved()["lines"][2]["params"]["if"] == wanted
    stack.panel.get_by_label("How the conditions are joined").select_option("or")
    assert " or " in stack.saved()["lines"][2]["params"]["if"]["$expr"]


def test_records_are_filtered_by_what_their_types_know(empty: Stack) -> None:
    empty.page.get_by_role("button", name="Query all records").click()
    panel = empty.panel
    panel.get_by_label("Table").select_option("customers")
    panel.get_by_role("button", name="Add a condition").click()
    condition = panel.get_by_role("group", name="Condition 1")
    condition.get_by_label("Field").select_option("age")
    operators = condition.get_by_label("Comparison").locator("option").all_text_contents()
    assert "≥" in operators
    assert "contains" not in operators
    condition.get_by_label("Comparison").select_option("$gte")
    condition.get_by_role("combobox", name="Value of age", exact=True).fill("18")
    panel.get_by_role("button", name="Add a condition").click()
    second = panel.get_by_role("group", name="Condition 2")
    second.get_by_label("Field").select_option("name")
    second.get_by_label("Comparison").select_option("$contains")
    second.get_by_role("combobox", name="Value of name", exact=True).press_sequentially("{")
    empty.page.get_by_role("option", name="input.customer_id").click()
    panel.get_by_role("group", name="Condition 2").get_by_role("button", name="if given").click()
    panel.get_by_role("button", name="Sort by a field").click()
    panel.get_by_label("Direction").select_option("down")
    params = empty.saved()["lines"][0]["params"]
    assert params["where"] == {
        "age": {"$gte": 18},
        "name": {"$contains": expr("input.customer_id"), "$optional": True},
    }
    assert params["sort"] == ["-id"]


def test_a_record_is_filled_in_field_by_field(empty: Stack) -> None:
    empty.page.get_by_role("button", name="Add record", exact=False).first.click()
    panel = empty.panel
    panel.get_by_label("Table").select_option("customers")
    panel.get_by_role("combobox", name="name", exact=True).fill("Dan")
    panel.get_by_label("Add a field").select_option("age")
    panel.get_by_role("combobox", name="age", exact=True).fill("30")
    params = empty.saved()["lines"][0]["params"]
    assert params["data"] == {"name": "Dan", "age": 30}


def test_a_results_new_name_reaches_every_use_of_it_as_one_step(stack: Stack) -> None:
    stack.choose("find")
    name = stack.panel.get_by_label("Save result as")
    name.fill("buyer")
    name.press("Enter")
    expect(stack.row("known").locator(".is-name")).to_have_text("buyer")
    draft = stack.saved()
    assert draft["lines"][0]["as"] == "buyer"
    assert draft["lines"][2]["params"]["then"][0]["params"]["value"] == expr("buyer.name | to_upper")
    stack.focus("find")
    stack.keys("Control+z")
    expect(stack.row("known").locator(".is-name")).to_have_text("customer")
    assert stack.saved()["lines"][0]["as"] == "customer"


def test_the_stack_is_found_through_and_folded(stack: Stack) -> None:
    stack.focus("cond")
    stack.keys("ArrowLeft")
    assert stack.order() == ["find", "known", "cond", "last"]
    expect(stack.row("cond")).to_have_attribute("aria-expanded", "false")
    expect(stack.row("cond")).to_contain_text("2 steps inside")
    stack.keys("Control+f")
    stack.page.keyboard.type("inactive")
    stack.keys("Enter")
    expect(stack.row("other")).to_have_class("row line focused chosen")
    expect(stack.page.locator(".stack-find .found")).to_have_text("1/1")
    stack.keys("Escape")
    assert stack.focused() == "other"
    stack.keys("ArrowLeft")
    assert stack.focused() == "cond"
    stack.keys("Control+ArrowLeft")
    assert stack.order() == ["find", "known", "cond", "last"]


def test_a_branch_is_added_and_taken_away(stack: Stack) -> None:
    stack.choose("cond")
    stack.panel.get_by_role("button", name="Add a branch").click()
    slot = stack.row("cond/else_if.0.then")
    expect(slot).to_contain_text("Or else if")
    stack.panel.get_by_role("button", name="Formula").click()
    stack.panel.get_by_label("Formula of Else if").fill("customer.age > 70")
    expect(slot).to_contain_text("customer.age > 70")
    stack.row("cond/else_if.0.then/add").get_by_role("button").click()
    stack.page.keyboard.type("set var")
    stack.keys("Enter")
    branch = stack.saved()["lines"][2]["params"]["else_if"][0]
    assert branch["if"] == expr("customer.age > 70")
    assert branch["then"][0]["step"] == "set_variable"
    stack.choose("cond/else_if.0.then")
    stack.panel.get_by_role("button", name="Remove this branch").click()
    assert stack.saved()["lines"][2]["params"]["else_if"] == []


def test_the_rows_menu_does_all_that_keys_do(stack: Stack) -> None:
    stack.focus("last")
    stack.keys("m")
    stack.page.get_by_role("menuitem", name="Move into").click()
    stack.page.get_by_role("menuitem", name="3 Condition · Otherwise").click()
    assert stack.order() == ["find", "known", "cond", "label", "other", "last"]
    stack.keys("m")
    stack.page.get_by_role("menuitem", name="Put into").click()
    stack.page.get_by_role("menuitem", name="Group").click()
    outer = stack.saved()["lines"][2]["params"]["else"][1]
    assert (outer["step"], outer["params"]["do"][0]["id"]) == ("group", "last")
    stack.focus(outer["id"])
    stack.keys("m")
    stack.page.get_by_role("menuitem", name="Take apart").click()
    assert [line["id"] for line in stack.saved()["lines"][2]["params"]["else"]] == ["other", "last"]


def test_a_function_has_the_same_editor(watched: Watched, group: ApiGroup) -> None:
    made = create_function(
        group.workspace, {"name": "twice", "inputs": {"n": "int"}, "lines": [], "response": 1}
    )
    page = watched.page
    page.goto(f"/admin/stacks/function/{made.pk}/change/")
    page.get_by_role("tab", name="Inputs").click()
    page.get_by_role("button", name="Add an input").click()
    page.locator("#input-value-name").fill("by")
    page.keyboard.press("Enter")
    page.locator("#input-by-type").select_option("decimal")
    page.get_by_role("tab", name="Settings").click()
    expect(page.get_by_label("Method")).to_have_count(0)
    page.get_by_label("Description").fill("Doubles")
    expect(page.locator(".saving.saved")).to_be_visible()
    made.refresh_from_db()
    assert made.draft["inputs"] == {"n": "int", "by": {"type": "decimal"}}
    assert made.draft["description"] == "Doubles"


def test_steps_become_a_function_as_one_step_that_can_be_undone(stack: Stack) -> None:
    stack.focus("known")
    stack.keys("Shift+ArrowDown", "Shift+F10")
    stack.page.get_by_role("menuitem", name="Make a function from these steps").click()
    stack.page.get_by_label("Name of the function").fill("label_of")
    stack.keys("Enter")
    expect(stack.panel.get_by_role("heading", name="Call function")).to_be_visible()
    steps = [line["step"] for line in stack.saved()["lines"]]
    assert steps == ["query_all_records", "call_function", "set_variable"]
    stack.keys("Control+z")
    assert stack.order() == ["find", "known", "cond", "label", "other", "last"]
