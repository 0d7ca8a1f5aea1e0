"""Text from a template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.core import types as t
from stackyard.core.errors import Problem
from stackyard.core.expressions.operations import failed, kind_of
from stackyard.core.templates import template as read

from ..check import StackChecker
from ..execution import Execution
from ..parameters import Constant, Value
from ..step import Line, Step
from ..values import constant, is_constant


def render_template(execution: Execution, template: Any, data: Any, format: Any) -> str:
    """The text that the data makes of the template."""
    if not isinstance(template, str):
        failed(f"A template is a text, not {kind_of(template)}.")
    if not isinstance(data, dict):
        failed(f"The data of a template is an object, not {kind_of(data)}.")
    execution.check_time()
    return read(template).render(data, escapes=format == "html")


class RenderTemplate(Step):
    """Make a text from a template and data: `{{ value }}`, `{% for x in list %} … {% endfor %}`, `{% if … %} … {% else %} …
    {% endif %}`, `{% set x = … %}`, with the same expressions and filters as everywhere. In HTML every value is escaped
    unless it ends in `| raw`.
    """

    name = "render_template"
    label = "Render template"
    group = "utilities"
    icon = "text"
    sentence = "Render {template}"
    synonyms = "twig jinja handlebars html text mail merge template engine"
    result_name = "rendered"
    parameters = (
        Value("template", "The template's text.", required=True, type=t.TEXT, widget="long_text"),
        Value("data", "The names the template may use.", default={}, type=t.OBJECT),
        Constant(
            "format",
            "HTML escapes every value; text leaves it as it is.",
            default="html",
            choices=("html", "text"),
        ),
    )
    run = staticmethod(render_template)
    examples = (
        {
            "lines": [
                {
                    "step": "render_template",
                    "as": "page",
                    "params": {
                        "template": "<h1>{{ title }}</h1>{% for n in names %}<p>{{ n | to_upper }}</p>{% endfor %}",
                        "data": {"title": "Tea & more", "names": ["Ann", "Bob"]},
                    },
                }
            ],
            "response": "page",
            "is": "<h1>Tea &amp; more</h1><p>ANN</p><p>BOB</p>",
        },
    )

    @classmethod
    def check(cls, line: Line, checker: StackChecker) -> t.Type:
        """A template that is written out is read now."""
        type_ = super().check(line, checker)
        given = line.params.get("template")
        if is_constant(given) and isinstance(constant(given), str):
            try:
                read(constant(given))
            except Problem as problem:
                for detail in problem.details:
                    checker.error(line.at("template"), "template", detail.message)
        return type_

    @classmethod
    def result(cls, line: Line, checker: StackChecker, types: Mapping[str, t.Type]) -> t.Type:
        """A text."""
        return t.TEXT
