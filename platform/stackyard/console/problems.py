"""Problems on forms: what a deed refused, shown at the field it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey
from django.http import HttpRequest, HttpResponse

from stackyard.core.errors import Detail, Problem


def sentence(problem: Problem) -> str:
    """What happened and what to do, as one text."""
    message = problem.message.rstrip()
    message = message if message.endswith((".", "!", "?", "”", '"')) else f"{message}."
    return f"{capital(message)} {problem.suggestion or ''}".rstrip()


def details_of(problem: Problem) -> list[Detail]:
    """The places to mend, when the problem names any."""
    details = problem.details if isinstance(problem.details, list | tuple) else []
    return [detail for detail in details if isinstance(detail, Detail)]


def add_to_form(
    form: forms.BaseForm, problem: Problem | ValidationError, otherwise: str | None = None
) -> None:
    """Put each detail at the form's field of that name (`tags.2` at `tags`).

    What names no field of the form goes to the field `otherwise`, or on top when that is not given.
    """
    if isinstance(problem, ValidationError):
        for name, texts in _by_field(problem).items():
            form.add_error(name if name in form.fields else None, texts)
        return
    details = details_of(problem)
    if not details:
        form.add_error(None, sentence(problem))
    for detail in details:
        _add(form, detail, otherwise)


def _add(form: forms.BaseForm, detail: Detail, otherwise: str | None) -> None:
    name, _, rest = detail.field.partition(".")
    message = capital(detail.message)
    if name in form.fields:
        form.add_error(name, f"{rest}: {message}" if rest else message)
    else:
        form.add_error(otherwise, f"{detail.field}: {message}" if detail.field else message)


def add_to_rows(form: forms.BaseForm, rows: Mapping[str, forms.BaseForm], problem: Problem) -> None:
    """Put each detail `fields.<name>.<what>` at the row of that name, the rest on the form."""
    left = []
    for detail in details_of(problem):
        first, _, rest = detail.field.partition(".")
        name, _, what = rest.partition(".")
        if first == "fields" and name in rows:
            _add(rows[name], replace(detail, field=what or "name"), "options")
        else:
            left.append(detail)
    if left or not details_of(problem):
        add_to_form(form, Problem(problem.code, problem.message, suggestion=problem.suggestion, details=left))


def capital(message: str) -> str:
    """A message as a sentence begins; a name such as `max_length` or `orders.total` stays as it is."""
    return message[:1].upper() + message[1:] if message.split(" ")[0].rstrip(",:").isalpha() else message


def _by_field(error: ValidationError) -> dict[str, list[str]]:
    return error.message_dict if hasattr(error, "error_dict") else {"": error.messages}


class ProblemsOnForm(admin.ModelAdmin):
    """A ModelAdmin whose deeds may raise Problems: everything is rolled back and the form comes back with them.

    The admin saves after it has decided that the form is valid. So a refused save is played again with
    the Problem already known, and this time the form finds itself invalid.
    """

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *more: Any, **named: Any
    ) -> Any:
        """Labels without a colon, as everywhere in the console."""
        context["adminform"].form.label_suffix = ""
        return super().render_change_form(request, context, *more, **named)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The admin's form page; a Problem raised while saving becomes the form's own error."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (Problem, ValidationError) as problem:
            request.refused = problem  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The admin's input, without its pop-up windows for related things: they have pages of their own."""
        if isinstance(db_field, ForeignKey) and not db_field.blank:
            # Where there is one workspace, nobody has to choose it.
            kwargs["empty_label"] = None
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        """The form, which remembers what was refused a moment ago."""
        made = super().get_form(request, obj, change=change, **kwargs)
        refused: Problem | ValidationError | None = getattr(request, "refused", None)
        return _refusing(made, refused) if refused is not None else made


def _refusing(form: type[forms.ModelForm], refused: Problem | ValidationError) -> type[forms.ModelForm]:
    def full_clean(self: forms.ModelForm) -> None:
        form.full_clean(self)
        if self.is_bound:
            add_to_form(self, refused)

    namespace: dict[str, Callable[..., Any]] = {"full_clean": full_clean}
    return type(form.__name__, (form,), namespace)
