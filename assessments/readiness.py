"""Whether an item or an assessment, as authors have it now, could be issued; if not, why."""

from __future__ import annotations

import uuid
from collections import Counter

from django.utils.translation import gettext as _

from assessments.compile import draft_sections, find_item_problems, find_problems
from assessments.snippets import Assessment, Item
from standards.models import Competency, FrameworkEdition
from standards.selectors import current_edition


def say_readiness(thing: Item | Assessment) -> list[str]:
    """Sentences on what keeps a thing from being part of an edition; none where it is ready.

    About ten queries, however many items an assessment has.
    """
    return check_item(thing) if isinstance(thing, Item) else check_assessment(thing)


def check_item(item: Item) -> list[str]:
    """The item in all its languages, without regard to an edition of the standards. Three queries."""
    return find_item_problems(item)


def check_assessment(assessment: Assessment) -> list[str]:
    framework = find_framework(assessment)
    if framework is None:
        return [_("No edition of the standards is issued yet, so nothing can be checked against it.")]
    return find_problems(assessment=assessment, framework_edition=framework)


def find_framework(assessment: Assessment) -> FrameworkEdition | None:
    """The edition in force of the framework that most of its competencies belong to, else of any. Four queries."""
    keys: Counter[uuid.UUID] = Counter()
    competencies = {
        item.competency_id for _title, _draw, items in draft_sections(assessment) for item in items
    }
    for key in Competency.objects.filter(pk__in={key for key in competencies if key}).values_list(
        "framework_key", flat=True
    ):
        keys[key] += 1
    codes = {block.value["competency"] for block in assessment.rubric if block.value["competency"]}
    for key in Competency.objects.filter(code__in=codes).values_list("framework_key", flat=True):
        keys[key] += 1
    for key, _count in keys.most_common():
        if edition := current_edition(key):
            return edition
    known = FrameworkEdition.objects.order_by("-issued_at").values_list("framework_key", flat=True).first()
    return current_edition(known) if known else None
