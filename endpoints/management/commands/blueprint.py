"""manage.py blueprint NAME WORKSPACE/GROUP [TABLE] [--set OPTION=VALUE …]: endpoints made at once."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from endpoints.blueprints import Blueprint, apply_blueprint
from endpoints.models import ApiGroup
from stackyard.core.errors import Problem, did_you_mean
from stackyard.core.files import find_workspace
from stackyard.core.management.problem_command import ProblemCommand


class Command(ProblemCommand):
    """Make a blueprint's endpoints and publish them."""

    help = "Makes a blueprint's endpoints in an API group and publishes them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The blueprint, the group, the table, and what else the blueprint asks for."""
        parser.add_argument("name", help=_names())
        parser.add_argument("group", metavar="WORKSPACE/GROUP")
        parser.add_argument("table", nargs="?")
        parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", dest="options")

    def act(self, options: dict[str, Any]) -> None:
        """Make them and list what was made."""
        workspace_name, _, group_name = options["group"].partition("/")
        group = find_group(workspace_name, group_name)
        given = _options(options["options"])
        made = apply_blueprint(group, options["name"], options["table"], options=given)
        for endpoint in made:
            self.stdout.write(f"{endpoint.method} {endpoint.path}   {endpoint.name}")
        if not made:
            self.stdout.write("Nothing to make: the group answers at all of these addresses already.")


def _names() -> str:
    parts = []
    for name, kind in sorted(Blueprint.all().items()):
        words = [*(["TABLE"] if kind.takes_table else []), *(option.name for option in kind.options)]
        parts.append(f"{name} ({', '.join(words)})")
    return f"One of: {'; '.join(parts)}."


def _options(given: list[str]) -> dict[str, str]:
    """`name=value` texts as a map. Problem `INVALID_INPUT` for one without a =."""
    found = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:
            raise Problem("INVALID_INPUT", f'--set takes OPTION=VALUE, not "{text}".')
        found[name] = value
    return found


def find_group(workspace_name: str, group_name: str) -> ApiGroup:
    """A group by names; Problem `NOT_FOUND` that proposes the nearest."""
    workspace = find_workspace(workspace_name)
    group = workspace.api_groups.filter(name=group_name).first()
    if group is None:
        hint = did_you_mean(group_name, workspace.api_groups.values_list("name", flat=True))
        raise Problem("NOT_FOUND", f'There is no API group "{group_name}" in {workspace_name}.{hint}')
    return group
