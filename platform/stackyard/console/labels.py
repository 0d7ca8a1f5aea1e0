"""Words that no source spells out for translation: a form field is labelled by its name, a model's field too.

Django makes `Created at` of `created_at`, and shows it as it is. Here those words become translatable, for every form
and model of ours, those of later files included.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import Model
from django.forms import BaseForm
from django.forms.utils import pretty_name
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

_OURS = ("stackyard", "endpoints", "lambdas", "auth")
_found: dict[str, None] = {}


def translate_labels(site: AdminSite) -> list[str]:
    """Make labels and help texts of our forms and of a site's models translatable; those texts, in English.

    Called when the console's addresses are read: by then every form of it is there. Calling it again changes nothing.
    """
    for form in _forms(BaseForm):
        fields: dict[str, Any] = getattr(form, "base_fields", {})
        for name, field in fields.items():
            field.label = _lazy(pretty_name(name) if field.label is None else field.label)
            field.help_text = _lazy(field.help_text)
    for model, shown in site._registry.items():
        if _is_ours(model):
            _translate_model(model, shown)
    return sorted(_found)


def _forms(parent: Any) -> Iterator[type]:
    for form in parent.__subclasses__():
        if _is_ours(form):
            yield form
        yield from _forms(form)


def _translate_model(model: type[Model], shown: ModelAdmin[Any]) -> None:
    names: Any = model._meta
    names.verbose_name, names.verbose_name_plural = (
        _lazy(names.verbose_name),
        _lazy(names.verbose_name_plural),
    )
    used = {*shown.list_display, *shown.list_filter, *shown.readonly_fields, *(shown.fields or ())}
    for _title, options in shown.fieldsets or ():
        used.update(options["fields"])
    for field in names.fields:
        if field.name in used:
            # Lists and forms begin it with a capital; with one here too it is one text.
            field.verbose_name = _lazy(capfirst(field.verbose_name))
            field.help_text = _lazy(field.help_text)


def _lazy(word: Any) -> Any:
    """The word, translated where it is shown; what is translatable already is Django's or spelt out in a source."""
    if not word or isinstance(word, Promise):
        return word
    _found[word] = None
    return gettext_lazy(word)


def _is_ours(kind: type) -> bool:
    return kind.__module__.split(".")[0] in _OURS
