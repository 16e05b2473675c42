"""What changes from one edition of a course to the next, in sentences for the author."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from assessments.shapes import say
from core.languages import reading_language
from modules.compile import describe_language
from modules.documents import Outline
from modules.rules import Change, ChangeCode, diff_outlines
from standards.models import Level


@dataclass(frozen=True)
class ChangeLine:
    """One change: of what, and the sentence that says it; the page's key leads to its editor."""

    about: str
    sentence: str
    key: uuid.UUID | None
    kind: str


def describe_changes(old: Outline, new: Outline) -> list[ChangeLine]:
    """The changes in course order, in the language in force. No query."""
    language = reading_language()
    titles = {module.key: say(module.title, language) for module in (*old.modules, *new.modules)}
    return [
        ChangeLine(
            about=say(change.title, language),
            sentence=DESCRIBERS[change.code](change, titles),
            key=change.key,
            kind=str(change.code),
        )
        for change in diff_outlines(old, new)
    ]


Titles = Mapping[uuid.UUID, str]


def _added(change: Change, titles: Titles) -> str:
    if change.what == "module":
        return _("The module is new.")
    module = titles.get(change.params["module"], "")
    if change.params["required"]:
        return _("The step is new, in “%(module)s”, and needed to complete the course.") % {"module": module}
    return _("The step is new, in “%(module)s”.") % {"module": module}


def _removed(change: Change, titles: Titles) -> str:
    if change.what == "module":
        return _("The module is taken away.")
    if change.params["required"]:
        return _("The step, which was needed to complete the course, is taken away.")
    return _("The step is taken away.")


def _moved(change: Change, titles: Titles) -> str:
    if change.what == "module" or change.params["module"] == change.params["from_module"]:
        return _("It stands in another place.")
    return _("It moves from “%(old)s” to “%(new)s”.") % {
        "old": titles.get(change.params["from_module"], ""),
        "new": titles.get(change.params["module"], ""),
    }


def _text_changed(change: Change, titles: Titles) -> str:
    return _("The text changes: %(languages)s.") % {"languages": _languages(change.params["languages"])}


def _assessment_changed(change: Change, titles: Titles) -> str:
    return _("Questions, rubric, pass mark or terms of the assessment change.")


def _requirement_changed(change: Change, titles: Titles) -> str:
    fields = change.params["fields"]
    if "order" in fields:
        return (
            _("From now on each step opens the next.")
            if fields["order"][1] == "sequence"
            else _("From now on the steps can be taken in any order.")
        )
    if "required" in fields:
        return (
            _("It is now needed to complete the course.")
            if fields["required"][1]
            else _("It is no longer needed to complete the course.")
        )
    return _("Other questions or reflections are needed to complete it.")


def _competencies_changed(change: Change, titles: Titles) -> str:
    added, removed = change.params["added"], change.params["removed"]
    parts = []
    if added:
        parts.append(_("It now serves %(competencies)s.") % {"competencies": _competencies(added)})
    if removed:
        parts.append(_("It no longer serves %(competencies)s.") % {"competencies": _competencies(removed)})
    return " ".join(parts) or _("The competencies it serves stand in another order.")


def _framework_changed(change: Change, titles: Titles) -> str:
    new = change.params["to"]
    if new is None:
        return _("It no longer rests on any standards.")
    _slug, number, _digest, title = new
    return _("It rests on edition %(number)d of “%(title)s”.") % {
        "number": number,
        "title": say(title, reading_language()),
    }


def _details_changed(change: Change, titles: Titles) -> str:
    names = {
        "slug": _("address"),
        "minutes": _("time it takes"),
        "open_to_public": _("whether the public may read it"),
        "valid_months": _("how long the certificate is valid"),
        "starting_content": _("the mark “starting content”"),
        "languages": _("languages"),
        "training": _("training"),
        "outcomes": _("what a person can do afterwards"),
        "kind": _("kind"),
        "parts": _("questions and worksheets"),
        "origin": _("the step it was copied from"),
        "key": _("key"),
    }
    fields = [names.get(name, name) for name in change.params["fields"]]
    return _("Other changes: %(fields)s.") % {"fields": ", ".join(fields)}


DESCRIBERS: Mapping[ChangeCode, Callable[[Change, Titles], str]] = {
    ChangeCode.ADDED: _added,
    ChangeCode.REMOVED: _removed,
    ChangeCode.MOVED: _moved,
    ChangeCode.TEXT_CHANGED: _text_changed,
    ChangeCode.ASSESSMENT_CHANGED: _assessment_changed,
    ChangeCode.REQUIREMENT_CHANGED: _requirement_changed,
    ChangeCode.COMPETENCIES_CHANGED: _competencies_changed,
    ChangeCode.FRAMEWORK_CHANGED: _framework_changed,
    ChangeCode.DETAILS_CHANGED: _details_changed,
}


def _languages(codes: Iterable[str]) -> str:
    return ", ".join(describe_language(code) for code in codes)


def _competencies(served: Iterable[tuple[Any, ...]]) -> str:
    return ", ".join(f"{code} ({Level(level).label})" for code, level, _counts in served)
