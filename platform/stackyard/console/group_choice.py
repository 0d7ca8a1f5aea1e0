"""The group a new endpoint goes to: one of the workspace, or the first one, made along so that nobody has to begin there."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from endpoints.groups import first_group
from endpoints.models import ApiGroup
from stackyard.core.models import Workspace
from stackyard.tables.models import Table

from .chosen_workspace import SightField


class GroupField(SightField):
    """A group with its workspace."""

    def label_from_instance(self, obj: Any) -> str:
        """Workspace, group, address."""
        return (
            f"{obj.workspace} · {obj.name} (/api/{obj.mount})"
            if obj.mount
            else f"{obj.workspace} · {obj.name}"
        )


class TableField(SightField):
    """A table with its workspace."""

    def label_from_instance(self, obj: Any) -> str:
        """Workspace and table."""
        return f"{obj.workspace} · {obj.name}"


class InGroup(forms.Form):
    """A form that makes endpoints in a group, of tables of the same workspace.

    `workspace` narrows both to the chosen one; where it has no group yet, the first is made with the endpoints.
    """

    group = GroupField(ApiGroup.objects.select_related("workspace"), empty_label=None, label=_("API group"))

    def __init__(self, *args: Any, workspace: Workspace | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workspace = workspace
        if workspace is not None:
            self._narrow(workspace)

    @property
    def has_place(self) -> bool:
        """Whether there is a group to choose, or a workspace to make the first one in."""
        return self.workspace is not None or ApiGroup.objects.exists()

    def _narrow(self, workspace: Workspace) -> None:
        groups: Any = self.fields["group"]
        groups.queryset = groups.queryset.filter(workspace=workspace)
        if not groups.queryset.exists():
            groups.required = False
            groups.empty_label = gettext("A new one: {name}").format(name=workspace.name)
        if "table" in self.fields:
            tables: Any = self.fields["table"]
            tables.queryset = tables.queryset.filter(workspace=workspace)

    def clean(self) -> dict[str, Any]:
        """Group and table belong together."""
        given = super().clean() or {}
        table, group = given.get("table"), given.get("group")
        if isinstance(table, Table) and group is not None and group.workspace_id != table.workspace_id:
            self.add_error("table", _("Choose a table of the group's workspace."))
        return given

    def chosen_group(self) -> ApiGroup:
        """The group of a valid form, made now when the workspace had none."""
        group: ApiGroup | None = self.cleaned_data.get("group")
        if group is not None:
            return group
        assert self.workspace is not None  # only then may the field stay empty
        return first_group(self.workspace)
