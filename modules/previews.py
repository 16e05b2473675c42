"""What an author sees of a page that is not issued yet: the same text that an edition would have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.languages import reading_language
from modules.assets import store_asset
from modules.blocks import LessonBody
from modules.citations import load_sources
from modules.pages import AssessmentPage, AuthoredPage, CoursePage, LessonPage, ModulePage, TrainingPage
from modules.render import RenderedLesson, cited_in, clean_rich_text, render_lesson
from standards.models import Competency, Level


@dataclass(frozen=True)
class Served:
    """A competency that the lesson serves, for the margin."""

    code: str
    title: str
    level: str


def describe_draft(page: AuthoredPage) -> dict[str, Any]:
    """The context of a page's preview. A query for sources, one for mappings, one for children."""
    if isinstance(page, LessonPage):
        return {"lesson": render_draft(page), "served": _find_served(page)}
    context: dict[str, Any] = {"children": page.get_children().order_by("path") if page.pk else []}
    if isinstance(page, CoursePage):
        context |= {
            "lead": page.lead,
            "html": clean_rich_text(page.description),
            "outcomes": [str(block.value) for block in page.outcomes],
            "audience": page.audience,
        }
    elif isinstance(page, TrainingPage | ModulePage):
        context["lead"] = page.summary
    elif isinstance(page, AssessmentPage) and page.assessment is not None:
        context["html"] = clean_rich_text(page.assessment.intro)
    return context


def render_draft(page: LessonPage) -> RenderedLesson:
    """A lesson as its next edition would say it. Its files are kept already, so that they show."""
    language = page.locale.language_code if page.locale_id else "en"
    lesson = render_lesson(body=page.body, language=language, sources=load_sources(cited_in(page.body)))
    for asset in lesson.assets:
        store_asset(asset)
    return lesson


def render_example(name: str, value: Any) -> list[dict[str, Any]]:
    """A block's example as a lesson would show it. No query."""
    body = LessonBody().to_python(
        [{"type": name, "value": LessonBody().child_blocks[name].get_prep_value(value)}]
    )
    return render_lesson(body=body, language=reading_language(), sources={}).segments


def _find_served(page: LessonPage) -> list[Served]:
    mappings = [mapping for mapping in page.mappings.all() if mapping.competency_id]
    known = Competency.objects.in_bulk([mapping.competency_id for mapping in mappings])
    language = page.locale.language_code if page.locale_id else "en"
    return [
        Served(
            code=competency.code,
            title=(competency.title_fr if language == "fr" else competency.title_en) or competency.title_en,
            level=str(Level(mapping.level).label),
        )
        for mapping in mappings
        if (competency := known.get(mapping.competency_id))
    ]
