"""FieldType: what a field of a table, or an input of a stack, can hold.

An instance is a configured type: `FieldType.get("text")({"max_length": 20})`. It reads a value
(`parse`), says what kind of value that is (`value_type`, `json_schema`), how a database keeps it
(`column`, `binder`, `loader`), how it stands inside JSON (`to_json`, `from_json`) and in a CSV cell
(`csv_text`, `from_csv`), and which conditions can be asked of it (`operators`).
One type is one file in `types/`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from stackyard.core.errors import Fault, Faults, Path, did_you_mean
from stackyard.core.jsonout import measure
from stackyard.core.kinds import Kind
from stackyard.core.types import Type
from stackyard.core.types import json_schema as schema_of

Convert = Callable[[Any], Any]

EQUALITY = frozenset({"$eq", "$ne", "$in", "$nin", "$exists"})
ORDER = EQUALITY | {"$gt", "$gte", "$lt", "$lte", "$between"}
TEXT = ORDER | {"$like", "$ilike", "$contains", "$starts_with", "$ends_with", "$regex", "$search"}


class Refused(Exception):
    """A value that a type does not take; `faults` lists every place in it, with paths relative to the value."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


def refuse(code: str, message: str) -> Refused:
    """A refusal of the whole value: `raise refuse("type", 'expected an integer, got "abc"')`."""
    return Refused(Fault((), code, message))


def unexpected(wanted: str, value: Any) -> Refused:
    """The refusal of a value of the wrong kind."""
    return refuse("type", f"expected {wanted}, got {shown(value)}")


def shown(value: Any) -> str:
    """A value as a message shows it: JSON, cut at 60 characters; a large list or object by its size only."""
    if isinstance(value, list | tuple | Mapping) and measure(value) > 1_000:
        return f"{'an object' if isinstance(value, Mapping) else 'a list'} of {len(value):,}"
    if isinstance(value, str):
        value = value[:60]
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 60 else f"{text[:57]}…"


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a field type.

    `kind`: `int`, `number`, `text`, `bool`, `texts` (a list of different texts), `type` (a type in its
    YAML form), `fields` (a map of those) or `table`. `fixed` ones can't change once the field exists,
    because the stored values depend on them.
    """

    kind: str
    help: str
    default: Any = None
    least: float | None = None
    most: float | None = None
    fixed: bool = False
    choices: tuple[str, ...] = ()


class FieldType(Kind, family="field type"):
    """Base of the field types."""

    option_spec: ClassVar[Mapping[str, Option]] = {}
    operators: ClassVar[frozenset[str]] = EQUALITY
    # Words that may stand as a default and are worked out for each new record, such as "now".
    default_words: ClassVar[Mapping[str, Callable[[], Any]]] = {}
    can_be_unique: ClassVar[bool] = True
    can_be_nested: ClassVar[bool] = True
    # Whether values of other types can become values of this one, and the other way round.
    can_be_converted: ClassVar[bool] = True
    is_json: ClassVar[bool] = False
    # Whether its values can leave the store at all; a password's can't.
    can_be_read: ClassVar[bool] = True
    # Whether `to_json` and `from_json` change nothing.
    plain_in_json: ClassVar[bool] = True

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        faults = Faults()
        self.options = self.read_options(options or {}, faults)
        faults.raise_errors()
        self.configure()

    def configure(self) -> None:
        """Work out what `parse` needs from the options, once."""

    @classmethod
    def read_options(cls, given: Mapping[str, Any], faults: Faults, path: Path = ()) -> dict[str, Any]:
        """The options with their defaults; every fault in them is added to `faults` under `path`."""
        before = len(faults.found)
        options = {key: option.default for key, option in cls.option_spec.items()}
        for key, value in given.items():
            option = cls.option_spec.get(key)
            if option is None:
                hint = did_you_mean(key, cls.option_spec)
                faults.error((*path, key), "unknown_key", f'A {cls.name} field has no option "{key}".{hint}')
            elif value is not None:
                options[key] = _read_option(option, value, faults, (*path, key))
        if len(faults.found) == before:
            cls.check_options(options, faults, path)
        return options

    @classmethod
    def check_options(cls, options: Mapping[str, Any], faults: Faults, path: Path) -> None:
        """Faults between options, such as a minimum above the maximum."""
        for low, high in (("min", "max"), ("min_length", "max_length"), ("min_items", "max_items")):
            least, most = options.get(low), options.get(high)
            if least is not None and most is not None and least > most:
                faults.error((*path, low), "range", f"{low} is above {high}")

    def parse(self, value: Any, lenient: bool = False) -> Any:
        """The value of a field from JSON (never None); `lenient` also takes the texts that forms and queries give.

        Raises `Refused` with codes such as `type`, `range`, `length`, `pattern`, `value`.
        """
        raise NotImplementedError

    @property
    def record_parse(self) -> Callable[..., Any]:
        """`parse` as records are read: the same, but where an input takes what no record can hold."""
        return self.parse

    def operand(self, value: Any) -> Any:
        """The value as the operand of a condition: its kind is checked, limits such as `max` are not."""
        return self.parse(value)

    @property
    def value_type(self) -> Type:
        """The type of a value at run time."""
        raise NotImplementedError

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of the value in JSON."""
        return schema_of(self.value_type)

    def column(self, dialect: str) -> str:
        """The SQL type of its column; `dialect` is `sqlite` or `postgresql`."""
        raise NotImplementedError

    def binder(self, dialect: str) -> Convert | None:
        """From a parsed value to what the driver takes; None when it is the same."""
        return None

    def loader(self, dialect: str) -> Convert | None:
        """From what the driver gives to the value; None when it is the same. Never called with None."""
        return None

    def bind(self, value: Any, dialect: str) -> Any:
        """`binder`, applied; null stays null."""
        convert = self.binder(dialect)
        return value if value is None or convert is None else convert(value)

    def load(self, raw: Any, dialect: str) -> Any:
        """`loader`, applied; null stays null."""
        convert = self.loader(dialect)
        return raw if raw is None or convert is None else convert(raw)

    def to_json(self, value: Any) -> Any:
        """A parsed value as it is kept inside JSON (in a list or an object)."""
        return value

    def from_json(self, value: Any) -> Any:
        """The value from what `to_json` left."""
        return value

    def csv_text(self, value: Any) -> str:
        """A CSV cell; null is the empty cell."""
        return "" if value is None else str(self.to_json(value))

    def from_csv(self, text: str) -> Any:
        """The value of a CSV cell (the empty cell is null). Raises `Refused`."""
        return None if text == "" else self.parse(text, lenient=True)

    def bind_cells(self, cells: Sequence[str], dialect: str) -> list[Any] | None:
        """Many CSV cells (none of them empty) at once, as the driver takes them; None where one needs a closer look.

        An import asks this first, a column of some thousand cells at a time, and each cell by itself only then. What
        it gives must be what `from_csv` and `bind` give.
        """
        return None


def _read_option(option: Option, value: Any, faults: Faults, path: Path) -> Any:
    wanted = _WANTED.get(option.kind)
    if wanted is not None and not wanted[1](value):
        faults.error(path, "type", f"expected {wanted[0]}, got {shown(value)}")
    elif option.choices and value not in option.choices:
        hint = did_you_mean(str(value), option.choices)
        faults.error(path, "value", f"expected one of {', '.join(option.choices)}, got {shown(value)}.{hint}")
    elif option.least is not None and value < option.least:
        faults.error(path, "range", f"must be at least {option.least:,}")
    elif option.most is not None and value > option.most:
        faults.error(path, "range", f"must be at most {option.most:,}")
    elif option.kind == "type":
        return read_type(value, faults, path)
    elif option.kind == "fields":
        return _read_fields(value, faults, path)
    return value


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _is_texts(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(text, str) and text for text in value)
        and len(set(value)) == len(value)
    )


_WANTED: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "int": ("an integer", _is_int),
    "number": ("a number", _is_number),
    "text": ("text", lambda value: isinstance(value, str)),
    "bool": ("true or false", lambda value: isinstance(value, bool)),
    "texts": ("a list of different texts", _is_texts),
    "type": (
        'a type such as text or {"type": "text", "max_length": 20}',
        lambda value: isinstance(value, str | Mapping),
    ),
    "fields": ("a map of fields", lambda value: isinstance(value, Mapping) and len(value) > 0),
}


def read_type(spec: Any, faults: Faults, path: Path) -> Any:
    """Check a type inside another one (`of` of a list); returns its YAML form unchanged."""
    spec = {"type": spec} if isinstance(spec, str) else spec
    name = spec.get("type")
    kind = FieldType.all().get(name) if isinstance(name, str) else None
    if kind is None:
        hint = did_you_mean(str(name), FieldType.all())
        faults.error((*path, "type"), "value", f"There is no field type {shown(name)}.{hint}")
    elif not kind.can_be_nested:
        faults.error(path, "value", f"A {kind.name} can't stand inside a list or an object.")
    else:
        kind.read_options({key: value for key, value in spec.items() if key != "type"}, faults, path)
    return spec


def _read_fields(specs: Mapping[str, Any], faults: Faults, path: Path) -> dict[str, Any]:
    found = {}
    for key, spec in specs.items():
        here = (*path, str(key))
        if not isinstance(key, str) or not key or len(key) > 200:
            faults.error(here, "name", "A key is a text of 1 to 200 characters.")
        elif not isinstance(spec, str | Mapping):
            faults.error(here, "type", f"expected {_WANTED['type'][0]}, got {shown(spec)}")
        else:
            spec = {"type": spec} if isinstance(spec, str) else spec
            if not isinstance(spec.get("required", False), bool):
                faults.error((*here, "required"), "type", "expected true or false")
            read_type({k: v for k, v in spec.items() if k != "required"}, faults, here)
            found[key] = dict(spec)
    return found


def make_type(spec: str | Mapping[str, Any]) -> FieldType:
    """The configured type of a YAML form that was checked before."""
    spec = {"type": spec} if isinstance(spec, str) else spec
    options = {key: value for key, value in spec.items() if key not in ("type", "required")}
    return FieldType.get(spec["type"])(options)
