"""The forms of a table's fields and indexes, and the specs (contract §6) they stand for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stackyard.core.errors import Problem
from stackyard.core.yaml import InvalidYaml, dump, load
from stackyard.tables.field_type import FieldType

OWN_WORDS = frozenset({"type", "required", "unique", "default", "access", "description"})
"""What every field's spec may say; the rest are options of its type."""

ACCESS = [
    ("public", gettext_lazy("Public")),
    ("private", gettext_lazy("Private")),
    ("internal", gettext_lazy("Internal")),
]


def field_types() -> list[tuple[str, list[tuple[str, str]]]]:
    """The field types by group, for a select."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, kind in FieldType.all().items():
        groups.setdefault(_(kind.group.capitalize()), []).append((name, _(kind.label)))
    return sorted((group, sorted(kinds, key=lambda kind: kind[1])) for group, kinds in groups.items())


def option_help() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Every field type with its options: label, name, `[(option, help)]`."""
    kinds = sorted(FieldType.all().values(), key=lambda kind: (kind.group, kind.label))
    return [(_(k.label), k.name, [(name, _(o.help)) for name, o in k.option_spec.items()]) for k in kinds]


def read_options(text: str) -> dict[str, Any]:
    """Options typed as `max_length: 20, lower: true`, with or without braces, or one a line.

    Raises forms.ValidationError when that is no map.
    """
    text = text.strip()
    if not text:
        return {}
    if "\n" not in text and text[0] not in "{[":
        text = f"{{{text}}}"
    try:
        data = load(text).data
    except InvalidYaml as problem:
        raise forms.ValidationError(
            _("Not readable: {message}.").format(message=problem.faults[0].message)
        ) from problem
    if not isinstance(data, dict):
        raise forms.ValidationError(_("Write options as name: value, such as max_length: 20."))
    return data


def write_options(options: Mapping[str, Any]) -> str:
    """Options as `read_options` reads them, one a line."""
    shown = {name: value for name, value in options.items() if value is not None}
    return dump(shown).strip() if shown else ""


def read_default(text: str, type_name: str, options: Mapping[str, Any]) -> Any:
    """A default as typed: text stays text, anything else is read as YAML (`0`, `true`, `[a, b]`)."""
    try:
        held = FieldType.get(type_name)(options).value_type.name
    except Problem:
        # What is wrong with the type or its options is said where the field is made.
        held = "text"
    if held in {"text", "timestamp", "date"}:
        return text
    try:
        return load(text).data
    except InvalidYaml as problem:
        raise forms.ValidationError(
            _("Not readable: {message}.").format(message=problem.faults[0].message)
        ) from problem


def show_default(default: Any) -> str:
    """A default as `read_default` reads it."""
    if default is None:
        return ""
    return default if isinstance(default, str) else json.dumps(default, ensure_ascii=False)


class OptionsField(forms.CharField):
    """Options of a field type as text."""

    widget = forms.Textarea(attrs={"rows": 1, "class": "code", "spellcheck": "false"})

    def to_python(self, value: Any) -> Any:
        """The options as a map."""
        return value if isinstance(value, dict) else read_options(super().to_python(value) or "")

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether other text was typed."""
        return str(data or "").strip() != str(initial or "").strip()


class FieldRowForm(forms.Form):
    """A new field, on one row."""

    name = forms.CharField(max_length=63, widget=forms.TextInput(attrs={"class": "code"}))
    type = forms.ChoiceField(choices=lazy(field_types, list), initial="text")  # type: ignore[arg-type]
    options = OptionsField(required=False)
    required = forms.BooleanField(required=False)
    unique = forms.BooleanField(required=False)
    default = forms.CharField(required=False)
    access = forms.ChoiceField(choices=ACCESS, initial="public")

    def has_changed(self) -> bool:
        """Whether it says a field: a row without a name is left out, whatever else it begins with."""
        return bool(str(self["name"].data or "").strip())

    def clean(self) -> dict[str, Any]:
        """Read the default by the type."""
        given = super().clean() or {}
        if given.get("default"):
            try:
                given["default"] = read_default(
                    given["default"], given.get("type", "text"), given.get("options") or {}
                )
            except forms.ValidationError as error:
                self.add_error("default", error)
        return given

    def spec(self) -> dict[str, Any]:
        """The field in its YAML form."""
        given = self.cleaned_data
        made: dict[str, Any] = {"type": given["type"], **(given["options"] or {})}
        if given["required"]:
            made["required"] = True
        if given["unique"]:
            made["unique"] = True
        if given["default"] not in ("", None):
            made["default"] = given["default"]
        if given["access"] != "public":
            made["access"] = given["access"]
        return made


class FieldRows(forms.BaseFormSet):
    """The new fields of a table; rows without a name are left out."""

    def initial_form_count(self) -> int:
        """None is there already: what a row begins with may be taken away too."""
        return 0

    def specs(self) -> dict[str, dict[str, Any]]:
        """Name → spec, in order."""
        return {form.cleaned_data["name"]: form.spec() for form in self.filled()}

    def filled(self) -> list[Any]:
        """The rows somebody wrote into."""
        return [form for form in self.forms if form.has_changed() and form.cleaned_data.get("name")]

    def clean(self) -> None:
        """No name twice: a map of fields could not hold it."""
        seen: set[str] = set()
        for form in self.forms:
            name = form.cleaned_data.get("name", "").lower() if hasattr(form, "cleaned_data") else ""
            if name and name in seen:
                form.add_error("name", _("Another row has this name."))
            seen.add(name)


FieldRowSet = forms.formset_factory(
    FieldRowForm, formset=FieldRows, extra=4, max_num=500, absolute_max=600, validate_max=True
)


def rows_of(initial: Sequence[Mapping[str, Any]], more: int = 2) -> Any:
    """Rows that begin with these fields, and some empty ones."""
    kinds = forms.formset_factory(
        FieldRowForm, formset=FieldRows, extra=len(initial) + more, max_num=500, absolute_max=600
    )
    return kinds(initial=initial, prefix="fields")


class IndexForm(forms.Form):
    """A new index."""

    names = forms.CharField(
        label=gettext_lazy("Fields"),
        help_text=gettext_lazy(
            "In order, separated by blanks; a minus in front for descending: status -created_at"
        ),
        widget=forms.TextInput(attrs={"class": "code"}),
    )
    unique = forms.BooleanField(
        required=False, help_text=gettext_lazy("Refuse two records with the same values.")
    )

    def parts(self) -> list[str]:
        """The fields as the deed takes them."""
        return str(self.cleaned_data["names"]).replace(",", " ").split()
