"""Functions in the console: stacks that other stacks call."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.stacks import publishing
from stackyard.stacks.document import empty_document
from stackyard.stacks.models import Function

from .chosen_workspace import InWorkspace, SightField
from .owners import FunctionOwner
from .pages import page
from .problems import add_to_form
from .stack_pages import StackPages


class NewFunctionForm(forms.Form):
    """Where a function lives and what it is called; the rest is its document."""

    workspace = SightField(Workspace.objects.all(), empty_label=None)
    name = forms.CharField(
        max_length=63, help_text=gettext_lazy("Letters, digits and _, such as order_total.")
    )
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def create(self, author: Any) -> Function | None:
        """The function; None when the form (which then says why) was refused."""
        if not self.is_valid():
            return None
        given = self.cleaned_data
        document = {**empty_document(), "name": given["name"], "description": given["description"]}
        try:
            return publishing.create_function(given["workspace"], document, author)
        except Problem as problem:
            add_to_form(self, problem)
            return None


class FunctionAdmin(InWorkspace):
    """The list of functions; the editor is the page of each."""

    show_facets = admin.ShowFacets.NEVER
    list_display = ("name", "description", "state", "workspace", "updated_at")
    list_filter = ("workspace",)
    search_fields = ("name", "description")
    list_select_related = ("published", "workspace")
    actions = None
    empty_text = gettext_lazy("A function is a stack that other stacks call, so that a rule is written once.")

    @admin.display(description=gettext_lazy("State"))
    def state(self, function: Function) -> str:
        """Draft, live, or live with a draft that differs."""
        return render_to_string("console/state.html", {"owner": function})

    def get_urls(self) -> list[URLPattern]:
        """The list, the new function, and the pages of each."""
        return StackPages(FunctionOwner, self).urls()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A new function, opened in the editor."""
        form = NewFunctionForm(request.POST or None)
        made = form.create(request.user) if request.method == "POST" else None
        if made is not None:
            messages.success(request, _("The function is made. Write its stack, try it, publish it."))
            return HttpResponseRedirect(reverse("admin:stacks_function_change", args=[made.pk]))
        crumbs = [(_("Functions"), reverse("admin:stacks_function_changelist"))]
        return page(
            request, "console/form.html", _("New function"), crumbs, form=form, action=_("Make the function")
        )
