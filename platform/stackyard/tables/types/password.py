"""Passwords: taken, hashed, and never given out again."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import check_password, make_password

from stackyard.core.types import TEXT as TEXT_VALUE
from stackyard.core.types import Type
from stackyard.tables.field_type import Convert, FieldType, Option, Refused, refuse, unexpected
from stackyard.tables.types.text import check_characters

LONGEST = 1_000
"""Characters; hashing takes time that a caller must not choose."""
_KINDS = {
    "min_alpha": ("letters", str.isalpha),
    "min_lower": ("lower-case letters", str.islower),
    "min_upper": ("upper-case letters", str.isupper),
    "min_digit": ("digits", str.isdigit),
    "min_symbol": ("symbols", lambda character: not character.isalnum() and not character.isspace()),
}


class PasswordType(FieldType):
    """A password. Only its hash is kept; it can't be read, filtered, sorted or compared, only checked."""

    name = "password"
    label = "Password"
    group = "texts"
    icon = "lock"
    option_spec = {
        "min_length": Option("int", "The least count of characters.", default=8, least=1, most=LONGEST),
        **{
            name: Option("int", f"The least count of {words}.", least=0, most=100)
            for name, (words, _) in _KINDS.items()
        },
    }
    operators = frozenset()
    can_be_unique = False
    can_be_nested = False
    can_be_converted = False
    can_be_read = False
    examples = (("correct horse", "correct horse"),)

    def parse(self, value: Any, lenient: bool = False) -> str:
        """A password that keeps the rules; every rule it breaks in one refusal."""
        if not isinstance(value, str):
            # What was given is not shown.
            raise unexpected("a password", type(value).__name__)
        check_characters(value)
        if len(value) > LONGEST:
            raise refuse("length", f"must have at most {LONGEST:,} characters")
        broken = []
        if len(value) < self.options["min_length"]:
            broken.append(refuse("length", f"must have at least {self.options['min_length']} characters"))
        for name, (words, fits) in _KINDS.items():
            least = self.options[name]
            if least and sum(map(fits, value)) < least:
                broken.append(refuse("rule", f"must have at least {least} {words}"))
        if broken:
            raise Refused(*(fault for refused in broken for fault in refused.faults))
        return value

    @property
    def value_type(self) -> Type:
        """text"""
        return TEXT_VALUE

    def json_schema(self) -> dict[str, Any]:
        """A string that is only written."""
        return {"type": "string", "format": "password", "writeOnly": True, "maxLength": LONGEST}

    def column(self, dialect: str) -> str:
        """The hash, as text."""
        return "TEXT" if dialect == "sqlite" else 'text COLLATE "C"'

    def binder(self, dialect: str) -> Convert | None:
        """To a salted hash, by the installation's first hasher."""
        return make_password

    def csv_text(self, value: Any) -> str:
        """Nothing."""
        return ""


def verified(password: Any, held: str | None) -> tuple[bool, bool]:
    """Whether a password fits a hash, and whether it should be hashed again by the hasher of today.

    A password for nobody takes as long as one for somebody.
    """
    if not isinstance(password, str) or len(password) > LONGEST:
        return False, False
    again: list[str] = []
    if held is None:
        make_password(password)
        return False, False
    return check_password(password, held, setter=again.append), bool(again)
