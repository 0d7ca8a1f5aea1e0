"""npm packages of a lambda, bundled into one file when it is published and read from there ever after.

Deno downloads them (no install script is run), esbuild packs them. A package is code nobody trusts, and so is a
package's wish to have a file packed in: esbuild runs as WebAssembly in Deno, which lets it read the packages
and nothing else. A bundle is named by the specifiers it answers and is never made again: what is published stays.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lambdas.launchers.launcher import find_deno

_BUNDLER = Path(__file__).resolve().parents[1] / "runtime" / "bundler.js"
# The version of esbuild-wasm, and what its files hold (SHA-256).
_ESBUILD = "0.25.12"
_ESBUILD_FILES = {
    "bin/esbuild": "b3cdaf234fd51a7908b2ffc4a84b3baa466656ccb2586498de4cc2f77b6f1e1e",
    "esbuild.wasm": "92c182cd141115f33ad08ad1d29b38f00f6292d38c3fe7ef85c11775407b54fb",
    "wasm_exec.js": "45ce9dfe7211247544ab6f4268eb8cb5b6f3d5ae602dc3b51447b7eada99c229",
    "wasm_exec_node.js": "c91e20cf70dc4ab76b633f392676e9f1b22d849ba5fca4f80422391705a26638",
}
_SPECIFIER = re.compile(
    r"npm:/?(?P<name>(?:@[a-z0-9][\w.-]*/)?[a-zA-Z0-9][\w.-]*)"
    r"(?:@(?P<range>[\w.^~*+-]+))?(?P<path>(?:/[\w@][\w.@+-]*)*)"
)
_SECONDS = 180
_LARGEST_BUNDLE = 10_000_000
_LARGEST_INSTALL = 300_000_000


PHASES = ("fetching the packer", "fetching the packages", "packing", "publishing")
"""What bringing packages and publishing go through, in order."""
_LOOK_SECONDS = 0.2


class CannotBundle(Exception):
    """The packages can't be bundled; the text says why, in words for people."""


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Who follows the making of a bundle: `reached` is told the place in PHASES, `check` raises when it must end."""

    reached: Callable[[int], None] = lambda phase: None
    check: Callable[[], None] = lambda: None


NOBODY = Onlooker()


@dataclass(frozen=True, slots=True)
class Package:
    """What an `npm:` specifier asks for."""

    specifier: str
    name: str
    range: str
    path: str

    @classmethod
    def parse(cls, specifier: str) -> Package:
        """`npm:NAME@RANGE/PATH`. CannotBundle for anything else, such as an address instead of a range."""
        match = _SPECIFIER.fullmatch(specifier)
        if match is None or ".." in match["path"].split("/"):
            raise CannotBundle(
                f'"{specifier}" is not a package of the npm registry; write npm:name or npm:name@1.2.3.'
            )
        return cls(specifier, match["name"], match["range"] or "*", match["path"])


def packages_in(imports: Sequence[str]) -> list[Package]:
    """The npm packages among what a lambda imports, each once. CannotBundle as `Package.parse`."""
    return [Package.parse(one) for one in sorted(set(imports)) if one.startswith("npm:")]


def bundle_path(home: Path, imports: Sequence[str]) -> Path | None:
    """Where the bundle for these imports is or would be; None when they ask for no package."""
    wanted = sorted({one for one in imports if one.startswith("npm:")})
    if not wanted:
        return None
    return home / "bundles" / f"{hashlib.sha256(json.dumps([1, wanted]).encode()).hexdigest()[:40]}.js"


def make_bundle(
    home: Path, imports: Sequence[str], environment: Mapping[str, str], onlooker: Onlooker = NOBODY
) -> Path | None:
    """Make the bundle when it is not there yet; some seconds and the network. CannotBundle when it can't be made.

    `home` is the lambdas' folder, `environment` says where the registry is (NPM_CONFIG_REGISTRY, proxies). What the
    onlooker's `check` raises ends it within a moment, and nothing of it stays.
    """
    packages = packages_in(imports)
    target = bundle_path(home, imports)
    if target is None or target.exists():
        return target
    onlooker.reached(0)
    tool = _esbuild(home, environment, onlooker)
    work = _make_work_folder(home)
    try:
        onlooker.reached(1)
        _install(home, work, {f"p{n}": one for n, one in enumerate(packages)}, environment, onlooker)
        onlooker.reached(2)
        try:
            made = _bundle(work, tool, packages, onlooker)
        except CannotBundle as error:
            # The names are ours; people know the package.
            said = re.sub(r'"p(\d+)(?=["/])', lambda found: f'"{packages[int(found[1])].name}', str(error))
            raise CannotBundle(said) from None
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made.replace(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _make_work_folder(home: Path) -> Path:
    work = (home / "packages" / f"work-{os.getpid()}-{os.urandom(6).hex()}").resolve()
    (work / "out").mkdir(parents=True, mode=0o700)
    return work


def _install(
    home: Path,
    work: Path,
    packages: Mapping[str, Package],
    environment: Mapping[str, str],
    onlooker: Onlooker,
) -> None:
    """Download packages and what they need into `work/node_modules`, under the names given."""
    wanted = {alias: f"npm:{one.name}@{one.range}" for alias, one in packages.items()}
    (work / "package.json").write_text(json.dumps({"dependencies": wanted}))
    variables = {**environment, "DENO_DIR": str(home / "packages" / "deno")}
    _deno(["install", "--node-modules-dir=auto", "--no-lock", "--quiet"], work, variables, onlooker)
    size = 0
    for folder, folders, files in os.walk(work):
        for name in (*folders, *files):
            path = Path(folder, name)
            if path.is_symlink() and not path.resolve().is_relative_to(work):
                raise CannotBundle(f"A package holds a link that leads out of it: {name}")
            size += path.lstat().st_size
    if size > _LARGEST_INSTALL:
        raise CannotBundle(f"The packages are larger than {_LARGEST_INSTALL / 1e6:g} MB.")


def _esbuild(home: Path, environment: Mapping[str, str], onlooker: Onlooker = NOBODY) -> Path:
    """The folder of the packer, downloaded once and compared with what it has to be."""
    target = home / "packages" / f"esbuild-wasm-{_ESBUILD}"
    if target.is_dir():
        return target
    work = _make_work_folder(home)
    try:
        asked = Package("npm:esbuild-wasm", "esbuild-wasm", _ESBUILD, "")
        _install(home, work, {"esbuild-wasm": asked}, environment, onlooker)
        found = (work / "node_modules" / "esbuild-wasm").resolve()
        for name, wanted in _ESBUILD_FILES.items():
            if hashlib.sha256((found / name).read_bytes()).hexdigest() != wanted:
                raise CannotBundle(f"esbuild-wasm {_ESBUILD} is not what it was: {name} differs.")
        # Only what was compared; the name tells Deno that it is CommonJS.
        made = work / "made"
        (made / "bin").mkdir(parents=True)
        for name in _ESBUILD_FILES:
            shutil.copy(found / name, made / name.replace("bin/esbuild", "bin/esbuild.cjs"))
        if not target.is_dir():
            made.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _bundle(work: Path, tool: Path, packages: Sequence[Package], onlooker: Onlooker) -> Path:
    """Pack them into a script that sets `packages` to an object by specifier."""
    lines = [f'import * as m{n} from "p{n}{one.path}";' for n, one in enumerate(packages)]
    names = [f"{json.dumps(one.specifier)}: m{n}" for n, one in enumerate(packages)]
    (work / "entry.js").write_text("\n".join([*lines, f"packages = {{ {', '.join(names)} }};"]))
    out = work / "out" / "bundle.js"
    rights = [f"--allow-read={work},{tool.resolve()}", f"--allow-write={work / 'out'}"]
    packing = ["--bundle", "--format=iife", "--platform=node", f"--outfile={out}", "--log-limit=3"]
    _deno(
        [
            "run",
            *("--no-prompt", "--no-config", "--no-lock", "--no-remote", "--cached-only"),
            *("--node-modules-dir=manual", "--quiet", "--ignore-read", "--ignore-env", *rights),
            *(str(_BUNDLER), str(work), str(tool.resolve() / "bin" / "esbuild.cjs"), "entry.js"),
            *("--color=false", "--log-level=error", *packing),
        ],
        work,
        {"DENO_DIR": "/dev/null/none"},
        onlooker,
    )
    if not out.is_file():
        raise CannotBundle("The packages could not be packed.")
    if out.stat().st_size > _LARGEST_BUNDLE:
        raise CannotBundle(f"The bundle is larger than {_LARGEST_BUNDLE / 1e6:g} MB.")
    made = work / "made.js"
    made.write_text(f"let packages;\n{out.read_text()}")
    return made


def _deno(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], onlooker: Onlooker) -> None:
    variables = {**environment, "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"}
    told = subprocess.Popen(
        [str(find_deno()), *arguments],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said = _followed(told, onlooker)
    finally:
        if told.poll() is None:
            told.kill()
            told.communicate()
    if told.returncode:
        raise CannotBundle(_reason(said, folder))


def _followed(process: subprocess.Popen[str], onlooker: Onlooker) -> str:
    """What a tool writes as errors until it ends; between looks the onlooker may end it."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        onlooker.check()
        try:
            return process.communicate(timeout=_LOOK_SECONDS)[1]
        except subprocess.TimeoutExpired:
            continue
    raise CannotBundle(f"The packages were not there within {_SECONDS} s.")


def _reason(said: str, folder: Path) -> str:
    """The error in what a tool wrote, without the paths of this machine."""
    text = said.partition("\nStack backtrace")[0].replace(str(folder), "").strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = [line for line in lines if "error" in line.lower()] or lines or ["no reason was given"]
    return re.sub(r"^(✘ )?\[?error\]?:?\s*", "", found[0], flags=re.IGNORECASE)[:500]
