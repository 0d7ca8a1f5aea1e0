"""ProblemCommand: a management command whose Problems are for people: on stderr, exit 1, no traceback."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand

from stackyard.core.errors import Detail, Problem


class ProblemCommand(BaseCommand):
    """Subclasses do their deed in `act`."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the deed; say on stderr what went wrong and exit 1."""
        try:
            self.act(options)
        except Problem as problem:
            self.show_problem(problem)
            raise SystemExit(1) from None
        except ValidationError as error:
            self.stderr.write("\n".join(error.messages))
            raise SystemExit(1) from None

    def act(self, options: dict[str, Any]) -> None:
        """The deed; any Problem may be raised."""
        raise NotImplementedError

    def show_problem(self, problem: Problem) -> None:
        """What happened, where, and what to do; one line a detail."""
        self.stderr.write(f"{problem.code}: {problem.message}")
        if problem.place is not None:
            column = f", column {problem.place.column}" if problem.place.column else ""
            self.stderr.write(f"  in line {problem.place.line} {problem.place.path}{column}".rstrip())
        if isinstance(problem.details, list | tuple) and len(problem.details) > 1:
            for detail in problem.details:
                if isinstance(detail, Detail):
                    self.stderr.write(
                        f"  {detail.field}: {detail.message}" if detail.field else f"  {detail.message}"
                    )
        if problem.suggestion:
            self.stderr.write(problem.suggestion)
