"""Documents come back as they were stored, on both databases."""

from __future__ import annotations

import pytest

from stackyard.core.models import Workspace
from stackyard.stacks.models import Function

DOCUMENTS = [
    {"zeta": 1, "a": {"bb": 1, "b": [], "aaa": None}, "é": "ü"},
    "5",
    5,
    [True, 1, 1.5, "x"],
    "",
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_keeps_the_order_of_its_keys_and_the_kinds_of_its_values(workspace: Workspace, document):
    made = Function.objects.create(workspace=workspace, name="f", draft=document)
    read = Function.objects.get(pk=made.pk).draft
    assert repr(read) == repr(document)
    assert list(Function.objects.values_list("draft", flat=True)) == [document]
