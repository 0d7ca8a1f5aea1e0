"""docs/security.md shows the authorization matrix that is tested."""

from __future__ import annotations

from tests.matrix_page import PAGE, page


def test_the_matrix_of_the_page_is_the_one_that_is_tested() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.matrix_page"
