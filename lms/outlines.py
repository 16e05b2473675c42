"""The outlines of course editions, parsed once a process: an edition never changes."""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterable

from lms.rules import CourseSteps
from modules.documents import Outline
from modules.models import CourseEdition

# Parsed outlines that a process keeps; the one used longest ago goes first.
KEPT = 64

Parsed = tuple[Outline, CourseSteps]

_parsed: OrderedDict[tuple[uuid.UUID, str], Parsed] = OrderedDict()
_lock = threading.Lock()


def _find(edition: CourseEdition) -> Parsed | None:
    with _lock:
        found = _parsed.get((edition.pk, edition.digest))
        if found is not None:
            _parsed.move_to_end((edition.pk, edition.digest))
        return found


def _keep(edition: CourseEdition, data: object) -> Parsed:
    outline = Outline.from_json(data)
    parsed = outline, CourseSteps.from_outline(outline)
    with _lock:
        _parsed[edition.pk, edition.digest] = parsed
        while len(_parsed) > KEPT:
            _parsed.popitem(last=False)
    return parsed


def _parse(edition: CourseEdition) -> Parsed:
    return _find(edition) or _keep(edition, edition.outline)


def outline_of(edition: CourseEdition) -> Outline:
    """The outline of an edition. At most one query, where it was left out of the row and is not kept yet."""
    return _parse(edition)[0]


def steps_of(edition: CourseEdition) -> CourseSteps:
    """What the course engine needs to know of its steps, at the same cost."""
    return _parse(edition)[1]


def prime_outlines(editions: Iterable[CourseEdition]) -> None:
    """Read the outlines that the process does not keep yet, all in one query; none where it keeps them all."""
    missing = {edition.pk: edition for edition in editions if _find(edition) is None}
    if not missing:
        return
    rows = CourseEdition.objects.filter(pk__in=list(missing)).values_list("pk", "outline")
    for key, data in rows:
        _keep(missing[key], data)
