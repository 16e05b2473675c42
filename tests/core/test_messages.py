"""French is merged, compiled and compared with what the code asks for."""

from __future__ import annotations

import gettext
from pathlib import Path

import polib
import pytest

from core.messages import MergeConflict, compare, compile_catalogue, extract_messages, merge_fragments

ONE = """
msgid "Lesson"
msgstr "Leçon"

msgid "%(n)s step"
msgid_plural "%(n)s steps"
msgstr[0] "%(n)s étape"
msgstr[1] "%(n)s étapes"
"""
TWO = """
msgid "Lesson"
msgstr "Leçon"

msgctxt "verb"
msgid "Open"
msgstr "Ouvrir"
"""


@pytest.fixture
def locale(tmp_path: Path) -> Path:
    fragments = tmp_path / "fragments"
    fragments.mkdir()
    (fragments / "lms.po").write_text(ONE, encoding="utf-8")
    (fragments / "modules.po").write_text(TWO, encoding="utf-8")
    return tmp_path


def test_fragments_become_one_catalogue_that_python_reads(locale: Path) -> None:
    with compile_catalogue(locale).open("rb") as file:
        french = gettext.GNUTranslations(file)
    assert french.gettext("Lesson") == "Leçon"
    assert french.pgettext("verb", "Open") == "Ouvrir"
    assert french.ngettext("%(n)s step", "%(n)s steps", 0) == "%(n)s étape"
    assert french.ngettext("%(n)s step", "%(n)s steps", 2) == "%(n)s étapes"


def test_two_floors_cannot_contradict_each_other(locale: Path) -> None:
    (locale / "fragments" / "standards.po").write_text('msgid "Lesson"\nmsgstr "Cours"\n', encoding="utf-8")
    with pytest.raises(MergeConflict, match=r"“Lesson” differs in lms\.po and standards\.po"):
        merge_fragments((locale / "fragments").glob("*.po"))


def make(**messages: str) -> polib.POFile:
    catalogue = polib.POFile()
    for name, text in messages.items():
        catalogue.append(polib.POEntry(msgid=name, msgstr=text))
    return catalogue


def test_what_is_missing_or_would_break_is_told() -> None:
    wanted = make(**{"Lesson": "", "Course": "", "%(count)s seats": ""})
    french = make(**{"Lesson": "Leçon", "%(count)s seats": "%(nombre)s places", "Old": "Vieux"})
    found = compare(wanted=wanted, catalogue=french)
    assert found.missing == ["“Course”"]
    assert found.malformed == ["“%(count)s seats”: the placeholders differ in French"]
    assert found.unused == ["“Old”"]
    assert not found.is_whole


@pytest.mark.needs("xgettext")
def test_code_and_templates_are_searched(tmp_path: Path) -> None:
    (tmp_path / "lms").mkdir()
    (tmp_path / "lms" / "views.py").write_text(
        'from django.utils.translation import gettext as _\n_("In code")\n'
    )
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.html").write_text('{% load i18n %}{% translate "In a template" %}')
    found = extract_messages(tmp_path, ["lms", "templates"])
    assert {entry.msgid for entry in found} == {"In code", "In a template"}
