"""Reads that combine floors for the screens of the site."""

from __future__ import annotations

from typing import Any

from modules.documents import Outline
from modules.selectors import published_courses
from standards.models import FrameworkEdition
from standards.selectors import rank_status


def home_sections(language: str) -> dict[str, Any]:
    """What the home page shows of trainings and standards. Four queries, whatever their number."""
    courses = []
    for edition in published_courses():
        outline = Outline.from_json(edition.outline)
        courses.append(
            {
                "title": edition.title_in(language),
                "slug": edition.slug,
                "lead": outline.lead.get(language) or outline.lead.get("en", ""),
                "minutes": sum(step.minutes for step in outline.iter_steps()),
                "languages": edition.languages,
            }
        )
    framework = FrameworkEdition.objects.order_by(rank_status(), "-number").defer("document").first()
    domains = []
    if framework:
        domains = [
            {"code": domain.code, "title": domain.title_in(language)} for domain in framework.domains.all()
        ]
    return {
        "courses": courses,
        "framework": framework,
        "framework_title": framework.title_in(language) if framework else "",
        "domains": domains,
        "competency_count": framework.competencies.count() if framework else 0,
    }
