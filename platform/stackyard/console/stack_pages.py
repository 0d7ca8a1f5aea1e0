"""The pages of a stack's owner: its editor, its revisions (list, compare, restore), its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from stackyard.core.errors import Problem

from . import sample_inputs, sketches, stack_editor
from .debugging import DebugPages
from .editor import Editor, differences
from .owners import OWNERS, StackOwner
from .pages import Crumb, confirmed, page
from .problems import sentence

View = Callable[..., HttpResponse]


class StackPages:
    """The pages of one kind of owner, for a ModelAdmin to put into its URLs."""

    def __init__(self, owner_type: type[StackOwner], listed: admin.ModelAdmin) -> None:
        self.owner_type = owner_type
        self.listed = listed
        meta = owner_type.model._meta
        self.prefix = f"{meta.app_label}_{meta.model_name}"
        self.plural = str(meta.verbose_name_plural)

    def urls(self) -> list[URLPattern]:
        """The model's routes. The admin's own forms are not among them: they would go past the deeds."""
        view = self.listed.admin_site.admin_view
        return [
            path("", view(self.listed.changelist_view), name=f"{self.prefix}_changelist"),
            path("add/", view(self.listed.add_view), name=f"{self.prefix}_add"),
            self._route("<int:pk>/change/", self.edit, "change"),
            self._route("<int:pk>/delete/", self.delete, "delete"),
            self._route("<int:pk>/revisions/", self.revisions, "revisions"),
            self._route("<int:pk>/revisions/<int:number>/", self.compare, "compare"),
            self._route("<int:pk>/revisions/<int:number>/restore/", self.restore, "restore"),
            *(self._stack_routes() if self.owner_type.kind in OWNERS else ()),
        ]

    def _stack_routes(self) -> list[URLPattern]:
        """What only stacks have: the visual editor, Run & Debug."""
        editing = [self._editor_route(route, deed) for route, deed in stack_editor.ROUTES.items()]
        return [*editing, *DebugPages(self.owner_type, self.prefix).urls()]

    def _editor_route(self, route: str, deed: View) -> URLPattern:
        def found(request: HttpRequest, pk: int, **more: Any) -> HttpResponse:
            return deed(request, self.owner_type.find(pk), **more)

        view = self.listed.admin_site.admin_view(stack_editor.answering(found))
        return path(f"<int:pk>/editor/{route}", view, name=f"{self.prefix}_editor_{deed.__name__}")

    def _route(self, route: str, view: View, name: str) -> URLPattern:
        def found(request: HttpRequest, pk: int, **more: Any) -> HttpResponse:
            try:
                return view(request, self.owner_type.find(pk), **more)
            except Problem as problem:
                messages.error(request, sentence(problem))
                return HttpResponseRedirect(self.list_address)

        return path(route, self.listed.admin_site.admin_view(found), name=f"{self.prefix}_{name}")

    @property
    def list_address(self) -> str:
        """Where all of them are listed."""
        return reverse(f"admin:{self.prefix}_changelist")

    def _crumbs(self, owner: StackOwner | None = None) -> Sequence[Crumb]:
        crumbs: list[Crumb] = [(self.plural[:1].upper() + self.plural[1:], self.list_address)]
        if owner is not None:
            crumbs.append((str(owner.row), owner.address("change")))
        return crumbs

    def edit(self, request: HttpRequest, owner: StackOwner) -> HttpResponse:
        """The editor."""
        return Editor(request, owner, self._crumbs()).answer()

    def revisions(self, request: HttpRequest, owner: StackOwner) -> HttpResponse:
        """Every revision, newest first."""
        found = owner.revisions().select_related("author").defer("document")
        return page(
            request,
            "console/revisions.html",
            _("Revisions"),
            self._crumbs(owner),
            owner=owner,
            revisions=found,
        )

    def compare(self, request: HttpRequest, owner: StackOwner, number: int) -> HttpResponse:
        """A revision beside the draft, or beside the one before it (`?with=previous`)."""
        revision = owner.revision(number)
        if request.GET.get("with") == "previous":
            previous = owner.revisions().filter(number__lt=number).first()
            old = owner.spell(previous.document) if previous is not None else ""
            lines = differences(
                old, owner.spell(revision.document), "the version before", f"version {number}"
            )
        else:
            lines = differences(
                owner.spell(revision.document), owner.spell(owner.row.draft), f"version {number}", "the draft"
            )
        return page(
            request,
            "console/compare.html",
            _("Version {number}").format(number=number),
            [*self._crumbs(owner), ("Revisions", owner.address("revisions"))],
            owner=owner,
            revision=revision,
            lines=lines,
            with_previous=request.GET.get("with") == "previous",
            compare_url=owner.address("compare", number),
            restore_url=owner.address("restore", number),
        )

    def restore(self, request: HttpRequest, owner: StackOwner, number: int) -> HttpResponse:
        """Ask, then make a revision the draft again."""
        revision = owner.revision(number)

        def deed() -> None:
            owner.restore(revision, request.user)
            sketches.forget_text(owner)

        return confirmed(
            request,
            deed,
            title=_("Restore version {number}").format(number=number),
            warning=_(
                "The draft is replaced with version {number}. What is live stays live until you publish."
            ).format(number=number),
            action=_("Yes, replace the draft"),
            done=_("Version {number} is the draft now. Publish it to make it live.").format(number=number),
            back=owner.address("compare", number),
            after=owner.address("change"),
            crumbs=self._crumbs(owner),
        )

    def delete(self, request: HttpRequest, owner: StackOwner) -> HttpResponse:
        """Ask, then take the owner away with its revisions."""

        def deed() -> None:
            kind, pk = owner.kind, owner.row.pk
            owner.delete()
            sketches.forget(kind, pk)
            sample_inputs.forget(kind, pk)

        return confirmed(
            request,
            deed,
            title=_("Delete {owner}").format(owner=owner.row),
            warning=_("The {kind} and its revisions are deleted. {after_deletion}").format(
                kind=owner.kind, after_deletion=owner.after_deletion
            ),
            action=_("Yes, delete this {kind}").format(kind=owner.kind),
            done=_("The {kind} {owner} is deleted.").format(kind=owner.kind, owner=owner.row),
            back=owner.address("change"),
            after=self.list_address,
            crumbs=self._crumbs(owner),
        )
