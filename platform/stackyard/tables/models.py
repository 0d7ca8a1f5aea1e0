"""The catalogue: which tables, fields and indexes a workspace has. The records live in SQL tables of their own.

Physical names come from ids, never from text a person gave: table `d<id>`, column `c<id>`, index `x<id>`. Where the
workspace has test data, each table has a second SQL table, `d<id>_t`, with the same columns and indexes of its own.
Ids are never used twice, so an old compiled statement can never read the wrong column.
"""

from __future__ import annotations

import copy

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from stackyard.core.audit.audited import Audited
from stackyard.core.data_source import LIVE, TEST
from stackyard.core.documents import DocumentField
from stackyard.core.models import Workspace

name_validator = RegexValidator(
    r"^[A-Za-z_][A-Za-z0-9_]{0,62}\Z",
    "Use letters, digits and _, not beginning with a digit, at most 63 characters.",
)


class Table(Audited):
    """A user-made table. `hidden_at` is set when it was dropped: gone at once for people, its SQL table later."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="tables")
    name = models.CharField(max_length=63, validators=[name_validator])
    description = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    hidden_at = models.DateTimeField(null=True, blank=True, editable=False)

    audit_kind = "table"
    source = LIVE
    """Which of its SQL tables this object stands for; no column."""

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                "workspace", Lower("name"), condition=models.Q(hidden_at=None), name="table_name_unique"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def physical(self) -> str:
        """The SQL table's name."""
        return f"d{self.pk}" if self.source == LIVE else f"d{self.pk}_t"

    def of(self, source: str) -> Table:
        """The same table with the records of a data source."""
        if source == self.source:
            return self
        twin = copy.copy(self)
        twin.source = source
        return twin

    def each_source(self) -> list[Table]:
        """The table once for each SQL table that it has; a change of it is a change of them all."""
        # Asked anew: this object may be older than the workspace's test data.
        has_test = Workspace.objects.filter(pk=self.workspace_id, has_test_data=True).exists()
        return [self.of(LIVE), self.of(TEST)] if has_test else [self.of(LIVE)]


class Field(Audited):
    """A field of a table. `options` are the field type's own (max_length, values, table, of …), by name."""

    table = models.ForeignKey(Table, models.CASCADE, related_name="fields")
    name = models.CharField(max_length=63, validators=[name_validator])
    type = models.CharField(max_length=32)
    description = models.TextField(blank=True, default="")
    required = models.BooleanField(default=False)
    default = DocumentField(null=True, blank=True, default=None)
    access = models.CharField(
        max_length=8,
        default="public",
        choices=[("public", "Public"), ("private", "Private"), ("internal", "Internal")],
    )
    options = DocumentField(default=dict, blank=True)
    position = models.PositiveIntegerField(default=0)
    hidden_at = models.DateTimeField(null=True, blank=True, editable=False)
    emptied_at = models.DateTimeField(null=True, editable=False)
    column = models.BigIntegerField(
        null=True, editable=False, help_text="The number of its SQL column, where that is not its id."
    )

    audit_kind = "field"
    audit_ignored = frozenset({"column", "emptied_at"})

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                "table", Lower("name"), condition=models.Q(hidden_at=None), name="field_name_unique"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def audit_name(self) -> str:
        """With its table's."""
        return f"{self.table.name}.{self.name}"

    def audit_workspace(self) -> int | None:
        """Its table's."""
        return self.table.workspace_id

    @property
    def physical(self) -> str:
        """The SQL column's name: by its own id until it is converted, then by that of its former shadow."""
        return f"c{self.column or self.pk}"


class Index(Audited):
    """A btree index. `fields` is `[{"field": <id>, "descending": bool}]`; `unique` refuses doubles (nulls are distinct).

    Until `built_at` is set it serves nobody; on a large table the run `run_id` builds it.
    """

    table = models.ForeignKey(Table, models.CASCADE, related_name="indexes")
    fields = models.JSONField(default=list)
    unique = models.BooleanField(default=False)
    built_at = models.DateTimeField(null=True, blank=True, editable=False)
    run_id = models.UUIDField(null=True, editable=False)
    hidden_at = models.DateTimeField(null=True, blank=True, editable=False)

    audit_kind = "index"
    audit_ignored = frozenset({"built_at", "run_id"})

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "indexes"

    def __str__(self) -> str:
        return self.physical

    def audit_name(self) -> str:
        """With its table's, and what it is over."""
        over = [part["field"] for part in self.fields]
        own = [one for one in over if isinstance(one, int)]  # else one that every table has
        names = dict(Field.objects.filter(pk__in=own).values_list("pk", "name"))
        return f"{self.table.name} ({', '.join(names.get(one, str(one)) for one in over)})"

    def audit_workspace(self) -> int | None:
        """Its table's."""
        return self.table.workspace_id

    @property
    def physical(self) -> str:
        """The SQL index's name."""
        return f"x{self.pk}"


class Conversion(models.Model):
    """A field on its way to another type: `shadow` holds the new column, and after the switch the old one.

    `wanted` is the field as it will be, `indexes` are pairs of ids (there now, built for the new column).
    """

    CONVERTING, SWITCHED, UNDONE = "converting", "switched", "undone"

    field = models.ForeignKey(Field, models.CASCADE, related_name="conversions")
    shadow = models.OneToOneField(Field, models.CASCADE, related_name="conversion")
    wanted = DocumentField()
    on_bad = models.CharField(
        max_length=8,
        default="refuse",
        choices=[
            ("refuse", "Refuse the change"),
            ("null", "Leave them empty"),
            ("default", "Take the default"),
        ],
    )
    indexes = models.JSONField(default=list)
    state = models.CharField(max_length=12, default=CONVERTING)
    run_id = models.UUIDField(null=True)
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["field"], condition=models.Q(state="converting"), name="conversion_one_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.field} {self.state}"
