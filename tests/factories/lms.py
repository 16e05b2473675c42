"""Makers of course editions, offerings and enrolments for tests. Each call makes a new one.

Editions are issued here without pages: what a learner reads does not depend on them. `make_course` gives a short course
that holds every kind of step.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import Organization, User
from accounts.services import subject_of
from assessments.models import AssessmentEdition
from assessments.services import save_response, start_attempt, submit_attempt
from core.canonical import digest
from lms.models import Enrolment, Offering
from lms.services import EnrolmentRequest, enrol_learner, open_step, open_step_sitting
from modules.documents import Outline
from modules.models import CourseEdition, EditionAssessment, StepContent
from standards.models import Competency, EditionCompetency, EditionDomain, FrameworkEdition
from tests.factories.accounts import make_organization
from tests.factories.assessments import make_assignment, make_quiz, words

_numbers = itertools.count(1)

LANGUAGES = ("en", "fr")


def make_framework_edition(*, domains: int = 2, competencies: int = 2) -> FrameworkEdition:
    """A framework of so many domains with so many competencies each: A1, A2, B1, B2."""
    number = next(_numbers)
    framework_key = uuid.uuid4()
    edition = FrameworkEdition.objects.create(
        framework_key=framework_key,
        slug=f"standards-{number}",
        number=1,
        status=FrameworkEdition.Status.ADOPTED,
        title_en="Standards of the tests",
        title_fr="Normes des essais",
        document={},
        digest=digest({"framework": str(framework_key)}),
    )
    for place in range(domains):
        code = "ABCDEFGH"[place]
        domain = EditionDomain.objects.create(
            edition=edition,
            key=uuid.uuid4(),
            code=code,
            position=place,
            title_en=f"Domain {code}",
            title_fr=f"Domaine {code}",
        )
        for one in range(1, competencies + 1):
            _make_competency(edition, domain, code=f"{code}{one}", position=place * competencies + one)
    return edition


def _make_competency(edition: FrameworkEdition, domain: EditionDomain, *, code: str, position: int) -> None:
    titles = {"title_en": f"Does {code}", "title_fr": f"Fait {code}"}
    competency = Competency.objects.create(framework_key=edition.framework_key, code=code, **titles)
    EditionCompetency.objects.create(
        edition=edition,
        domain=domain,
        competency=competency,
        code=code,
        position=position,
        kind="skill",
        statement_en=f"Does {code} well.",
        statement_fr=f"Fait bien {code}.",
        levels={level: words(f"{code} {level}") for level in ("foundational", "practising", "leading")},
        **titles,
    )


def competency_of(edition: FrameworkEdition, code: str, level: str = "foundational") -> dict[str, str]:
    """A competency as a document names it."""
    row = EditionCompetency.objects.get(edition=edition, code=code)
    return {"id": str(row.competency_id), "code": code, "level": level}


# --- Parts of a lesson --------------------------------------------------------------------------------------------


def make_reflection(key: str = "council", *, required: bool = True) -> dict[str, Any]:
    return {
        "type": "reflection",
        "key": key,
        "prompt": f"What about {key}?",
        "help": "A few words.",
        "required": required,
    }


def make_check(key: str = "village", *, required: bool = True, kind: str = "single") -> dict[str, Any]:
    return {
        "type": "check",
        "key": key,
        "prompt": f"What do you say in the {key}?",
        "kind": kind,
        "required": required,
        "options": [{"key": name, "text": f"Option {name}"} for name in "abc"],
    }


def make_worksheet(key: str = "plan", *, fields: Sequence[str] = ("counts", "say")) -> dict[str, Any]:
    return {
        "type": "worksheet",
        "key": key,
        "title": "My number",
        "intro": "Fill it in with your own figures.",
        "fields": [{"key": name, "label": f"The {name}", "help": "", "rows": 3} for name in fields],
    }


def make_html(html: str = "<p>A number.</p>") -> dict[str, Any]:
    return {"type": "html", "html": html}


def make_lesson(slug: str, *, parts: Sequence[Mapping[str, Any]] = (), **fields: Any) -> dict[str, Any]:
    """A lesson for `make_course_edition`."""
    return {"slug": slug, "kind": "lesson", "segments": [make_html(), *parts], **fields}


def make_assessed(slug: str, edition: AssessmentEdition, **fields: Any) -> dict[str, Any]:
    """An assessed step for `make_course_edition`."""
    return {"slug": slug, "kind": edition.kind, "assessment": edition, **fields}


# --- Courses ------------------------------------------------------------------------------------------------------


def make_course_edition(
    *,
    modules: Sequence[Sequence[Mapping[str, Any]]],
    framework: FrameworkEdition | None = None,
    order: str = "sequence",
    languages: Sequence[str] = LANGUAGES,
    course_key: uuid.UUID | None = None,
    slug: str = "",
    number: int = 1,
    title: str = "",
    valid_months: int | None = None,
    starting_content: bool = True,
) -> CourseEdition:
    """An issued course: modules of steps made by `make_lesson` and `make_assessed`."""
    count = next(_numbers)
    framework = framework or make_framework_edition()
    course_key = course_key or uuid.uuid4()
    title = title or f"Course {count}"
    slug = slug or f"course-{count}"
    outline = Outline.from_json(
        {
            "course": {
                "key": str(course_key),
                "slug": slug,
                "title": words(title, f"{title} en français"),
                "lead": words("What it is about.", "De quoi il s’agit."),
                "outcomes": {"en": ["say what a figure shows"], "fr": ["dire ce que montre un chiffre"]},
                "audience": words("coordinators", "coordonnateurs"),
                "order": order,
                "valid_months": valid_months,
                "starting_content": starting_content,
            },
            "training": {
                "key": str(uuid.uuid5(course_key, "training")),
                "slug": f"training-{slug}",
                "title": words(f"Training of {title}", f"Formation de {title}"),
                "summary": words("For small towns.", "Pour les petites villes."),
            },
            "framework": {
                "edition": str(framework.pk),
                "number": framework.number,
                "slug": framework.slug,
                "title": {"en": framework.title_en, "fr": framework.title_fr},
                "digest": framework.digest,
            },
            "languages": list(languages),
            "modules": [
                {
                    "key": str(uuid.uuid4()),
                    "slug": f"module-{place}",
                    "title": words(f"Module {place}"),
                    "steps": [_outline_step(step) for step in steps],
                }
                for place, steps in enumerate(modules, start=1)
            ],
        }
    )
    content = outline.to_json()
    edition = CourseEdition.objects.create(
        course_key=course_key,
        training_key=uuid.uuid5(course_key, "training"),
        slug=slug,
        number=number,
        title_en=title,
        title_fr=f"{title} en français",
        languages=list(languages),
        outline=content,
        framework_edition=framework,
        minutes=outline.minutes,
        valid_months=valid_months,
        starting_content=starting_content,
        digest=digest(content),
    )
    given = [step for steps in modules for step in steps]
    for step, source in zip(outline.iter_steps(), given, strict=True):
        _make_content(edition, step.key, source, languages)
    return edition


def _outline_step(step: Mapping[str, Any]) -> dict[str, Any]:
    parts = [
        {"key": part["key"], "kind": part["type"], "required": bool(part.get("required"))}
        for part in step.get("segments", ())
        if part["type"] in ("check", "reflection", "worksheet")
    ]
    assessment = step.get("assessment")
    return {
        "key": str(step.get("key") or uuid.uuid4()),
        "slug": step["slug"],
        "kind": step["kind"],
        "title": words(step.get("title", step["slug"].replace("-", " ").capitalize())),
        "minutes": step.get("minutes", 10),
        "required": step.get("required", True),
        "public": step.get("public", False),
        "parts": parts,
        "competencies": step.get("competencies", []),
        "assessment": str(assessment.pk) if assessment else None,
        "assessment_digest": assessment.digest if assessment else "",
    }


def _make_content(
    edition: CourseEdition, key: uuid.UUID, step: Mapping[str, Any], languages: Sequence[str]
) -> None:
    if assessment := step.get("assessment"):
        EditionAssessment.objects.create(edition=edition, step_key=key, assessment=assessment)
    title = step.get("title", step["slug"].replace("-", " ").capitalize())
    for language in step.get("languages", languages):
        segments = list(step.get("segments", ()))
        StepContent.objects.create(
            edition=edition,
            step_key=key,
            locale=language,
            title=title if language == "en" else f"{title} (fr)",
            lead="In short." if language == "en" else "En bref.",
            segments=segments,
            sources=list(step.get("sources", ())),
            keys={
                part["key"]: {
                    "correct": ["b"] if part["kind"] == "single" else ["a", "b"],
                    "feedback": {name: f"Said to {name}." for name in "abc"},
                }
                for part in segments
                if part["type"] == "check"
            },
        )


@dataclass(frozen=True, kw_only=True)
class Course:
    """A short course with every kind of step, and the keys of its steps."""

    edition: CourseEdition
    framework: FrameworkEdition
    quiz: AssessmentEdition
    assignment: AssessmentEdition
    steps: Mapping[str, uuid.UUID]


def make_course(
    *, quiz: AssessmentEdition | None = None, assignment: AssessmentEdition | None = None, **fields: Any
) -> Course:
    """Steps `reading` (check and reflection required, worksheet not, open to the public), `plain`, `quiz`, `work`."""
    framework = fields.pop("framework", None) or make_framework_edition()
    quiz = quiz or make_quiz(competency=competency_of(framework, "A1"))
    assignment = assignment or make_assignment(competency=competency_of(framework, "B1", "practising"))
    edition = make_course_edition(
        framework=framework,
        modules=[
            [
                make_lesson(
                    "reading",
                    parts=[make_reflection(), make_check(), make_worksheet()],
                    public=True,
                    competencies=[{**competency_of(framework, "A2"), "counts": "recommend"}],
                ),
                make_lesson("plain", competencies=[{**competency_of(framework, "B2"), "counts": "evidence"}]),
                make_assessed("quiz", quiz),
            ],
            [make_assessed("work", assignment)],
        ],
        **fields,
    )
    outline = Outline.from_json(edition.outline)
    return Course(
        edition=edition,
        framework=framework,
        quiz=quiz,
        assignment=assignment,
        steps={step.slug: step.key for step in outline.iter_steps()},
    )


def make_offering(
    *, edition: CourseEdition, organization: Organization | None = None, **fields: Any
) -> Offering:
    """A self-paced offering, listed and without limits."""
    number = next(_numbers)
    return Offering.objects.create(
        slug=fields.pop("slug", f"offering-{number}"),
        edition=edition,
        organization=organization or make_organization(),
        title_en=fields.pop("title", f"Offering {number}"),
        title_fr=f"Offre {number}",
        **fields,
    )


def make_enrolment(*, user: User, offering: Offering, name: str = "") -> Enrolment:
    """A learner enrolled as they would be by the screen."""
    return enrol_learner(
        EnrolmentRequest(
            offering=offering,
            subject=subject_of(user),
            enrolment_id=uuid.uuid4(),
            certificate_name=name or user.name,
        )
    )


# --- Doing things -------------------------------------------------------------------------------------------------


def finish_lesson(enrolment: Enrolment, step_key: uuid.UUID) -> None:
    """Open a lesson, fill in every part, complete it."""
    from lms.services import PartAnswer, answer_check, complete_lesson, save_reflection
    from modules.selectors import outline_of

    open_step(enrolment=enrolment, step_key=step_key, language="en")
    for part in outline_of(enrolment.edition).steps_by_key()[step_key].parts:
        answer = PartAnswer(step_key=step_key, part_key=part.key, client_id=uuid.uuid4(), language="en")
        if part.kind == "check":
            answer_check(enrolment=enrolment, answer=answer, choices=["b"])
        elif part.kind == "reflection":
            save_reflection(enrolment=enrolment, answer=answer, text="My words.")
    complete_lesson(enrolment=enrolment, step_key=step_key, language="en", client_id=uuid.uuid4())


def sit_quiz(enrolment: Enrolment, step_key: uuid.UUID, *, right: int) -> Any:
    """One attempt with so many right answers, the others wrong; handed in."""
    sitting = open_step_sitting(enrolment=enrolment, step_key=step_key)
    attempt = start_attempt(sitting=sitting, attempt_id=uuid.uuid4(), language="en")
    for number, shown in enumerate(attempt.form["items"]):
        choice = "right" if number < right else "left"
        save_response(
            attempt=attempt,
            item_key=shown["key"],
            raw={"choice": choice},
            client_id=uuid.uuid4(),
            language="en",
        )
    return submit_attempt(attempt=attempt, submit_id=uuid.uuid4(), language="en")
