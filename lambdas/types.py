"""The workspace in TypeScript: what its tables, functions and variables look like from the code of a lambda."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from stackyard.core import types as t
from stackyard.core.errors import Fault
from stackyard.core.models import Workspace
from stackyard.stacks.catalogue import load_catalogue
from stackyard.stacks.inputs import InputSet
from stackyard.tables.schema import TableDef, load_schema

from . import supervisor
from .supervisor.checker import CannotCheck, check_types
from .supervisor.compiler import SyntaxFault

_PLAIN = {
    "null": "null",
    "bool": "boolean",
    "int": "number",
    "float": "number",
    "decimal": "number",
    "timestamp": "string",
    "date": "string",
}
_NAME = re.compile(r"[A-Za-z_$][\w$]*")


def declarations(workspace: Workspace, variables: list[str]) -> str:
    """`Tables`, `NewRecords`, `Functions` and `Variables` as TypeScript; of the variables those a lambda may see."""
    tables = load_schema(workspace.pk).tables
    functions = load_catalogue(workspace).functions
    return "\n".join(
        [
            _interface("Tables", {name: type_text(table.record_type()) for name, table in tables.items()}),
            _interface("NewRecords", {name: new_record_text(table) for name, table in tables.items()}),
            _interface(
                "Functions", {name: _function(one.inputs, one.response) for name, one in functions.items()}
            ),
            _interface("Variables", dict.fromkeys(variables, "string")),
            "",
        ]
    )


def type_faults(workspace: Workspace, document: Mapping[str, Any]) -> list[Fault]:
    """What TypeScript says about a lambda's code, as warnings with line and column; about a second.

    Empty for code that does not compile, which is a fault of its own. One warning when the types can't be checked.
    """
    code = document["code"]
    home = settings.HOME / "lambdas"
    try:
        compiled = supervisor.default().compile(code)
        declared = declarations(workspace, document.get("variables", []))
        found = check_types(home, code, compiled, declared, settings.PACKAGE_ENVIRONMENT)
    except SyntaxFault:
        return []
    except CannotCheck as error:
        message = f"The types could not be checked: {error}"
        return [Fault(("code",), "types", message, level="warning", line=1, column=1)]
    return [
        Fault(("code",), "types", one.message, level="warning", line=one.line, column=one.column)
        for one in found
    ]


def type_text(type_: t.Type) -> str:
    """A value type as TypeScript sees the JSON it becomes."""
    text = _not_null(type_)
    return f"{text} | null" if type_.nullable and text != "any" else text


def _not_null(type_: t.Type) -> str:
    if type_.name in _PLAIN:
        return _PLAIN[type_.name]
    if type_.name == "text":
        return " | ".join(json.dumps(one) for one in type_.values) if type_.values else "string"
    if type_.name == "list":
        return f"({type_text(type_.of or t.ANY)})[]"
    if type_.name == "object" and type_.fields is not None:
        fields = "".join(f"{_key(name)}: {type_text(one)}; " for name, one in type_.fields.items())
        return f"{{ {fields}{'[key: string]: any; ' if type_.open else ''}}}"
    return "Record<string, any>" if type_.name == "object" else "any"


def new_record_text(table: TableDef) -> str:
    """What `add` takes: required fields, and the others that may be left out."""
    parts = []
    for name, field in table.fields.items():
        optional = (
            "" if field.required and field.default is None and name not in ("id", "created_at") else "?"
        )
        parts.append(f"{_key(name)}{optional}: {type_text(field.value_type)}; ")
    return f"{{ {''.join(parts)}}}"


def _function(inputs: Mapping[str, Any], response: t.Type) -> str:
    known = InputSet(inputs)
    fields = "".join(
        f"{_key(name)}{'' if known.inputs[name].required else '?'}: {type_text(one)}; "
        for name, one in known.types().items()
    )
    optional = "" if any(one.required for one in known.inputs.values()) else "?"
    return f"(input{optional}: {{ {fields}}}) => Promise<{type_text(response)}>"


def _interface(name: str, members: Mapping[str, str]) -> str:
    lines = [f"  {_key(key)}: {text};" for key, text in members.items()]
    return "\n".join([f"interface {name} {{", *lines, "}"])


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) else json.dumps(name)
