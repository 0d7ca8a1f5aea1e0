"""Files in the console: what is kept, a way to add one, to look at one and to remove it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stackyard.core import vault
from stackyard.core.errors import Problem
from stackyard.core.limits import LINK_SECONDS
from stackyard.core.models import StoredFile, Workspace
from stackyard.core.vault.keeping import ACCESS, KINDS

from .chosen_workspace import InWorkspace, SightField
from .pages import confirmed, page
from .problems import add_to_form

PREVIEW_BYTES = 2_000_000
"""Larger pictures are not loaded into the list."""


class FileForm(forms.Form):
    """A file to keep."""

    workspace = SightField(Workspace.objects.all(), empty_label=None)
    file = forms.FileField(help_text="At most 10 MB here; larger ones go through an endpoint of your own.")
    kind = forms.ChoiceField(choices=[(kind, kind.capitalize()) for kind in KINDS])
    access = forms.ChoiceField(
        choices=[(access, access.capitalize()) for access in ACCESS],
        help_text="Public: whoever has its address may open it. Private: only by a link that ends.",
    )

    def create(self, author: Any) -> StoredFile | None:
        """The file kept; None when the form (which then says why) was refused."""
        if not self.is_valid():
            return None
        given = self.cleaned_data
        try:
            return vault.create(
                given["workspace"].pk,
                vault.Upload(given["file"]),
                kind=given["kind"],
                access=given["access"],
                creator=f"builder:{author.pk}",
            )
        except Problem as problem:
            add_to_form(self, problem, "file")
            return None


class StoredFileAdmin(InWorkspace):
    """The list of files. A name opens the file, private ones through a link of five minutes."""

    show_facets = admin.ShowFacets.NEVER
    list_display = ("opened", "kind", "mime", "length", "access", "workspace", "created_at", "deeds")
    list_display_links = None
    list_filter = ("workspace", "kind", "access")
    search_fields = ("name",)
    list_select_related = ("workspace",)
    list_per_page = 50
    actions = None
    empty_text = (
        "Files come in through endpoints (the blueprint Upload content), stacks and lambdas, or here."
    )

    def get_list_display(self, request: HttpRequest) -> Any:
        """The deeds are for who may do them."""
        deeds = self.has_delete_permission(request)
        return self.list_display if deeds else [one for one in self.list_display if one != "deeds"]

    @admin.display(description="Name", ordering="name")
    def opened(self, file: StoredFile) -> str:
        """A link to the file."""
        url = vault.signed_url(file, 300) if file.access == "private" else vault.as_json(file)["url"]
        # From where the console is: its pages show pictures of no other place.
        here = urlsplit(url)._replace(scheme="", netloc="").geturl()
        preview: Any = ""
        if "width" in file.meta and file.size <= PREVIEW_BYTES:
            preview = format_html('<img src="{}" alt="" class="preview" loading="lazy">', here)
        return format_html('<a href="{}" target="_blank" rel="noopener">{}{}</a>', here, preview, file.name)

    @admin.display(description="Size", ordering="size")
    def length(self, file: StoredFile) -> str:
        """Bytes for people, and how large a picture is."""
        measures = f", {file.meta['width']} x {file.meta['height']}" if "width" in file.meta else ""
        return f"{filesizeformat(file.size)}{measures}"

    @admin.display(description=gettext_lazy("Deeds"))
    def deeds(self, file: StoredFile) -> str:
        """A link to give away is copied, and one leads to the question whether to delete it."""
        link = vault.as_json(file)["url"] or vault.signed_url(file)
        return format_html(
            '<span class="file-deeds"><code id="link-{0}" hidden>{1}</code><button type="button" class="button" '
            'data-copy="link-{0}" aria-label="{2}" title="{3}" hidden>{4}</button><a href="{5}">{6}</a></span>',
            file.pk,
            link,
            _("Copy a link to {name}").format(name=file.name),
            _("Whoever has it may open the file.") if file.access == "public" else _ends_in(),
            _("Copy a link"),
            reverse("admin:core_storedfile_remove", args=[file.pk]),
            _("Delete"),
        )

    def get_urls(self) -> list[URLPattern]:
        """The list, adding, and removing."""
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(self.changelist_view), name="core_storedfile_changelist"),
            path("add/", wrap(self.add_view), name="core_storedfile_add"),
            path("<int:pk>/delete/", wrap(self.remove), name="core_storedfile_remove"),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Keep a file."""
        if not self.has_add_permission(request):
            return HttpResponse("You may not add files.", status=403)
        form = FileForm(request.POST or None, request.FILES or None)
        if request.method == "POST":
            made = form.create(request.user)
            if made is not None:
                messages.success(request, f"{made.name} is kept.")
                return HttpResponseRedirect(reverse("admin:core_storedfile_changelist"))
        crumbs = [("Files", reverse("admin:core_storedfile_changelist"))]
        return page(request, "console/form.html", "New file", crumbs, form=form, action="Keep the file")

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and delete a file (POST)."""
        back = reverse("admin:core_storedfile_changelist")
        file = StoredFile.objects.filter(pk=pk).first()
        if file is None:
            messages.error(request, "This file is gone already.")
            return HttpResponseRedirect(back)
        if not self.has_delete_permission(request, file):
            return HttpResponse("You may not delete files.", status=403)
        return confirmed(
            request,
            lambda: vault.delete(file),
            title=f"Delete {file.name}?",
            warning="Records that hold this file keep its name and address, but nothing is there any more.",
            action="Delete the file",
            done=f"{file.name} is deleted.",
            back=back,
            after=back,
            crumbs=[("Files", back)],
        )


def _ends_in() -> str:
    minutes = LINK_SECONDS.default // 60
    return _("Whoever has it may open the file for {minutes} minutes.").format(minutes=minutes)
