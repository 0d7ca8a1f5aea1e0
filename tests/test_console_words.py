"""The console's texts: every one of them has its German, and German pages are German."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from stackyard.console.wording import catalogue, collect
from stackyard.core.models import Workspace
from stackyard.runs.run_kind import RunKind
from stackyard.start.words import compile_all

_PLACES = re.compile(r"\{\w*\}|%\(\w+\)s|<[^>]+>")


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_every_text_has_a_german_one_with_the_same_places(domain: str) -> None:
    known = {entry.msgid: entry for entry in catalogue("de", domain)}
    faults = []
    of_tests = {
        f"kind {name}" for name, kind in RunKind.all().items() if kind.__module__.startswith("tests.")
    }
    for text in collect()[domain]:
        if text.place in of_tests:
            continue
        entry = known.get(text.text)
        if entry is None or not entry.translated():
            faults.append(f"not translated: {text.text!r} ({text.place})")
        else:
            said = entry.msgstr_plural[1] if text.plural else entry.msgstr
            if set(_PLACES.findall(said)) != set(_PLACES.findall(text.plural or text.text)):
                faults.append(f"other places: {text.text!r} is {said!r}")
    assert not faults, "`manage.py words de` brings the list up to date.\n" + "\n".join(faults)


def test_a_page_is_in_the_language_that_the_browser_asks_for(console: Client, workspace: Workspace) -> None:
    compile_all()
    for name, german in {
        "admin:tables_table_changelist": "Tabelle anlegen",
        "admin:tables_table_add": "Gleitkommazahl",
        "admin:stacks_function_add": "Arbeitsbereich",
        "admin:accounts_apikey_add": "Bereiche",
    }.items():
        answer: Any = console.get(reverse(name), headers={"Accept-Language": "de"})
        assert german in answer.content.decode(), name
        assert '<html lang="de"' in answer.content.decode()
