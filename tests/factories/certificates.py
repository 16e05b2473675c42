"""Makes completed courses and certificates to test with: small editions, written straight into their tables."""

from __future__ import annotations

import itertools
import uuid
from datetime import datetime
from typing import Any

from django_tasks_db.models import DBTaskResult

from accounts.models import Organization, Subject, User
from accounts.services import subject_of
from certificates.models import Certificate
from certificates.services import issue_certificate
from core import clock
from core.canonical import digest
from lms.models import Enrolment, Evidence, Offering
from lms.services import EnrolmentRequest, complete_lesson, enrol_learner
from modules.documents import FrameworkRef, Mapped, Outline, OutlineModule, OutlineStep, TrainingRef
from modules.models import CourseEdition
from standards.models import Competency, EditionCompetency, EditionDomain, FrameworkEdition
from tests.factories.accounts import make_organization, make_user

_numbers = itertools.count(1)

TITLES = [
    ("Explains how setting and distance shape safety", "Explique l’effet du milieu et de la distance"),
    ("Interprets figures for a small population", "Interprète les chiffres d’un petit milieu"),
    ("Writes a problem description", "Rédige un énoncé de problème"),
]


def make_framework_edition(*, competencies: int = 3) -> FrameworkEdition:
    """An adopted edition of a new framework with so many competencies in one domain."""
    number = next(_numbers)
    edition = FrameworkEdition.objects.create(
        framework_key=uuid.uuid4(),
        slug=f"standards-{number}",
        number=1,
        status=FrameworkEdition.Status.ADOPTED,
        title_en="Standards of Knowledge and Skills",
        title_fr="Normes de connaissances et d’habiletés",
        document={},
        digest=digest({"framework": number}),
    )
    domain = EditionDomain.objects.create(
        edition=edition, key=uuid.uuid4(), code="A", position=1, title_en="Understand", title_fr="Comprendre"
    )
    for place in range(competencies):
        en, fr = TITLES[place % len(TITLES)]
        competency = Competency.objects.create(framework_key=edition.framework_key, code=f"A{place + 1}")
        EditionCompetency.objects.create(
            edition=edition,
            domain=domain,
            competency=competency,
            code=f"A{place + 1}",
            position=place,
            kind="skill",
            title_en=en,
            title_fr=fr,
            statement_en=en,
            statement_fr=fr,
            levels={},
        )
    return edition


def make_course_edition(
    *,
    framework: FrameworkEdition | None = None,
    valid_months: int | None = None,
    lessons: int = 2,
    **fields: Any,
) -> CourseEdition:
    """An issued edition of a new course: lessons that need nothing but to be read, the first with evidence."""
    framework = framework or make_framework_edition()
    number = next(_numbers)
    first = framework.competencies.order_by("position").first()
    assert first is not None
    mapped = Mapped(id=str(first.competency_id), code=first.code, level="foundational", counts="evidence")
    steps = tuple(
        OutlineStep(
            key=uuid.uuid4(),
            slug=f"lesson-{place + 1}",
            kind="lesson",
            title={"en": f"Lesson {place + 1}", "fr": f"Leçon {place + 1}"},
            minutes=20,
            competencies=(mapped,) if place == 0 else (),
        )
        for place in range(lessons)
    )
    title = {"en": "Rural Crime Prevention", "fr": "Prévention de la criminalité en milieu rural"}
    outline = Outline(
        key=uuid.uuid4(),
        slug=f"rural-{number}",
        title=title,
        valid_months=valid_months,
        training=TrainingRef(key=uuid.uuid4(), slug="rural", title=title),
        framework=FrameworkRef(
            edition=framework.pk,
            number=framework.number,
            slug=framework.slug,
            title={"en": framework.title_en, "fr": framework.title_fr},
            digest=framework.digest,
        ),
        modules=(OutlineModule(key=uuid.uuid4(), slug="module", title=title, steps=steps),),
    )
    data = outline.to_json()
    assert outline.key is not None
    assert outline.training is not None
    values: dict[str, Any] = {
        "course_key": outline.key,
        "training_key": outline.training.key,
        "slug": outline.slug,
        "number": 1,
        "title_en": title["en"],
        "title_fr": title["fr"],
        "languages": ["en", "fr"],
        "outline": data,
        "framework_edition": framework,
        "minutes": 20 * lessons,
        "valid_months": valid_months,
        "digest": digest(outline.to_digest_json()),
    }
    return CourseEdition.objects.create(**{**values, **fields})


def make_offering(
    *,
    edition: CourseEdition | None = None,
    organization: Organization | None = None,
    partner: Organization | None = None,
    **fields: Any,
) -> Offering:
    number = next(_numbers)
    return Offering.objects.create(
        slug=f"offering-{number}",
        edition=edition or make_course_edition(),
        organization=organization or make_organization(),
        partner=partner,
        title_en=f"Cohort {number}",
        title_fr=f"Cohorte {number}",
        **fields,
    )


def enrol(*, user: User, offering: Offering, name: str = "") -> Enrolment:
    """The person enrolled by the service, under this name for the certificate or their own."""
    return enrol_learner(
        EnrolmentRequest(
            offering=offering,
            subject=subject_of(user),
            enrolment_id=uuid.uuid4(),
            certificate_name=name or user.name,
        )
    )


def add_evidence(
    enrolment: Enrolment,
    *,
    code: str,
    level: str = "foundational",
    kind: str = Evidence.Kind.ATTEMPT,
    points: str = "7",
    of: str = "8",
    strength: str = "holds",
    assessor: Subject | None = None,
) -> Evidence:
    """Evidence of this enrolment for the competency with that code."""
    named = enrolment.edition.framework_edition.competencies.get(code=code)
    return Evidence.objects.create(
        subject=enrolment.subject,
        edition_competency=named,
        level=level,
        kind=kind,
        strength=strength,
        source=uuid.uuid4(),
        enrolment=enrolment,
        step_key=uuid.uuid4(),
        assessor=assessor,
        result={"points": points, "max_points": of} if kind == Evidence.Kind.ATTEMPT else {},
        valid_from=clock.now(),
    )


def complete(enrolment: Enrolment, *, language: str = "en") -> Enrolment:
    """Every lesson of the course completed by the service: the last one announces the course."""
    for step in Outline.from_json(enrolment.edition.outline).iter_steps():
        complete_lesson(enrolment=enrolment, step_key=step.key, language=language, client_id=uuid.uuid4())
    return enrolment


def make_completed(
    *,
    user: User | None = None,
    offering: Offering | None = None,
    name: str = "",
    language: str = "en",
    evidence: bool = True,
    **fields: Any,
) -> Enrolment:
    """A completed enrolment with evidence of three kinds; its certificate is not issued yet."""
    enrolment = enrol(
        user=user or make_user(),
        offering=offering or make_offering(edition=make_course_edition(**fields)),
        name=name,
    )
    if evidence:
        add_evidence(enrolment, code="A2", level="practising")
        add_evidence(enrolment, code="A3", kind=Evidence.Kind.ASSIGNMENT)
    return complete(enrolment, language=language)


def make_certificate(*, at: datetime | None = None, **fields: Any) -> Certificate:
    """An issued certificate of a new, completed enrolment; without its PDFs. `at`: everything happens then."""
    with clock.set_to(at or clock.now()):
        return issue_certificate(enrolment=make_completed(**fields))


def run_tasks() -> int:
    """Run every task that is ready, as a worker would, until none is; returns how many ran."""
    count = 0
    while (row := DBTaskResult.objects.ready().order_by("enqueued_at").first()) is not None:
        row.claim(f"test-{count}")
        result = row.task.call(*row.args_kwargs["args"], **row.args_kwargs["kwargs"])
        row.set_successful(result)
        count += 1
    return count
