"""The people of the console."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, ReadOnlyPasswordHashField
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from auth.models import User

from .problems import ProblemsOnForm


class NewUserForm(AdminUserCreationForm):
    """An account with its e-mail and first password."""

    class Meta:
        model = User
        fields = ("email",)
        field_classes = {"email": forms.EmailField}

    def clean_email(self) -> str:
        """Addresses are kept in lower case; one account each."""
        email: str = self.cleaned_data["email"].lower()
        if User.objects.filter(email=email).exists():
            raise forms.ValidationError(_("There is an account with this e-mail already."))
        return email


class UserForm(forms.ModelForm):
    """An account; nobody can lock out the last owner."""

    # What is kept of a password is neither shown nor typed; another one is set on a page of its own.
    password = ReadOnlyPasswordHashField(label=gettext_lazy("Password"))

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name", "is_active", "is_superuser")

    def clean_email(self) -> str:
        """Addresses are kept in lower case."""
        email: str = self.cleaned_data["email"].lower()
        return email

    def clean(self) -> dict[str, Any]:
        """Refuse to take the rights of the only active owner."""
        cleaned: dict[str, Any] = super().clean() or {}
        stays_owner = cleaned.get("is_active") and cleaned.get("is_superuser")
        others = User.objects.filter(is_active=True, is_superuser=True).exclude(pk=self.instance.pk)
        if not stays_owner and not others.exists():
            raise forms.ValidationError(_("This is the only active owner: make another owner first."))
        return cleaned


class PeopleAdmin(ProblemsOnForm, UserAdmin):
    """Accounts by e-mail: the owners of the installation, and those who have joined a workspace (the Team page)."""

    form = UserForm
    add_form = NewUserForm
    ordering = ("email",)
    show_facets = admin.ShowFacets.NEVER
    list_display = ("email", "first_name", "last_name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("email", "first_name", "last_name")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "password", "first_name", "last_name")}),
        (gettext_lazy("Rights"), {"fields": ("is_active", "is_superuser")}),
        (gettext_lazy("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """People of the console; shadow accounts of records are none."""
        return super().get_queryset(request).filter(workspace=None)  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        """A new account begins as an owner: others come by an invitation. Who may sign in already stays so."""
        if not change:
            obj.is_superuser = True
        obj.is_staff = obj.is_staff or obj.is_superuser
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Accounts are switched off, not deleted: revisions and keys name their author."""
        return False
