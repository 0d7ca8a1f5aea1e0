"""How the stages of a start are shown: one line each with its time, in colour where there is a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from .environment import stage_line


class Stage:
    """A stage in progress. `note` becomes what the line says was done or reused."""

    note = ""


class Stages:
    """Prints stages, lines between them, and tables of names and values."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Time a stage and print its line at the end; when it fails, say which one it was and let the error go on."""
        stage, began = Stage(), time.monotonic()
        try:
            if self.console.is_terminal:
                with self.console.status(Text(name, style="dim")):
                    yield stage
            else:
                yield stage
        except BaseException:
            self.console.print(Text(f"  \u2717 {name}", style="red"))
            raise
        self.done(name, stage.note, time.monotonic() - began)

    def done(self, name: str, note: str, seconds: float) -> None:
        """The line of a finished stage."""
        line = Text(stage_line(name, note, seconds))
        line.stylize("green", 0, 3)
        line.stylize("bold", 4, 4 + len(name))
        self.console.print(line)

    def say(self, line: str) -> None:
        """A line of its own."""
        self.console.print(Text(f"  {line}"))

    def table(self, rows: list[tuple[str, str]]) -> None:
        """Names in one column, values in the next; values are never broken, so that they can be copied."""
        width = max(len(name) for name, _ in rows) + 2
        self.console.print()
        for name, value in rows:
            self.console.print(Text.assemble(("  " + name.ljust(width), "bold"), value), no_wrap=True)
        self.console.print()
