"""The admin site under our name: its order, its home page, its pages beyond the models."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse

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
        if admin_class is not None and not admin_class.__module__.startswith("stackyard."):
            return
        models = model_or_iterable if isinstance(model_or_iterable, list | tuple) else [model_or_iterable]
        super().register([model for model in models if menu.has_page(model)], admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Whoever has a role in some workspace; which page is for whom says `gate.py`."""
        from auth import roles

        user: Any = request.user
        return roles.is_person(user) and (user.is_superuser or bool(roles.roles_of(user)))

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Every page behind sign-in, CSRF, and the gate."""
        from .gate import guarded

        return super().admin_view(guarded(view), cacheable)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The first step of signing in: address and password."""
        from .signing_in import SignIn

        if request.method == "GET" and self.has_permission(request):
            return redirect("admin:index")
        shown = {**self.each_context(request), **(extra_context or {})}
        answer: Any = SignIn.as_view(extra_context=shown)(request)
        return answer  # type: ignore[no-any-return]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Nothing: the console has a menu of its own (`menu.py`)."""
        return []

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """The pages that belong to no model, what the visual editor asks for, then the admin's."""
        from . import (
            alerts,
            audit,
            chosen_source,
            chosen_workspace,
            docs_page,
            joining,
            palette_pages,
            performance,
            settings_page,
            signing_in,
            team,
            two_factor,
        )
        from .finder import find
        from .labels import translate_labels

        translate_labels(self)
        return [
            path("find/", self.admin_view(find), name="find"),
            path("workspace/", self.admin_view(chosen_workspace.choose), name="choose_workspace"),
            path("data-source/", self.admin_view(chosen_source.choose), name="choose_source"),
            path("test-data/", self.admin_view(chosen_source.test_data_page), name="test_data"),
            path("test-data/empty/", self.admin_view(chosen_source.empty_page), name="empty_test_data"),
            path("test-data/remove/", self.admin_view(chosen_source.remove_page), name="remove_test_data"),
            path("docs/", self.admin_view(docs_page.docs), name="docs"),
            path("docs/<int:pk>/", self.admin_view(docs_page.group_docs), name="group_docs"),
            path("performance/", self.admin_view(performance.performance), name="performance"),
            path("settings/", self.admin_view(settings_page.settings_page), name="settings"),
            *alerts.urls(self.admin_view),
            *audit.urls(self.admin_view),
            path("code/", signing_in.prove, name="prove"),
            path("join/<str:token>/", joining.join_page, name="join"),
            path("two-factor/", self.admin_view(two_factor.two_factor), name="two_factor"),
            path("team/", self.admin_view(team.team_page), name="team"),
            path("team/<int:pk>/remove/", self.admin_view(team.remove), name="team_remove"),
            path("team/<int:pk>/reset-code/", self.admin_view(team.reset_code), name="team_reset_code"),
            *palette_pages.urls(self.admin_view),
            *super().get_urls(),
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What the frame needs on every page."""
        shown = {**super().each_context(request), "words_url": words.address()}
        if shown["has_permission"]:
            from . import chosen_source, chosen_workspace

            shown["palette"] = {"url": reverse("admin:find")}
            from .gate import may_open

            shown["menu"] = menu.menu(request.path, lambda address: may_open(request, address))
            shown["here"] = menu.current(shown["menu"])
            shown["workspaces"] = chosen_workspace.all_workspaces(request)
            shown["chosen_workspace"] = chosen_workspace.chosen_workspace(request)
            shown.update(chosen_source.shown_source(request))
        return shown

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The home page: first steps until they are done, then what is there and what happened."""
        from .home import overview

        return super().index(request, {**overview(request), **(extra_context or {})})

    def app_index(  # type: ignore[override]
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The console is not divided by app: an app's page is the home page."""
        return redirect("admin:index")


class ConsoleAdminConfig(AdminConfig):
    """Makes ConsoleSite the default admin site."""

    default_site = "stackyard.console.site.ConsoleSite"
