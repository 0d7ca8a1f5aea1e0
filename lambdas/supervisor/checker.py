"""Types: `deno check` over the code of a lambda and the declarations of what it sees.

The code is put into an async function with its lines where they were, so that what TypeScript says points into it.
Nothing of it is run. What it may look at is told first (`deno info`): a type can name a file, and must not.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lambdas.launchers.launcher import find_deno

from .compiler import Compiled

DECLARATIONS = Path(__file__).resolve().parents[1] / "runtime" / "lambda.d.ts"
_SECONDS = 60
_OPEN = "export default async()=>{"
_FAULT = re.compile(
    r"^TS(?P<code>\d+) \[ERROR\]: (?P<message>.*?)^ +at (?P<file>file:\S+?):(?P<line>\d+):(?P<column>\d+)$",
    re.M | re.S,
)
_OPTIONS = {
    "types": ["./lambda.d.ts", "./workspace.d.ts"],
    "strict": True,
    # People write JavaScript here, too, and few of them expect a record to be missing.
    "noImplicitAny": False,
    "strictNullChecks": False,
    "useUnknownInCatchVariables": False,
}


class CannotCheck(Exception):
    """The types can't be checked; the text says why."""


@dataclass(frozen=True, slots=True)
class TypeFault:
    """What TypeScript says about a place in the code, both counted from 1; `number` is TypeScript's own."""

    line: int
    column: int
    message: str
    number: int


def check_types(
    home: Path, source: str, compiled: Compiled, workspace: str, environment: Mapping[str, str]
) -> list[TypeFault]:
    """Every type fault of a source that compiles, in order; about a second. CannotCheck when it can't be told.

    `workspace` declares `Tables`, `NewRecords`, `Functions` and `Variables`; `environment` says where npm packages come
    from, whose types are read too.
    """
    work = (home / "packages" / f"check-{os.getpid()}-{os.urandom(6).hex()}").resolve()
    work.mkdir(parents=True, mode=0o700)
    try:
        head, rest = _split(source, compiled.head)
        opening = f";{_OPEN}" if head else _OPEN
        (work / "main.ts").write_text(f"{head}{opening}{rest}\n}};\n")
        (work / "workspace.d.ts").write_text(workspace)
        shutil.copy(DECLARATIONS, work / "lambda.d.ts")
        (work / "deno.json").write_text(json.dumps({"compilerOptions": _OPTIONS}))
        variables = {**environment, "DENO_DIR": str(home / "packages" / "deno"), "NO_COLOR": "1"}
        _refuse_files(work, variables)
        said = _deno(["check", "--quiet", "--no-lock", "main.ts"], work, variables).stderr
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return _faults(said, work, head, len(opening))


def _split(source: str, head: int) -> tuple[str, str]:
    """The imports at the top and the rest; `head` counts UTF-16 units, as JavaScript does."""
    units = source.encode("utf-16-le", "surrogatepass")
    return units[: 2 * head].decode("utf-16-le", "replace"), units[2 * head :].decode("utf-16-le", "replace")


def _refuse_files(work: Path, variables: Mapping[str, str]) -> None:
    told = _deno(["info", "--json", "--no-lock", "main.ts"], work, variables)
    try:
        modules = json.loads(told.stdout)["modules"]
    except (ValueError, KeyError) as error:
        raise CannotCheck(told.stderr.strip()[:500] or "deno info said nothing.") from error
    own = {f"file://{work}/{name}" for name in ("main.ts", "lambda.d.ts", "workspace.d.ts")}
    for module in modules:
        specifier = str(module.get("specifier", ""))
        if specifier not in own and not specifier.startswith(("npm:", "node:")):
            raise CannotCheck("The code names a module that is neither npm: nor node:.")


def _deno(arguments: list[str], work: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [str(find_deno()), *arguments],
            cwd=work,
            env={**variables, "DENO_NO_UPDATE_CHECK": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise CannotCheck(f"The types were not checked within {_SECONDS} s.") from None


def _faults(said: str, work: Path, head: str, opening: int) -> list[TypeFault]:
    found = []
    last_line, last_column = head.count("\n") + 1, len(head.rpartition("\n")[2])
    for match in _FAULT.finditer(said):
        if match["file"] != f"file://{work}/main.ts":
            continue
        line, column = int(match["line"]), int(match["column"])
        if line == last_line and column > last_column + opening:
            column -= opening
        found.append(TypeFault(line, column, _message(match["message"]), int(match["code"])))
    if not found and "error" in said.lower():
        raise CannotCheck(said.strip().splitlines()[0][:500])
    return found


def _message(text: str) -> str:
    """TypeScript's words without the lines of code that follow them."""
    kept: list[str] = []
    for line in text.splitlines():
        if kept and not line.startswith("  "):
            break
        kept.append(line.strip())
    return " ".join(kept)[:500]
