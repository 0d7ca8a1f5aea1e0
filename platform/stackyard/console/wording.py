"""The console's texts and their translations: what is said in sources, and what `locale/` has for it.

Texts are collected from where they stand: `gettext` calls of Python, `{% translate %}` and `{% blocktranslate %}` of
templates, `T("…")` and `TN("…", "…")` of scripts, and the kinds of steps and filters, whose labels, helps and sentences
are texts by being written. No program beside Python is needed.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.template.base import DebugLexer, TokenType
from django.utils import translation
from django.utils.translation.trans_real import DjangoTranslation

from stackyard.start.words import LOCALE

from .labels import translate_labels

FOLDER = Path(__file__).parent
_CALLS = {
    "_": 1,
    "gettext": 1,
    "gettext_lazy": 1,
    "gettext_noop": 1,
    "ngettext": 2,
    "ngettext_lazy": 2,
}
# Where texts that people read stand in Python: the console's, and those of logging in and consenting.
_PYTHON = (FOLDER, settings.ROOT / "auth")
_STRING = r'"(?:[^"\\\n]|\\.)*"'
_SCRIPT_CALL = re.compile(rf"(?<![\w.])(T|TN|gettext)\(\s*({_STRING})(?:\s*,\s*({_STRING}))?")
_TRANSLATE = re.compile(r"^(?:translate|trans)\s+(\"[^\"]*\"|'[^']*')")
_UNDERSCORE = re.compile(r"_\((\"[^\"]*\"|'[^']*')\)")


@dataclass(frozen=True, slots=True, order=True)
class Text:
    """A text to translate: singular, plural (empty without one), and where it stands."""

    text: str
    plural: str
    place: str


def collect() -> dict[str, list[Text]]:
    """Every text by domain: `django` for what the server says, `djangojs` for what scripts say."""
    server = [*_python_texts(), *_template_texts(), *_kind_texts(), *_words_of_other_kinds(), *_label_texts()]
    return {"django": _once(server), "djangojs": _once(_script_texts())}


def _once(found: Iterable[Text]) -> list[Text]:
    kept: dict[str, Text] = {}
    for one in found:
        known = kept.get(one.text)
        if known is None or (one.plural and not known.plural):
            kept[one.text] = one
    return [kept[text] for text in sorted(kept)]


def _python_texts() -> Iterator[Text]:
    for folder in _PYTHON:
        for path in sorted(folder.rglob("*.py")):
            if "node_modules" in path.parts:
                continue
            for call in ast.walk(ast.parse(path.read_text())):
                yield from _in_call(call, path)


def _in_call(call: ast.AST, path: Path) -> Iterator[Text]:
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in _CALLS:
        return
    wanted = call.args[: _CALLS[call.func.id]]
    words = [one.value for one in wanted if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if words and len(words) == len(wanted):
        yield Text(words[0], words[1] if len(words) > 1 else "", _place(path))


def _place(path: Path) -> str:
    return str(path.relative_to(settings.ROOT))


def _template_texts() -> Iterator[Text]:
    for path in sorted((settings.ROOT / "templates").rglob("*.html")):
        yield from _in_template(path)


def _in_template(path: Path) -> Iterator[Text]:
    parts: list[str] | None = None
    singular = ""
    trimmed = False
    for token in DebugLexer(path.read_text()).tokenize():
        words = token.contents.split() if token.token_type == TokenType.BLOCK else []
        if parts is not None:
            if words and words[0] in ("endblocktranslate", "endblocktrans"):
                text = _trimmed("".join(parts)) if trimmed else "".join(parts)
                yield Text(singular or text, text if singular else "", _place(path))
                parts, singular = None, ""
            elif words and words[0] == "plural":
                singular = _trimmed("".join(parts)) if trimmed else "".join(parts)
                parts = []
            elif token.token_type == TokenType.VAR:
                parts.append(f"%({token.contents})s")
            elif token.token_type == TokenType.TEXT:
                parts.append(token.contents.replace("%", "%%"))
        elif words and words[0] in ("blocktranslate", "blocktrans"):
            parts, trimmed = [], "trimmed" in words
        elif token.token_type in (TokenType.BLOCK, TokenType.VAR):
            match = _TRANSLATE.match(token.contents)
            found = [match[1]] if match else []
            for quoted in [*found, *_UNDERSCORE.findall(token.contents)]:
                yield Text(quoted[1:-1].replace("%", "%%") if match else quoted[1:-1], "", _place(path))


def _trimmed(text: str) -> str:
    return " ".join(line.strip() for line in text.strip().splitlines())


def _script_texts() -> Iterator[Text]:
    frontend = [path for path in (FOLDER / "frontend").rglob("*.ts*") if "node_modules" not in path.parts]
    for path in sorted([*frontend, *(FOLDER / "static" / "console").glob("*.js")]):
        if path.stem.endswith("_test") or path.stem == "words":
            continue
        source = _without_comments(path.read_text())
        for name, first, second in _SCRIPT_CALL.findall(source):
            yield Text(json.loads(first), json.loads(second) if name == "TN" and second else "", _place(path))


def _without_comments(source: str) -> str:
    return re.sub(r"^\s*(?://|\*|/\*).*$", "", source, flags=re.M)


def _kind_texts() -> Iterator[Text]:
    """Labels, helps, synonyms and sentences of steps and filters, and the titles of their groups."""
    from stackyard.stacks.palette import filter_kinds, step_kinds

    with translation.override("en"):
        steps, filters = step_kinds(), filter_kinds()
    for _name, title in [*steps["groups"], *filters["families"]]:
        yield Text(title, "", "groups of steps and filters")
    for kind in [*steps["kinds"].values(), *filters["filters"].values()]:
        for part in [kind, *kind["parameters"]]:
            for word in ("label", "help", "words", "sentence"):
                if part.get(word):
                    yield Text(part[word], "", f"kind {kind['name']}")


def _words_of_other_kinds() -> Iterator[Text]:
    """What pages show of field types, blueprints, ways to say who calls, and kinds of runs."""
    from auth.methods import AuthMethod
    from endpoints.blueprints import Blueprint
    from stackyard.runs.run_kind import RunKind
    from stackyard.tables.field_type import FieldType

    for family in (FieldType, Blueprint, AuthMethod, RunKind):
        for name, kind in sorted(family.all().items()):
            said = [
                kind.label,
                kind.description() if family in (FieldType, AuthMethod) else "",
                getattr(kind, "sentence", ""),
                getattr(kind, "group", "").capitalize(),
            ]
            said += [option.help for option in getattr(kind, "option_spec", {}).values()]
            for option in getattr(kind, "options", []):
                said += [option.label, option.help]
            yield from (Text(word, "", f"kind {name}") for word in said if word)


def _label_texts() -> Iterator[Text]:
    from django.contrib.admin import site

    import stackyard.urls  # noqa: F401 (brings in every form of the console)

    yield from (Text(word, "", "labels of forms and models") for word in translate_labels(site))


def catalogue(language: str, domain: str) -> polib.POFile:
    """The translations of a language; an empty one with its header when there is no file yet."""
    path = LOCALE / language / "LC_MESSAGES" / f"{domain}.po"
    if path.exists():
        return polib.pofile(str(path), wrapwidth=110)
    made = polib.POFile(wrapwidth=110)
    made.metadata = {
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Language": language,
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    made.fpath = str(path)
    return made


def update(language: str) -> list[str]:
    """Bring the files of a language up to date with the sources; the texts that still want a translation.

    What is said no more is taken out; what is there keeps its translation.
    """
    missing = []
    for domain, texts in collect().items():
        old = catalogue(language, domain)
        known = {entry.msgid: entry for entry in old}
        fresh = polib.POFile(wrapwidth=110)
        fresh.metadata = old.metadata
        for text in texts:
            entry = _entry(text, known.get(text.text))
            fresh.append(entry)
            if not entry.translated():
                missing.append(text.text)
        path = LOCALE / language / "LC_MESSAGES" / f"{domain}.po"
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.save(str(path))
    return missing


def _entry(text: Text, old: polib.POEntry | None) -> polib.POEntry:
    made = polib.POEntry(msgid=text.text, occurrences=[(text.place, "")])
    if text.plural:
        made.msgid_plural = text.plural
        made.msgstr_plural = {0: "", 1: ""}
        if old is not None and old.msgid_plural:
            made.msgstr_plural = old.msgstr_plural
    elif old is not None and not old.msgid_plural:
        made.msgstr = old.msgstr
    if "%(" in text.text:
        made.flags.append("python-format")
    return made


def translated(language: str, domain: str, text: str) -> Any:
    """What a language has for a text, as Django finds it; for tests."""
    return DjangoTranslation(language, domain=domain, localedirs=[str(LOCALE)]).gettext(text)
