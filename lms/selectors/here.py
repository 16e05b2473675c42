"""A step of one's own course by its address, without the way around it: what an action in it needs to know."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404

from lms import texts
from lms.models import Enrolment
from lms.selectors.ways import enrolment_url, step_url
from modules.documents import OutlineStep
from modules.selectors import outline_of


@dataclass(frozen=True, kw_only=True)
class StepHere:
    """A step with its number, and the one after it."""

    enrolment: Enrolment
    step: OutlineStep
    number: str
    next: OutlineStep | None

    @property
    def full_title(self) -> str:
        return f"{self.number} {self.step.title_in(texts.language())}"

    @property
    def url(self) -> str:
        return step_url(self.enrolment, self.step)

    @property
    def next_url(self) -> str:
        """Where one goes on who is done here: to the next step, or back to the course."""
        return step_url(self.enrolment, self.next) if self.next else enrolment_url(self.enrolment)


def find_here(enrolment: Enrolment, slug: str) -> StepHere:
    """A step of a learner's own course by its address; 404 where there is none. No query."""
    steps = [
        (f"{number}.{place}", step)
        for number, module in enumerate(outline_of(enrolment.edition).modules, start=1)
        for place, step in enumerate(module.steps, start=1)
    ]
    for position, (number, step) in enumerate(steps, start=1):
        if slug in (step.slug, str(step.key)):
            after = steps[position][1] if position < len(steps) else None
            return StepHere(enrolment=enrolment, step=step, number=number, next=after)
    raise Http404("This step is not part of the course.")
