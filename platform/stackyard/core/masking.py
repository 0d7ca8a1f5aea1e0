"""What was secret is hidden by value wherever it stands in what is stored or shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

from .jsonout import encode
from .secrets import MASK, Secret
from .version import Current

_KEY = re.compile(r"sy_[A-Za-z0-9_-]{49}|(?:s[or]|ot)_[A-Za-z0-9_-]{43}")
"""API keys, the access and refresh tokens of OAuth, and one-time tokens."""
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")
_SHORTEST = 4
"""Shorter texts stand in everything; replacing them would hide what was never secret."""
_SHORTEST_LINE = 16
"""A line of a longer secret, such as a private key, that shows by itself when a value is printed line by line."""


class Masker:
    """Hides these texts by value: as they are, and as URLs and JSON spell them; and whatever looks like one of our keys or tokens."""

    __slots__ = ("_forms", "_pattern")

    def __init__(self, secrets: Iterable[str]) -> None:
        forms: set[str] = set()
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                forms |= {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), _in_json(secret)}
                lines = [line.strip() for line in secret.splitlines()]
                forms |= {line for line in lines if len(line) >= _SHORTEST_LINE}
        self._forms = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._forms))) if forms else None

    def finds(self, text: str) -> bool:
        """Whether there is anything to hide in a text."""
        return any(form in text for form in self._forms) or _hide_by_form(text) != text

    def hide(self, text: str) -> str:
        """The text with everything that is to be hidden replaced."""
        # Most texts hold none: looking for each is many times as fast as the pattern of all.
        if self._pattern is not None and any(form in text for form in self._forms):
            text = self._pattern.sub(MASK, text)
        return _hide_by_form(text)

    def hide_in(self, value: Any) -> Any:
        """A JSON value with its texts, keys and numbers hidden; the very value when there is nothing to hide."""
        return self._hide_in(value) if self.finds(encode(value).decode()) else value

    def _hide_in(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, dict):
            return {self._hide_in(key): self._hide_in(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self._hide_in(part) for part in value]
        if isinstance(value, int | float) and not isinstance(value, bool) and self.finds(str(value)):
            return MASK
        return value


def _in_json(text: str) -> str:
    return encode(text)[1:-1].decode()


def _none_yet() -> dict[int, Masker]:
    return {}


_maskers: Current[dict[int, Masker]] = Current(_none_yet)
"""Emptied whenever the installation's version moves, filled one workspace at a time."""


def masker_of(workspace_id: int) -> Masker:
    """Hides the workspace's secrets as they are at the present version."""
    held = _maskers.get()
    masker = held.get(workspace_id)
    if masker is None:
        from .models import Variable

        rows = Variable.objects.filter(workspace_id=workspace_id, is_secret=True)
        values = [row.value for row in rows]
        masker = Masker(value.reveal() for value in values if isinstance(value, Secret))
        held[workspace_id] = masker
    return masker


def _hide_by_form(text: str) -> str:
    """Keys and tokens are known by their form, whoever's they are."""
    if "sy_" in text or "so_" in text or "sr_" in text or "ot_" in text:
        text = _KEY.sub(MASK, text)
    return _TOKEN.sub(MASK, text) if "eyJ" in text else text
