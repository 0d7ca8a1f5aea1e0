"""Figures for people and for files: medians of rounds, tables, JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Round:
    """One side's measurement in one round."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


@dataclass(frozen=True)
class Comparison:
    """Ours against a peer in rounds that took turns. `goal` is the least ratio wanted, if any."""

    database: str
    what: str
    peer: str
    goal: float | None
    ours_rounds: list[Round]
    peer_rounds: list[Round]

    @property
    def ratios(self) -> list[float]:
        """Requests per second, ours by the peer's, round by round."""
        return [
            one.per_second / other.per_second
            for one, other in zip(self.ours_rounds, self.peer_rounds, strict=True)
        ]

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return median(self.ratios)

    @property
    def is_reached(self) -> bool:
        """Whether the goal is met; true where there is none."""
        return self.goal is None or self.ratio >= self.goal

    @property
    def cpu_ratio(self) -> float:
        """Processor time a request, the peer's by ours, medians."""
        return middle(self.peer_rounds, "cpu_us") / middle(self.ours_rounds, "cpu_us")


def middle(rounds: Sequence[Round], name: str) -> float:
    """The median of one figure."""
    return median(getattr(one, name) for one in rounds)


def print_comparisons(title: str, comparisons: Sequence[Comparison]) -> None:
    """One row a comparison."""
    table = Table(title=title, title_justify="left")
    for column in (
        "database",
        "what",
        "ours /s",
        "peer /s",
        "ratio",
        "min-max",
        "goal",
        "p99 ms",
        "CPU ratio",
    ):
        table.add_column(column, justify="left" if column in ("database", "what") else "right")
    for one in comparisons:
        p99 = f"{middle(one.ours_rounds, 'p99_ms'):.1f} / {middle(one.peer_rounds, 'p99_ms'):.1f}"
        table.add_row(
            one.database,
            one.what,
            f"{middle(one.ours_rounds, 'per_second'):,.0f}",
            f"{middle(one.peer_rounds, 'per_second'):,.0f}",
            f"{one.ratio:.2f}",
            f"{min(one.ratios):.2f}-{max(one.ratios):.2f}",
            "" if one.goal is None else f"≥ {one.goal:g} {'ok' if one.is_reached else 'MISSED'}",
            p99,
            f"{one.cpu_ratio:.2f}",
        )
    Console(width=140).print(table)


def write_json(path: Path, name: str, comparisons: Sequence[Comparison]) -> None:
    """Every round, for those who want to look closer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{**asdict(one), "ratio": one.ratio, "cpu_ratio": one.cpu_ratio} for one in comparisons]
    path.write_text(json.dumps({"name": name, "comparisons": rows}, indent=1))


@dataclass(frozen=True)
class Goal:
    """Measurements whose median should be at most `bound`, or with `more` at least; 0 asks for nothing."""

    what: str
    values: Sequence[float]
    bound: float
    more: bool = False

    @property
    def is_reached(self) -> bool:
        """Whether it is."""
        found = median(self.values)
        return not self.bound or (found >= self.bound if self.more else found <= self.bound)

    @property
    def verdict(self) -> str:
        """The goal and whether it was reached."""
        if not self.bound:
            return ""
        return f"{'≥' if self.more else '≤'} {self.bound:,g} {'ok' if self.is_reached else 'MISSED'}"


def print_goals(title: str, goals: Sequence[Goal]) -> bool:
    """One row a goal; whether all were reached."""
    table = Table(title=title, title_justify="left")
    for column in ("what", "median", "min-max", "goal"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for goal in goals:
        spread = f"{_short(min(goal.values))}-{_short(max(goal.values))}"
        table.add_row(goal.what, _short(median(goal.values)), spread, goal.verdict)
    Console(width=140).print(table)
    return all(goal.is_reached for goal in goals)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def print_beside(title: str, found: Mapping[str, Sequence[float]]) -> None:
    """One table of two measurements, the second by the first; nothing is asked of them."""
    (name, values), (other_name, others) = found.items()
    table = Table(title=title, title_justify="left")
    for column in (name, other_name, f"{other_name} by {name}"):
        table.add_column(column, justify="right")
    middles = median(values), median(others)
    table.add_row(_short(middles[0]), _short(middles[1]), f"{middles[1] / middles[0]:.3g}")
    Console(width=140).print(table)


def print_cost(title: str, found: Mapping[str, Sequence[float]], most: float) -> float:
    """One table of two costs in rounds that took turns; the median of the first by the second."""
    (name, costs), (other_name, other_costs) = found.items()
    ratios = [one / other for one, other in zip(costs, other_costs, strict=True)]
    ratio = median(ratios)
    table = Table(title=title, title_justify="left")
    for column in (name, other_name, "ratio", "min-max", "goal"):
        table.add_column(column, justify="right")
    table.add_row(
        f"{median(costs):.1f}",
        f"{median(other_costs):.1f}",
        f"{ratio:.3g}",
        f"{min(ratios):.3g}-{max(ratios):.3g}",
        f"≤ {most:g} {'ok' if ratio <= most else 'MISSED'}",
    )
    Console(width=140).print(table)
    return ratio
