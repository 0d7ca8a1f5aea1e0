"""How the tables of a workspace refer to each other: a drawing made here, and the same as a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from stackyard.tables.schema import Schema, load_schema

from .chosen_workspace import all_workspaces, chosen_workspace
from .pages import page

WIDTH, HEAD, ROW, GAP, BETWEEN = 200, 36, 22, 28, 110
SHOWN_NAME = 24


@dataclass(slots=True)
class Box:
    """A table on the drawing, in pixels; `rows` are its references with the height each stands at."""

    name: str
    url: str
    x: int
    y: int
    height: int
    rows: list[tuple[str, int]]

    @property
    def shown(self) -> str:
        """The name, short enough for the box."""
        return self.name if len(self.name) <= SHOWN_NAME else f"{self.name[: SHOWN_NAME - 1]}…"


def relations(request: HttpRequest) -> HttpResponse:
    """The drawing of the workspace `?workspace=` (an id), else of the chosen one, else of the first."""
    workspaces = all_workspaces(request)
    asked = [one for one in workspaces if str(one.pk) == request.GET.get("workspace")]
    workspace = next(iter(asked), None) or chosen_workspace(request) or next(iter(workspaces), None)
    drawing = {} if workspace is None else drawn(load_schema(workspace.pk))
    crumbs: list[Any] = [(_("Tables"), reverse("admin:tables_table_changelist"))]
    return page(request, "console/relations.html", _("Relations"), crumbs, workspace=workspace, **drawing)


def drawn(schema: Schema) -> dict[str, Any]:
    """Boxes, lines and the list. What is referred to stands left of what refers to it, as far as that can be."""
    columns: dict[int, list[int]] = {}
    for table in schema.tables.values():
        columns.setdefault(_depth(schema, table.id, ()), []).append(table.id)
    boxes: dict[int, Box] = {}
    for place, depth in enumerate(sorted(columns)):
        y = GAP // 2
        for number in sorted(columns[depth], key=lambda pk: schema.tables_by_id[pk].name):
            table = schema.tables_by_id[number]
            rows = [(f.name[:SHOWN_NAME], y + HEAD + ROW * n + 14) for n, f in enumerate(table.references)]
            height = HEAD + ROW * len(rows) + 6
            url = reverse("admin:tables_table_change", args=[number])
            boxes[number] = Box(table.name, url, 8 + place * (WIDTH + BETWEEN), y, height, rows)
            y += height + GAP
    lines, told = [], []
    for number, box in boxes.items():
        for (_name, y), field in zip(box.rows, schema.tables_by_id[number].references, strict=True):
            target = boxes[field.target]
            lines.append(_line(box, y - 4, target))
            told.append({"box": box, "field": field.name, "target": target, "on_delete": field.on_delete})
    return {
        "boxes": list(boxes.values()),
        "lines": lines,
        "told": told,
        "box_width": WIDTH,
        "width": 16 + len(columns) * (WIDTH + BETWEEN) - (BETWEEN if columns else 0) + 40,
        "height": max((box.y + box.height for box in boxes.values()), default=0) + GAP,
    }


def _depth(schema: Schema, number: int, seen: tuple[int, ...]) -> int:
    """The longest way over references; a ring counts once."""
    ways = [f.target for f in schema.tables_by_id[number].references if f.target not in (*seen, number)]
    if len(seen) > 8:
        return 0
    return max((1 + _depth(schema, way, (*seen, number)) for way in dict.fromkeys(ways)), default=0)


def _line(box: Box, y: int, target: Box) -> str:
    """The path from a reference to the head of its target."""
    end = target.y + HEAD // 2
    if target.x < box.x:
        start, stop = box.x, target.x + WIDTH
        bend = (stop - start) // 2
        return f"M{start} {y} C{start + bend} {y} {stop - bend} {end} {stop} {end}"
    start, stop = box.x + WIDTH, target.x + WIDTH
    out = max(start, stop) + 36
    return f"M{start} {y} C{out} {y} {out} {end} {stop} {end}"
