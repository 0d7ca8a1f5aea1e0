"""`manage.py lambda run WORKSPACE/NAME [--input JSON]`: run a lambda now."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lambdas.models import Lambda
from lambdas.running import run_now
from stackyard.core.body import parse_json
from stackyard.core.data_source import LIVE, read_source
from stackyard.core.errors import Problem, did_you_mean
from stackyard.core.jsonout import encode
from stackyard.core.masking import masker_of


class Command(BaseCommand):
    """Result as JSON on stdout, logs on stderr, status 1 on failure."""

    help = "Run a lambda now: result on stdout, logs on stderr, exit 1 on failure."

    def add_arguments(self, parser: CommandParser) -> None:
        """run WORKSPACE/NAME."""
        parser.add_argument("action", choices=["run"])
        parser.add_argument("target", metavar="WORKSPACE/NAME")
        parser.add_argument("--input", default="null", help="the input as JSON")
        parser.add_argument("--data-source", default=LIVE, metavar="live|test")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run what is published."""
        target = _find(options["target"])
        try:
            finished = run_now(
                target,
                parse_json(options["input"].encode()),
                on_log=self._log,
                data_source=read_source(options["data_source"]),
            )
        except Problem as problem:
            raise CommandError(problem.message) from None
        if finished.error is not None:
            self.stderr.write(finished.error.stack or f"{finished.error.name}: {finished.error.message}")
            sys.exit(1)
        shown = masker_of(target.workspace_id).hide_in(finished.value)
        self.stdout.write(encode(shown).decode())

    def _log(self, text: str) -> None:
        self.stderr.write(text.rstrip("\n"))


def _find(path: str) -> Lambda:
    """A lambda by WORKSPACE/NAME. CommandError with the nearest one when there is none."""
    workspace, _, name = path.partition("/")
    rows = Lambda.objects.filter(workspace__name=workspace, name=name)
    target = rows.select_related("published", "workspace").first()
    if target is None:
        known = [f"{one.workspace.name}/{one.name}" for one in Lambda.objects.select_related("workspace")]
        raise CommandError(f'There is no lambda "{path}".{did_you_mean(path, known)}')
    return target
