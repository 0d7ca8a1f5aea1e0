import pytest

from stackyard.core import version
from stackyard.core.models import Workspace


@pytest.mark.django_db(databases=["default", "history"])
def test_bump():
    w = Workspace.objects.create(name="shop")
    before = version.current()
    version.bump(w.pk)
    assert version.current() != before
