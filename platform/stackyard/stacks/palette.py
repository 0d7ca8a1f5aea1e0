"""The palette: every step kind and every filter as an editor is told of them. All of it comes from the kinds themselves."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from stackyard.core import types as t
from stackyard.core.filter import FUNCTION, Filter, FilterParameter, filters

from .parameter import Parameter
from .reference import GROUPS
from .step import Step


def _(text: str) -> str:
    """A text of a kind in the active language; gettext answers an empty one with its file's head."""
    return gettext(text) if text else ""


def step_kinds() -> dict[str, Any]:
    """`{"groups": [[name, title]], "kinds": {name: …}}`, texts in the active language."""
    kinds = sorted(Step.all().values(), key=lambda kind: (kind.group, kind.label))
    groups = [*GROUPS, *sorted({kind.group for kind in kinds} - set(GROUPS))]
    return {
        "groups": [[group, _(GROUPS.get(group, group.capitalize()))] for group in groups],
        "kinds": {kind.name: kind_value(kind) for kind in kinds},
    }


def kind_value(kind: type[Step]) -> dict[str, Any]:
    """One step kind. `sentence` has `{parameter}` slots; a part in `[…]` is shown only when its parameter is given."""
    return {
        "name": kind.name,
        "version": kind.version,
        "label": _(kind.label),
        "group": kind.group,
        "icon": kind.icon,
        "help": _(kind.description()),
        "words": _(kind.synonyms),
        "sentence": _(kind.sentence),
        "gives_result": kind.gives_result,
        "result": kind.result_name,
        "parameters": [_parameter(parameter) for parameter in kind.parameters],
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": parameter.name,
        "label": _(parameter.label),
        "help": _(parameter.help),
        "widget": parameter.shown_as,
        **parameter.facts(),
    }
    if parameter.required:
        made["required"] = True
    if parameter.default is not None:
        made["default"] = parameter.default
    if parameter.advanced:
        made["advanced"] = True
    return made


def filter_kinds() -> dict[str, Any]:
    """`{"families": [[name, title]], "filters": {name: …}}`, texts in the active language."""
    families = sorted({found.family for found in filters().values()})
    return {
        "families": [[family, _(family.capitalize())] for family in families],
        "filters": {name: _filter(found) for name, found in sorted(filters().items())},
    }


def _filter(found: Filter) -> dict[str, Any]:
    return {
        "name": found.name,
        "family": found.family,
        "help": _(found.help),
        "takes": t.as_value(found.value),
        "gives": t.as_value(_result(found)),
        "parameters": [_filter_parameter(parameter) for parameter in found.parameters],
        "example": [found.examples[0].source, found.examples[0].result] if found.examples else None,
    }


def _result(found: Filter) -> t.Type:
    """The type of the result as far as it does not depend on what is given."""
    return found.result([found.value, *(t.ANY for _parameter in found.parameters)])


def _filter_parameter(parameter: FilterParameter) -> dict[str, Any]:
    made: dict[str, Any] = {"name": parameter.name, "type": t.as_value(parameter.type)}
    if parameter.type == FUNCTION or parameter.is_lambda:
        made["is_lambda"] = True
    if parameter.required:
        made["required"] = True
    if parameter.repeats:
        made["repeats"] = True
    if parameter.default is not None:
        made["default"] = parameter.default
    return made
