"""manage.py blueprint NAME WORKSPACE/GROUP TABLE: endpoints made at once for a table."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from endpoints.blueprints import Blueprint, apply_blueprint
from endpoints.models import ApiGroup
from stackyard.core.errors import Problem, did_you_mean
from stackyard.core.files import find_workspace
from stackyard.core.management.problem_command import ProblemCommand


class Command(ProblemCommand):
    """Make a blueprint's endpoints for a table and publish them."""

    help = "Makes a blueprint's endpoints for a table in an API group and publishes them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The blueprint, the group and the table."""
        parser.add_argument("name", help=f"One of: {', '.join(sorted(Blueprint.all()))}.")
        parser.add_argument("group", metavar="WORKSPACE/GROUP")
        parser.add_argument("table")

    def act(self, options: dict[str, Any]) -> None:
        """Make them and list what was made."""
        workspace_name, _, group_name = options["group"].partition("/")
        made = apply_blueprint(find_group(workspace_name, group_name), options["name"], options["table"])
        for endpoint in made:
            self.stdout.write(f"{endpoint.method} {endpoint.path}   {endpoint.name}")
        if not made:
            self.stdout.write("Nothing to make: the group answers at all of these addresses already.")


def find_group(workspace_name: str, group_name: str) -> ApiGroup:
    """A group by names; Problem `NOT_FOUND` that proposes the nearest."""
    workspace = find_workspace(workspace_name)
    group = workspace.api_groups.filter(name=group_name).first()
    if group is None:
        hint = did_you_mean(group_name, workspace.api_groups.values_list("name", flat=True))
        raise Problem("NOT_FOUND", f'There is no API group "{group_name}" in {workspace_name}.{hint}')
    return group
