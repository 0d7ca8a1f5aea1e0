"""The two sets of records that a workspace may have: live data, and test data of the same tables."""

from __future__ import annotations

from .errors import Problem, did_you_mean

LIVE, TEST = "live", "test"
SOURCES = (LIVE, TEST)
HEADER = "HTTP_X_DATA_SOURCE"
"""The request's header `X-Data-Source`, as WSGI has it."""


def read_source(text: object) -> str:
    """A data source as somebody names it; nothing is live data. Problem `INVALID_INPUT` for any other name."""
    if text is None or text == "":
        return LIVE
    if text not in SOURCES:
        shown = text[:40] if isinstance(text, str) else type(text).__name__
        hint = did_you_mean(shown, SOURCES)
        raise Problem(
            "INVALID_INPUT", f'There is no data source "{shown}".{hint}', suggestion="Use live or test."
        )
    return str(text)


def no_test_data() -> Problem:
    """400: the workspace has live data only."""
    return Problem(
        "INVALID_INPUT",
        "This workspace has no test data.",
        suggestion="Make it in the console, by POST /api:meta/workspaces/<name>/test-data, or with manage.py testdata.",
    )
