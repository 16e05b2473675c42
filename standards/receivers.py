"""News heard from below."""

from __future__ import annotations

from typing import Any

from standards.pages import CompetencyPage
from standards.services import register_competency_page


def hear_of_published_competency(
    sender: type[CompetencyPage], instance: CompetencyPage, **kwargs: Any
) -> None:
    """A published competency can be chosen by lessons and relations from then on."""
    register_competency_page(page=instance)
