"""Copies a course: every page in all languages together, under one new key a step, with the key it came from."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _
from wagtail.coreutils import find_available_slug
from wagtail.models import Page

from accounts.models import Subject
from accounts.services import record_audit
from core.errors import InvalidInput
from modules.pages import AssessmentPage, AuthoredPage, CoursePage, LessonPage, ModulePage
from modules.services import find_source_course

MODELS: tuple[type[AuthoredPage], ...] = (CoursePage, ModulePage, LessonPage, AssessmentPage)


@transaction.atomic
def branch_course(
    *, course_page: CoursePage, titles: dict[str, str], user: Any = None, copied_by: Subject | None = None
) -> CoursePage:
    """Copy a course as a new one, unpublished, in every language it has; returns the source language's page.

    `titles` are the new titles by language. Each page gets one new key that its translations share, and each step
    remembers the step it was copied from, so that it is known what a learner has already done. Items and assessments
    are not copied: both courses use the same. Editions, offerings and enrolments stay with the course copied.
    """
    source = find_source_course(course_page)
    pages = [source, *source.get_translations().select_related("locale")]
    missing = [
        page.locale.language_code for page in pages if not titles.get(page.locale.language_code, "").strip()
    ]
    if missing:
        raise InvalidInput(
            _("Give the new course a title in each of its languages. Nothing was copied."),
            errors={f"title_{language}": [_("This title is missing.")] for language in missing},
        )
    # The same slug in every language, that of the source.
    slug = find_available_slug(
        source.get_parent(), slugify(titles[source.locale.language_code])[:200] or "course"
    )
    new_keys: dict[uuid.UUID, uuid.UUID] = {}
    # The source language first: its copies make the new keys, which their translations then share.
    for page in pages:
        copy = page.copy(
            recursive=True,
            to=page.get_parent(),
            update_attrs={"title": titles[page.locale.language_code].strip(), "slug": slug},
            copy_revisions=False,
            keep_live=False,
            user=user,
        )
        _share_keys(page, copy, new_keys)
    made = CoursePage.objects.get(
        translation_key=new_keys[source.translation_key], locale_id=source.locale_id
    )
    record_audit(
        actor=copied_by,
        action="modules.course_copied",
        details={"from": str(source.translation_key), "to": str(made.translation_key)},
    )
    return made


def _share_keys(original: CoursePage, copy: CoursePage, new_keys: dict[uuid.UUID, uuid.UUID]) -> None:
    """Gives each copied page the new key of what it is a copy of, and each step the key it came from."""
    for page, made in zip(_pages_of(original), _pages_of(copy), strict=True):
        made.translation_key = new_keys.setdefault(page.translation_key, made.translation_key)
        if isinstance(made, LessonPage | AssessmentPage):
            made.origin_key = page.translation_key
        made.save(clean=False)
        # What an editor opens is the newest revision, which must know the key too.
        made.save_revision(clean=False)


def _pages_of(course: CoursePage) -> list[AuthoredPage]:
    """The course and everything below it, in order. Four queries."""
    root = Page.objects.get(pk=course.pk)
    pages: list[AuthoredPage] = [
        page for model in MODELS for page in model.objects.descendant_of(root, inclusive=True)
    ]
    return sorted(pages, key=lambda page: page.path)
