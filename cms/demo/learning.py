"""A learner of the demo at work: everything goes through the same services as a real learner's click."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from accounts.models import Subject
from assessments import services as assessments
from assessments.documents import AssessmentDocument
from assessments.documents import Item as ItemDocument
from assessments.models import Attempt, Mark
from assessments.rules import Form
from cms.demo.cast import key_of
from core import clock
from lms import services as lms
from lms.models import Enrolment, StepProgress
from lms.services.learning import content_of
from modules.documents import OutlineStep
from modules.selectors import outline_of

WORDS: Final = {
    "en": {
        "reflection": "In our town the question comes up every spring. I would put ten years beside the last figure.",
        "worksheet": "Monthly police report, the clinic’s intake counts, and what people say at the co-op.",
        "submission": (
            "Tamarack Bend (invented) had nine break-ins last year and six the year before. Over ten years, two to "
            "twelve is usual, so this is not yet a trend. Seven of the nine were to sheds and shops at the edge of "
            "town, between October and December, on evenings when the yards stood dark. Farm families and two shop "
            "owners were harmed. We will look at where and when each happened, with the people concerned, before "
            "we choose what to do."
        ),
    },
    "fr": {
        "reflection": "Chez nous, la question revient chaque printemps. Je mettrais dix ans à côté du dernier chiffre.",
        "worksheet": "Le rapport mensuel de la police, les demandes à la clinique et ce qui se dit à la coopérative.",
        "submission": (
            "À Tamarack Bend (ville inventée), il y a eu neuf introductions par effraction l’an dernier et six "
            "l’année d’avant. Sur dix ans, de deux à douze, c’est habituel : ce n’est donc pas encore une tendance. "
            "Sept des neuf touchaient des remises et des ateliers en bordure de la ville, d’octobre à décembre, le "
            "soir, dans des cours sans éclairage. Des familles agricoles et deux commerces ont été touchés. Nous "
            "regarderons avec les personnes concernées où et quand chaque fait s’est produit, avant de choisir "
            "quoi faire."
        ),
    },
}


@dataclass
class Walker:
    """Walks one enrolment through the course, step by step, at moments that go forward."""

    enrolment: Enrolment
    language: str
    moment: datetime
    pace: timedelta = timedelta(days=2)
    chance: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self.chance.seed(str(self.enrolment.pk))
        self.steps = list(outline_of(self.enrolment.edition).iter_steps())

    def key(self, *parts: object) -> uuid.UUID:
        return key_of(str(self.enrolment.pk), *map(str, parts))

    def forward(self, **delta: float) -> None:
        self.moment += timedelta(**delta) if delta else self.pace
        self.moment = min(self.moment, clock.now() - timedelta(minutes=5))

    def lesson(self, step: OutlineStep, *, finish: bool = True) -> None:
        """Open a lesson, fill in its parts and, unless stopped half-way, complete it."""
        with clock.set_to(self.moment):
            lms.open_step(enrolment=self.enrolment, step_key=step.key, language=self.language)
        content = content_of(self.enrolment, step.key, self.language)
        for part in [
            part for part in content.segments if part["type"] in {"reflection", "check", "worksheet"}
        ]:
            if not finish and self.chance.random() < 0.6:
                continue
            self.forward(minutes=6)
            answer = lms.PartAnswer(
                step_key=step.key,
                part_key=part["key"],
                client_id=self.key(step.key, part["key"]),
                language=self.language,
            )
            with clock.set_to(self.moment):
                self._fill(part, content.keys, answer)
        if finish:
            self.forward(minutes=4)
            with clock.set_to(self.moment):
                lms.complete_lesson(
                    enrolment=self.enrolment,
                    step_key=step.key,
                    language=self.language,
                    client_id=self.key(step.key, "complete"),
                )
        self.forward()

    def _fill(self, part: dict[str, Any], keys: dict[str, Any], answer: lms.PartAnswer) -> None:
        words = WORDS[self.language]
        if part["type"] == "reflection":
            lms.save_reflection(enrolment=self.enrolment, answer=answer, text=words["reflection"])
        elif part["type"] == "worksheet":
            fields = {entry["key"]: words["worksheet"] for entry in part["fields"]}
            lms.save_worksheet(enrolment=self.enrolment, answer=answer, fields=fields)
        else:
            right = keys[part["key"]]["correct"]
            wrong = [option["key"] for option in part["options"] if option["key"] not in right]
            choices = wrong[:1] if wrong and self.chance.random() < 0.25 else right
            lms.answer_check(enrolment=self.enrolment, answer=answer, choices=choices)

    def start(self, step: OutlineStep, number: int = 1) -> Attempt:
        with clock.set_to(self.moment):
            lms.open_step(enrolment=self.enrolment, step_key=step.key, language=self.language)
            sitting = lms.open_step_sitting(enrolment=self.enrolment, step_key=step.key)
            return assessments.start_attempt(
                sitting=sitting, attempt_id=self.key(step.key, "attempt", number), language=self.language
            )

    def quiz(self, step: OutlineStep, *, right: float, number: int = 1, submit: bool = True) -> Attempt:
        """Answer a quiz; about the share `right` of the answers is right."""
        attempt = self.start(step, number)
        document = assessments.document_of(attempt.sitting.edition)
        items = document.items_by_key()
        keys = Form.from_json(attempt.form).keys
        wanted = round(len(keys) * right)
        for place, key in enumerate(keys):
            if not submit and place > len(keys) // 2:
                break
            self.forward(minutes=1)
            with clock.set_to(self.moment):
                assessments.save_response(
                    attempt=attempt,
                    item_key=key,
                    raw=answer_item(items[key], right=place < wanted, language=self.language),
                    client_id=self.key(attempt.pk, key),
                    language=self.language,
                )
        if submit:
            with clock.set_to(self.moment):
                attempt = assessments.submit_attempt(
                    attempt=attempt, submit_id=self.key(attempt.pk, "submit"), language=self.language
                )
        self.forward()
        return attempt

    def assignment(self, step: OutlineStep) -> Attempt:
        """Write the assignment and hand it in."""
        attempt = self.start(step)
        with clock.set_to(self.moment):
            assessments.save_submission(
                attempt=attempt,
                text=WORDS[self.language]["submission"],
                files=[],
                client_id=self.key(attempt.pk, "submission"),
            )
            attempt = assessments.submit_attempt(
                attempt=attempt, submit_id=self.key(attempt.pk, "submit"), language=self.language
            )
        self.forward(hours=20)
        return attempt

    def marked(self, attempt: Attempt, marker: Subject, *, decision: str, level: int, comment: str) -> Mark:
        document: AssessmentDocument = assessments.document_of(attempt.sitting.edition)
        levels = {criterion.key: min(level, len(criterion.levels) - 1) for criterion in document.rubric}
        with clock.set_to(self.moment):
            mark = lms.mark_submission(
                attempt=attempt,
                actor=marker,
                judgement=assessments.Judgement(decision=decision, levels=levels, comment=comment),
                client_id=self.key(attempt.pk, "mark"),
            )
        self.forward()
        return mark

    def is_complete(self, step: OutlineStep) -> bool:
        return StepProgress.objects.filter(
            enrolment=self.enrolment, step_key=step.key, completed_at__isnull=False
        ).exists()


def answer_item(item: ItemDocument, *, right: bool, language: str) -> dict[str, Any]:
    """A raw answer to an item, right or wrong on purpose."""
    if item.kind in {"single", "multiple"}:
        chosen = [option.key for option in item.options if option.correct == right]
        if item.kind == "single":
            return {"choice": chosen[0]}
        return {"choices": chosen}
    if item.kind == "true_false":
        return {"choice": "true" if bool(item.answer) == right else "false"}
    if item.kind == "numeric":
        assert item.answer is not None
        return {"number": str(item.answer if right else item.answer + 1000)}
    accepted = item.accept.get(language) or next(iter(item.accept.values()))
    return {"text": accepted[0] if right else "?"}
