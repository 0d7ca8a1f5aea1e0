"""The admin site under our name: its order, its home page, its pages beyond the models."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from . import menu, words


class ConsoleSite(AdminSite):
    """The Django admin as the console."""

    site_header = "Stackyard"
    site_title = "Stackyard"
    index_title = "Home"
    site_url = None
    empty_value_display = "\N{EN DASH}"
    # Our own menu stands in templates/admin/base_site.html; the admin's collapsing one is not loaded.
    enable_nav_sidebar = False

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Give models a page, if they stand in the menu.

        Other packages register models by themselves (groups, periodic tasks …); forms over those would
        go past the one door that Stackyard has to the same thing.
        """
        models = model_or_iterable if isinstance(model_or_iterable, list | tuple) else [model_or_iterable]
        super().register([model for model in models if menu.has_page(model)], admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Owners only, until there are roles."""
        user = request.user
        return user.is_active and user.is_staff and user.is_superuser  # type: ignore[union-attr]

    def get_urls(self) -> list[Any]:
        """The admin's pages, and what the visual editor asks for."""
        from . import palette_pages

        return [*palette_pages.urls(self.admin_view), *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The menu: sections in the console's order instead of one per app."""
        return menu.arrange(self._build_app_dict(request), reverse("admin:index", current_app=self.name))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What the frame needs on every page."""
        return {**super().each_context(request), "words_url": words.address()}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The home page: first steps until they are done, then what is there and what happened."""
        from .home import overview

        return super().index(request, {**overview(), **(extra_context or {})})

    def app_index(  # type: ignore[override]
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The console is not divided by app: an app's page is the home page."""
        return redirect("admin:index")


class ConsoleAdminConfig(AdminConfig):
    """Makes ConsoleSite the default admin site."""

    default_site = "stackyard.console.site.ConsoleSite"
