"""The step by which an endpoint accepts the nemesis' work, so that what is promised over HTTP takes the whole way."""

from __future__ import annotations

from typing import Any

from stackyard.runs import dispatch
from stackyard.stacks.execution import Execution
from stackyard.stacks.parameters import Value
from stackyard.stacks.step import Step

ENDPOINT = {
    "format": 1,
    "name": "accept",
    "method": "POST",
    "path": "/accept",
    "auth": ["public"],
    "inputs": {"work": {"type": "object"}, "retry_safe": {"type": "bool"}},
    "lines": [
        {
            "step": "accept_nemesis",
            "as": "run",
            "params": {"work": {"$expr": "input.work"}, "retry_safe": {"$expr": "input.retry_safe"}},
        },
        {"step": "set_status", "params": {"status": 202}},
    ],
    "response": {"$expr": "run"},
}


def accept_work(execution: Execution, work: Any, retry_safe: bool) -> str:
    """Accept a run; its id."""
    from stackyard.core.models import Workspace

    run = dispatch.start(
        "nemesis",
        Workspace.objects.get(pk=execution.workspace_id),
        1,
        target_name="nemesis",
        input=work,
        retry_safe=retry_safe,
        max_attempts=1000,
    )
    return str(run.pk)


class AcceptNemesis(Step):
    """Accept the nemesis' work."""

    name = "accept_nemesis"
    label = "Accept nemesis"
    group = "code"
    icon = "bug"
    sentence = "Accept work"
    parameters = (Value("work", "What to do."), Value("retry_safe", "Whether it may be repeated."))
    run = staticmethod(accept_work)


def prepare() -> None:
    """An empty installation with the workspace, a schedule that is due every second, and the endpoint."""
    from endpoints.groups import create_group
    from endpoints.publishing import create_endpoint, publish
    from stackyard.core.workspaces import create_workspace
    from stackyard.runs.schedule import replace_schedules
    from stackyard.start.installation import migrate

    migrate()
    workspace = create_workspace("nemesis")
    ticks = {"cron": "", "every_seconds": 1, "timezone": "UTC", "catch_up": "all", "input": None}
    replace_schedules(workspace, "nemesis", 2, [ticks])
    publish(create_endpoint(create_group(workspace, "nemesis", canonical="nemesis"), ENDPOINT))
