"""Kinds: the one way Stackyard grows.

A direct subclass of `Kind` opens a family (step, field type, auth method, file kind …); a subclass of a
family with a `name` joins it. A file dropped into a family's folder is found by `load`, nothing is
listed by hand, and a doubled name fails at start.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from .errors import Problem, did_you_mean


class Kind:
    """Base of every family.

    A kind's `name` is a promise: it is stored in documents and files and never changes its meaning
    without a new `version`. `label`, `group`, `icon`, `sentence` and the docstring are what people
    see; `examples` are run by the one test that walks all kinds (one with `"runs": False`, which needs something outside,
    is only checked).
    """

    family: ClassVar[str] = ""
    name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    label: ClassVar[str] = ""
    group: ClassVar[str] = ""
    icon: ClassVar[str] = ""
    sentence: ClassVar[str] = ""
    synonyms: ClassVar[str] = ""
    examples: ClassVar[Sequence[Any]] = ()

    _families: ClassVar[dict[str, type[Kind]]] = {}
    _members: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, *, family: str | None = None, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if family is not None:
            if family in Kind._families:
                raise TypeError(f"family {family!r} is opened twice: {cls} and {Kind._families[family]}")
            cls.family = family
            cls._members = {}
            Kind._families[family] = cls
            return
        if abstract:
            return
        if not cls.family:
            raise TypeError(f"{cls.__name__} opens a family: say class {cls.__name__}(Kind, family='…')")
        if not cls.__dict__.get("name"):
            raise TypeError(f"{cls.__name__} joins family {cls.family!r} and needs a name")
        twin = cls._members.get(cls.name)
        if twin is not None and (twin.__module__, twin.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(
                f"{cls.family} {cls.name!r} is defined twice: {twin.__module__} and {cls.__module__}"
            )
        cls._members[cls.name] = cls

    @classmethod
    def all(cls) -> Mapping[str, type[Self]]:
        """The family's kinds by name."""
        return cls._members

    @classmethod
    def get(cls, name: str) -> type[Self]:
        """One kind by name; Problem `INVALID_INPUT` that proposes the nearest name."""
        kind: type[Self] | None = cls._members.get(name)
        if kind is None:
            hint = did_you_mean(name, cls._members)
            raise Problem("INVALID_INPUT", f'There is no {cls.family} "{name}".{hint}')
        return kind

    @classmethod
    def families(cls) -> Mapping[str, type[Kind]]:
        """Every family by name, for the test that walks all kinds and for the docs."""
        return Kind._families

    @classmethod
    def description(cls) -> str:
        """The docstring, as help text."""
        return " ".join((cls.__doc__ or "").split())


def load(package: str) -> None:
    """Import every module of a package, so that the kinds in it join their families."""
    module = importlib.import_module(package)
    for entry in pkgutil.walk_packages(module.__path__, f"{package}."):
        importlib.import_module(entry.name)
