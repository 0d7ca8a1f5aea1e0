"""Fields and indexes as people write them (contract §6), read and written.

`name: text`, `email: {type: email, required: true, unique: true}`, `{fields: [name, -created_at], unique: true}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stackyard.core.errors import Faults, Path, did_you_mean
from stackyard.core.names import is_name, name_rule

from .field_type import FieldType, Refused, shown
from .models import Field, Index, Table

RESERVED = ("id", "created_at")
ACCESS = ("public", "private", "internal")
INDEX_FIELDS = 8
OWN_WORDS = ("type", "required", "unique", "default", "access", "description")


@dataclass(frozen=True)
class FieldSpec:
    """A field that was read without faults. `options` hold a table's id where a reference names a table."""

    name: str
    type: str
    options: dict[str, Any] = field(default_factory=dict)
    required: bool = False
    unique: bool = False
    default: Any = None
    access: str = "public"
    description: str = ""


def read_name(name: Any, taken: Sequence[str], faults: Faults, path: Path, noun: str) -> None:
    """Check the name of a table or field against the rule and the names in use (without regard to case)."""
    if not is_name(name):
        faults.error(path, "name", f"{shown(name)} is not a name. {name_rule()}")
    elif noun == "field" and name.lower() in RESERVED:
        faults.error(path, "reserved", f'Every table has a field "{name.lower()}" already.')
    elif name.lower() in {other.lower() for other in taken}:
        faults.error(path, "taken", f'There is a {noun} "{name}" already (case does not count).')


def read_fields(
    specs: Mapping[str, Any], tables: Mapping[str, int], faults: Faults, path: Path = ("fields",)
) -> list[FieldSpec]:
    """Read a table's map of fields; `tables` are the ids of the tables that references may name."""
    found: list[FieldSpec] = []
    for name, spec in specs.items():
        read_name(name, [f.name for f in found], faults, (*path, str(name)), "field")
        made = read_field(str(name), spec, tables, faults, (*path, str(name)))
        if made is not None:
            found.append(made)
    return found


def read_field(
    name: str, spec: Any, tables: Mapping[str, int], faults: Faults, path: Path
) -> FieldSpec | None:
    """Read one field; None when it has faults."""
    before = len(faults.found)
    if isinstance(spec, str):
        spec = {"type": spec}
    if not isinstance(spec, Mapping):
        faults.error(path, "type", f"expected a type such as text, or a map of options, got {shown(spec)}")
        return None
    kind = _kind(spec, faults, path)
    if kind is None:
        return None
    required, unique = (_flag(spec, key, faults, path) for key in ("required", "unique"))
    options = _options(kind, spec, tables, faults, path)
    if unique and not kind.can_be_unique:
        faults.error((*path, "unique"), "value", f"A {kind.name} field can't be unique.")
    if required and options.get("on_delete") == "set_null":
        faults.error((*path, "on_delete"), "value", "set_null would empty a required field.")
    access = spec.get("access", "public")
    if access not in ACCESS:
        faults.error((*path, "access"), "value", f"expected one of {', '.join(ACCESS)}, got {shown(access)}")
    description = spec.get("description") or ""
    if not isinstance(description, str):
        faults.error((*path, "description"), "type", f"expected text, got {shown(description)}")
    if len(faults.found) == before:
        check_default(kind(options), spec.get("default"), faults, (*path, "default"))
    if len(faults.found) > before:
        return None
    kept = {key: value for key, value in options.items() if value != kind.option_spec[key].default}
    return FieldSpec(name, kind.name, kept, required, unique, spec.get("default"), access, description)


def _kind(spec: Mapping[str, Any], faults: Faults, path: Path) -> type[FieldType] | None:
    name = spec.get("type")
    kind = FieldType.all().get(name) if isinstance(name, str) else None
    if kind is None:
        hint = did_you_mean(str(name), FieldType.all())
        what = (
            "say which type: type: text" if name is None else f"There is no field type {shown(name)}.{hint}"
        )
        faults.error((*path, "type"), "required" if name is None else "value", what)
        return None
    for key in spec:
        if key not in OWN_WORDS and key not in kind.option_spec:
            hint = did_you_mean(str(key), [*OWN_WORDS, *kind.option_spec])
            faults.error(
                (*path, str(key)), "unknown_key", f'A {kind.name} field has no option "{key}".{hint}'
            )
    return kind


def _flag(spec: Mapping[str, Any], key: str, faults: Faults, path: Path) -> bool:
    value = spec.get(key)
    if value is not None and not isinstance(value, bool):
        faults.error((*path, key), "type", f"expected true or false, got {shown(value)}")
    return value is True


def _options(
    kind: type[FieldType], spec: Mapping[str, Any], tables: Mapping[str, int], faults: Faults, path: Path
) -> dict[str, Any]:
    given = {key: value for key, value in spec.items() if key in kind.option_spec}
    for key, option in kind.option_spec.items():
        if option.kind == "table" and given.get(key) is not None:
            named = given[key]
            given[key] = tables.get(named) if isinstance(named, str) else None
            if given[key] is None:
                hint = did_you_mean(str(named), tables)
                faults.error((*path, key), "value", f"There is no table {shown(named)}.{hint}")
                given[key] = 0
    return kind.read_options(given, faults, path)


def check_fixed(old: Mapping[str, Any], new: Mapping[str, Any], faults: Faults, path: Path = ()) -> None:
    """Refuse changes that the values already stored would not survive: types, scales, targets, keys of objects."""
    name = old["type"]
    if new["type"] != name:
        what = "A field's type" if not path else "The type in here"
        faults.error(
            (*path, "type"),
            "fixed",
            f"{what} is changed by a conversion (retype), since the stored values depend on it.",
        )
        return
    for key, option in FieldType.get(name).option_spec.items():
        before, after = (_long(spec.get(key, option.default), option.kind) for spec in (old, new))
        if option.kind == "type" and before and after:
            check_fixed(before, after, faults, (*path, key))
        elif option.kind == "fields":
            _check_keys(before or {}, after or {}, faults, (*path, key))
        elif option.fixed and before != after:
            faults.error(
                (*path, key),
                "fixed",
                f"{key} is changed by a conversion (retype), since the stored values depend on it.",
            )


def _check_keys(old: Mapping[str, Any], new: Mapping[str, Any], faults: Faults, path: Path) -> None:
    if bool(old) != bool(new):
        faults.error(path, "fixed", "Declared keys and any keys are exchanged by a conversion (retype).")
        return
    for key, spec in old.items():
        if key in new:
            check_fixed(_long(spec, "type"), _long(new[key], "type"), faults, (*path, key))
        else:
            faults.error((*path, key), "fixed", "A key is taken away by a conversion (retype).")


def _long(value: Any, kind: str) -> Any:
    return {"type": value} if kind == "type" and isinstance(value, str) else value


def is_fixed_change(field: Field, made: FieldSpec) -> bool:
    """Whether the values stored would not survive the change: then it is a conversion."""
    names = dict(Table.objects.filter(workspace=field.table.workspace_id).values_list("pk", "name"))
    faults = Faults()
    check_fixed(_fixed_spec(field, names), _fixed_spec(made, names), faults)
    return bool(faults.found)


def _fixed_spec(field: Field | FieldSpec, names: Mapping[int, str]) -> dict[str, Any]:
    kinds = FieldType.get(field.type).option_spec
    options = {k: names.get(v, "") if kinds[k].kind == "table" else v for k, v in field.options.items()}
    return {"type": field.type, **options}


def check_default(kind: FieldType, default: Any, faults: Faults, path: Path) -> None:
    """A default is one of the type's words or a value that the type takes."""
    if default is not None and not kind.can_be_read:
        faults.error(path, "value", f"A {kind.name} has no default: all records would share it.")
        return
    if default is None or (isinstance(default, str) and default in kind.default_words):
        return
    try:
        kind.parse(default)
    except Refused as refused:
        for fault in refused.faults:
            faults.error((*path, *fault.path), fault.code, fault.message)


@dataclass(frozen=True)
class IndexSpec:
    """An index that was read without faults: (field name, descending) pairs."""

    parts: tuple[tuple[str, bool], ...]
    unique: bool = False


def read_index(spec: Any, types: Mapping[str, str], faults: Faults, path: Path) -> IndexSpec | None:
    """Read an index; `types` are the table's field types by field name. None when it has faults."""
    before = len(faults.found)
    if (
        not isinstance(spec, Mapping)
        or not isinstance(spec.get("fields"), list | tuple)
        or not spec["fields"]
    ):
        faults.error(path, "type", "expected an index such as {fields: [name], unique: true}")
        return None
    for key in spec:
        if key not in ("fields", "unique"):
            hint = did_you_mean(str(key), ("fields", "unique"))
            faults.error((*path, str(key)), "unknown_key", f'An index has no option "{key}".{hint}')
    unique = _flag(spec, "unique", faults, path)
    parts = [
        _index_part(part, types, faults, (*path, "fields", position))
        for position, part in enumerate(spec["fields"])
    ]
    if len(parts) > INDEX_FIELDS:
        faults.error((*path, "fields"), "range", f"An index has at most {INDEX_FIELDS} fields.")
    if len({name for name, _ in parts}) < len(parts) and len(faults.found) == before:
        faults.error((*path, "fields"), "taken", "An index has each field only once.")
    return IndexSpec(tuple(parts), unique) if len(faults.found) == before else None


def _index_part(part: Any, types: Mapping[str, str], faults: Faults, path: Path) -> tuple[str, bool]:
    name = str(part).removeprefix("-")
    kind = types.get(name)
    if kind is not None and (FieldType.get(kind).is_json or not FieldType.get(kind).can_be_read):
        faults.error(path, "value", f"A {kind} field can't be indexed.")
    elif kind is None and name not in RESERVED:
        hint = did_you_mean(name, [*RESERVED, *types])
        faults.error(path, "value", f"There is no field {shown(name)}.{hint}")
    return name, str(part).startswith("-")


def field_spec(field: Field, *, unique: bool | None = None) -> str | dict[str, Any]:
    """A field as people write it: the short form where the type says all. The inverse of `read_field`.

    `unique`: whether a unique index holds it alone; asked of the catalogue when not given.
    """
    if unique is None:
        unique = unique_index(field) is not None
    kind = FieldType.get(field.type)
    spec: dict[str, Any] = {"type": field.type}
    for key, option in kind.option_spec.items():
        value = field.options.get(key)
        if value is not None and value != option.default:
            spec[key] = Table.objects.get(pk=value).name if option.kind == "table" else value
    if field.required:
        spec["required"] = True
    if unique:
        spec["unique"] = True
    if field.default is not None:
        spec["default"] = field.default
    if field.access != "public":
        spec["access"] = field.access
    if field.description:
        spec["description"] = field.description
    return field.type if len(spec) == 1 else spec


def unique_index(field: Field) -> Index | None:
    """The index that makes a field unique by itself, if there is one."""
    for index in field.table.indexes.filter(unique=True, hidden_at=None):
        if [part["field"] for part in index.fields] == [field.pk]:
            return index
    return None


def index_spec(index: Index) -> dict[str, Any]:
    """An index as people write it. The inverse of `read_index`."""
    names = {f.pk: f.name for f in index.table.fields.all()}
    parts = [(names.get(part["field"], part["field"]), part["descending"]) for part in index.fields]
    spec: dict[str, Any] = {"fields": [f"-{name}" if descending else name for name, descending in parts]}
    return {**spec, "unique": True} if index.unique else spec
