"""TriggerKind: the family of what starts a lambda."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from stackyard.core.errors import Faults, Path, did_you_mean
from stackyard.core.kinds import Kind

if TYPE_CHECKING:
    from lambdas.models import Lambda


class TriggerKind(Kind, family="trigger"):
    """A kind of trigger. `options` are its keys; `check` reports faults; `key` is what its row is looked up by."""

    options: ClassVar[Sequence[str]] = ()

    @classmethod
    def check(cls, spec: Mapping[str, Any], faults: Faults, path: Path, tables: Mapping[str, Any]) -> None:
        """Report unknown options; kinds add their own rules."""
        for name in spec:
            if name not in cls.options:
                hint = did_you_mean(str(name), cls.options)
                faults.error((*path, str(name)), "unknown_key", f'"{cls.name}" has no option "{name}".{hint}')

    @classmethod
    def key(cls, spec: Mapping[str, Any], target: Lambda) -> str:
        """What the trigger's row is found by."""
        return ""
