"""Live or test data: chosen in the menu, kept in the session, heeded by records, trials, imports and exports; and its page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from stackyard.core.data_source import LIVE, TEST
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from stackyard.core.principal import Principal
from stackyard.tables import test_data

from .chosen_workspace import all_workspaces, chosen_workspace
from .pages import confirmed, page
from .problems import sentence

_KEY = "data_source"


def wants_test(request: HttpRequest) -> bool:
    """Whether the person has switched to test data, wherever there is some."""
    return request.session.get(_KEY) == TEST


def source_of(request: HttpRequest, workspace: Workspace) -> str:
    """The data that the console works on in a workspace; live data where there is no other."""
    return TEST if workspace.has_test_data and wants_test(request) else LIVE


def shown_source(request: HttpRequest) -> dict[str, Any]:
    """What the frame of every page says of it."""
    chosen = chosen_workspace(request)
    some = [chosen] if chosen is not None else all_workspaces(request)
    has_test = any(one.has_test_data for one in some)
    return {"has_test_data": has_test, "on_test_data": has_test and wants_test(request)}


def choose(request: HttpRequest) -> HttpResponse:
    """`POST source=live|test`, then back to the page it was asked from."""
    if request.method == "POST":
        request.session[_KEY] = TEST if request.POST.get("source") == TEST else LIVE
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    return HttpResponseRedirect(back if is_ours else reverse("admin:index"))


def test_data_page(request: HttpRequest) -> HttpResponse:
    """The chosen workspace's test data: make it, fill it from the live records."""
    workspace = chosen_workspace(request)
    if workspace is not None and request.method == "POST":
        deed = {"make": _make, "copy": _copy}.get(request.POST.get("deed", ""))
        if deed is not None:
            return _done(request, workspace, deed)
    return page(
        request,
        "console/test_data.html",
        _("Test data"),
        [],
        workspace=workspace,
        others=all_workspaces(request),
    )


def _done(
    request: HttpRequest, workspace: Workspace, deed: Callable[..., HttpResponse | None]
) -> HttpResponse:
    try:
        other = deed(request, workspace)
    except Problem as problem:
        messages.error(request, _("Not done: {problem}").format(problem=sentence(problem)))
        other = None
    return other or HttpResponseRedirect(reverse("admin:test_data"))


def _make(request: HttpRequest, workspace: Workspace) -> None:
    test_data.make(workspace)
    request.session[_KEY] = TEST
    messages.success(request, _("There is test data now, empty at first, and the console works on it."))


def _copy(request: HttpRequest, workspace: Workspace) -> HttpResponse | None:
    return _told(request, test_data.copy, workspace, _("The live records are copied."))


def _told(request: HttpRequest, deed: Any, workspace: Workspace, done: str) -> HttpResponse | None:
    """Done at once, or the page of the run that does it."""
    user: Any = request.user
    principal = Principal("builder", user.pk, workspace.pk, frozenset({"*"}), label=str(user))
    run = deed(workspace, principal=principal, trigger="console")
    if run is not None:
        return HttpResponseRedirect(reverse("admin:runs_run_change", args=[run.pk]))
    messages.success(request, done)
    return None


def empty_page(request: HttpRequest) -> HttpResponse:
    """Ask, then delete the test records."""
    return _asked(
        request,
        lambda workspace: test_data.empty(workspace, trigger="console"),
        title=_("Empty the test data"),
        warning=_("All test records of {name} are deleted. Live records stay as they are."),
        action=_("Yes, delete the test records"),
        done=_("The test data is emptied, or a run is at it."),
    )


def remove_page(request: HttpRequest) -> HttpResponse:
    """Ask, then take the test data away."""
    return _asked(
        request,
        test_data.remove,
        title=_("Remove the test data"),
        warning=_(
            "The test data of {name} is taken away with all its records. Live records stay as they are."
        ),
        action=_("Yes, remove the test data"),
        done=_("There is no test data any more."),
    )


def _asked(
    request: HttpRequest,
    deed: Callable[[Workspace], Any],
    *,
    title: str,
    warning: str,
    action: str,
    done: str,
) -> HttpResponse:
    back, workspace = reverse("admin:test_data"), chosen_workspace(request)
    if workspace is None:
        return HttpResponseRedirect(back)
    return confirmed(
        request,
        lambda: deed(workspace),
        title=title,
        warning=warning.format(name=workspace.name),
        action=action,
        done=done,
        back=back,
        after=back,
        crumbs=[(_("Test data"), back)],
    )
