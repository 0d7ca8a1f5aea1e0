"""The Team page: who works in the workspace as what, who is invited, and how to change both."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from auth import second_factor, team
from auth.models import Invitation, Membership, User
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace

from .chosen_workspace import chosen_workspace
from .pages import confirmed, page
from .problems import add_to_form, sentence


class InviteForm(forms.Form):
    """Whom, and as what."""

    email = forms.CharField(
        max_length=254, label=gettext_lazy("E-mail"), widget=forms.EmailInput(attrs={"class": "vTextField"})
    )
    role = forms.ChoiceField(
        choices=Membership.ROLES,
        initial=Membership.BUILDER,
        label=gettext_lazy("Role"),
        help_text=gettext_lazy(
            "Viewers look at everything and change nothing. Builders build. Owners also see to people, keys and settings."
        ),
    )


def team_page(request: HttpRequest) -> HttpResponse:
    """Members, invitations, and the form to invite; `POST do=invite|role|withdraw`."""
    workspace = chosen_workspace(request)
    if workspace is None:
        return page(request, "console/team.html", _("Team"), [], owners=_owners(), may_manage_accounts=True)
    form = InviteForm(request.POST if request.POST.get("do") == "invite" else None)
    link = None
    if request.method == "POST":
        try:
            link = _deed(request, workspace, form)
            if link is None and not form.errors:
                return HttpResponseRedirect(reverse("admin:team"))
        except Problem as problem:
            if form.is_bound:
                add_to_form(form, problem)
            else:
                messages.error(request, _("Not done: {problem}").format(problem=sentence(problem)))
                return HttpResponseRedirect(reverse("admin:team"))
    if link is not None:
        form = InviteForm()
    return page(
        request,
        "console/team.html",
        _("Team"),
        [],
        workspace=workspace,
        form=form,
        link=link,
        members=team.members_of(workspace),
        owners=_owners(),
        invitations=team.open_invitations(workspace),
        roles=Membership.ROLES,
        now=timezone.now(),
        may_manage_accounts=request.user.is_superuser,  # type: ignore[union-attr]
    )


def _deed(request: HttpRequest, workspace: Workspace, form: InviteForm) -> str | None:
    """Do what was asked; the link of a new invitation, which is shown this once."""
    do = request.POST.get("do")
    if do == "invite":
        if not form.is_valid():
            return None
        given = form.cleaned_data
        made, link = team.invite(workspace, given["email"], given["role"], request.user)  # type: ignore[arg-type]
        messages.success(request, _("The invitation is sent to {email}.").format(email=made.email))
        return link
    if do == "role":
        membership = _member(workspace, request.POST.get("member", ""))
        team.change_role(membership, request.POST.get("role", ""))
        messages.success(
            request,
            _("{email} is {role} now.").format(email=membership.user, role=membership.get_role_display()),
        )
    elif do == "withdraw":
        pk = request.POST.get("invitation", "")
        open_ones = Invitation.objects.filter(workspace=workspace, accepted_at=None)
        for invitation in open_ones.filter(pk=pk) if pk.isascii() and pk.isdecimal() else ():
            team.withdraw(invitation)
            messages.success(request, _("The invitation is withdrawn: its link opens nothing."))
    return None


def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then take somebody out of the workspace."""
    membership = _member(_workspace(request), str(pk))
    return confirmed(
        request,
        lambda: team.remove(membership),
        title=_("Remove {email}").format(email=membership.user),
        warning=_("{email} sees nothing of {workspace} from the next request on.").format(
            email=membership.user, workspace=membership.workspace
        ),
        action=_("Yes, remove"),
        done=_("{email} is removed.").format(email=membership.user),
        back=reverse("admin:team"),
        after=reverse("admin:team"),
        crumbs=[(_("Team"), reverse("admin:team"))],
    )


def reset_code(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then turn off somebody's second factor: for owners of the installation, since an account is for all workspaces."""
    account = User.objects.filter(pk=pk, workspace=None).first()
    if account is None or not request.user.is_superuser:  # type: ignore[union-attr]
        raise Http404
    return confirmed(
        request,
        lambda: second_factor.turn_off(account),
        title=_("Reset two-factor sign-in of {email}").format(email=account),
        warning=_("{email} signs in with the password alone until it is set up again.").format(email=account),
        action=_("Yes, reset"),
        done=_("Two-factor sign-in of {email} is off.").format(email=account),
        back=reverse("admin:team"),
        after=reverse("admin:team"),
        crumbs=[(_("Team"), reverse("admin:team"))],
    )


def _workspace(request: HttpRequest) -> Workspace:
    workspace = chosen_workspace(request)
    if workspace is None:
        raise Http404
    return workspace


def _member(workspace: Workspace, pk: str) -> Membership:
    known = Membership.objects.filter(workspace=workspace).select_related("user", "workspace")
    found = known.filter(pk=pk).first() if pk.isascii() and pk.isdecimal() else None
    if found is None:
        raise Http404
    return found


def _owners() -> list[Any]:
    people = User.objects.filter(is_superuser=True, is_active=True, workspace=None)
    return list(people.select_related("second_factor").order_by("email"))
