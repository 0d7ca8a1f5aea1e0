"""The settings of a lambda as a form that takes whatever is typed: what is wrong with it, the check says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from lambdas.document import DEFAULTS, LONGEST_SECONDS, MEMORY_MB, with_defaults
from lambdas.triggers.schedule import CATCH_UP
from stackyard.core.errors import Fault
from stackyard.core.models import Workspace
from stackyard.core.yaml import InvalidYaml, dump, load

from .problems import capital

_NUMBERS = ("timeout", "memory_mb", "max_attempts")
_FLAGS = ("retry_safe", "fresh_process")
_CATCH_UP_WORDS = {"none": "let them go", "last": "run the last one", "all": "run them all (at most 24)"}
_TRIGGERS_HELP = (
    "A YAML list: schedule {cron, timezone} or {every_seconds} · record {table, on, if} · webhook {} · "
    "after {lambda}."
)


class LambdaForm(forms.Form):
    """A lambda's settings. Always bound: to what was sent, or to what the draft says."""

    name = forms.CharField(required=False, max_length=200)
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    triggers = forms.CharField(
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "code", "spellcheck": "false"}),
        help_text=_TRIGGERS_HELP,
    )
    timeout = forms.CharField(
        required=False,
        widget=forms.NumberInput(attrs={"min": 1, "max": LONGEST_SECONDS}),
        help_text=f"Seconds a run may take, at most {LONGEST_SECONDS}.",
    )
    memory_mb = forms.CharField(
        required=False,
        label=gettext_lazy("Memory"),
        widget=forms.NumberInput(attrs={"min": MEMORY_MB[0], "max": MEMORY_MB[1]}),
        help_text=f"MB, {MEMORY_MB[0]} to {MEMORY_MB[1]:,}.",
    )
    variables = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Which variables of the workspace the code sees as env."),
    )
    network = forms.CharField(
        required=False,
        label=gettext_lazy("Hosts"),
        widget=forms.Textarea(attrs={"rows": 2, "class": "code", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Hosts the code may call, one a line: api.example.com, *.example.com. None without."
        ),
    )
    retry_safe = forms.BooleanField(
        required=False,
        label=gettext_lazy("Safe to run twice"),
        help_text=gettext_lazy(
            "A run that fails or whose worker dies is tried again. Without, it is never run a second time."
        ),
    )
    max_attempts = forms.CharField(
        required=False, label=gettext_lazy("Attempts"), widget=forms.NumberInput(attrs={"min": 1, "max": 20})
    )
    catch_up = forms.CharField(
        required=False,
        label=gettext_lazy("Missed times"),
        widget=forms.Select(choices=[(name, capital(_CATCH_UP_WORDS[name])) for name in CATCH_UP]),
        help_text=gettext_lazy("What becomes of a schedule's times while nothing ran."),
    )
    fresh_process = forms.BooleanField(
        required=False,
        label=gettext_lazy("A fresh process for each run"),
        help_text=gettext_lazy("Slower to start; nothing is left behind."),
    )

    def __init__(self, workspace: Workspace, sent: Any) -> None:
        super().__init__(sent)
        listed = sent.getlist("variables") if hasattr(sent, "getlist") else sent.get("variables", [])
        known = workspace.variables.values_list("name", flat=True)
        names = list(dict.fromkeys([*known, *listed]))
        self.fields["variables"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]

    @classmethod
    def of(cls, workspace: Workspace, document: Mapping[str, Any]) -> LambdaForm:
        """The form that shows a document's settings."""
        return cls(workspace, spelled(document))

    def settings(self) -> dict[str, Any] | None:
        """The settings as a document has them; None, with an error at the field, when the triggers cannot be read."""
        if not self.is_valid():
            return None
        given = self.cleaned_data
        triggers = self._triggers(given["triggers"])
        if triggers is None:
            return None
        plain = {key: given[key] for key in ("name", "description", "catch_up", *_FLAGS)}
        numbers = {key: _number(given[key], DEFAULTS[key]) for key in _NUMBERS}
        lists = {"variables": given["variables"], "network": given["network"].split(), "triggers": triggers}
        return {**plain, "catch_up": given["catch_up"] or DEFAULTS["catch_up"], **numbers, **lists}

    def _triggers(self, text: str) -> Any:
        try:
            found = load(text).data
        except InvalidYaml as problem:
            for fault in problem.faults:
                self.add_error("triggers", capital(str(fault)))
            return None
        return [] if found is None else found

    def show(self, faults: Iterable[Fault]) -> None:
        """Put each fault of a setting that blocks at its field."""
        for fault in faults:
            field, *rest = fault.path or ("",)
            if field == "code" or fault.level != "error":
                continue
            place = ".".join(str(part + 1 if isinstance(part, int) else part) for part in rest)
            message = f"{place}: {capital(fault.message)}" if place else capital(fault.message)
            self.add_error(str(field) if field in self.fields else None, message)


def spelled(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document's settings as the form's texts, whatever they hold."""
    full = with_defaults(document)
    variables, network, triggers = full["variables"], full["network"], full["triggers"]
    return {
        **{key: _text(full.get(key)) for key in ("name", "description", "catch_up", *_NUMBERS)},
        **{key: full[key] is True for key in _FLAGS},
        "variables": [str(name) for name in variables] if isinstance(variables, list) else [],
        "network": "\n".join(map(str, network)) if isinstance(network, list) else str(network),
        "triggers": dump(triggers) if triggers else "",
    }


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _number(text: str, default: int) -> Any:
    text = text.strip()
    if not text:
        return default
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text
