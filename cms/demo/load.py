"""Loads the demo: places, people, offerings, a cohort at work, and certificates in every state.

Everything goes through the services that real clicks go through, with the clock set to the day it is said to have
happened. Loading again adds only what is missing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils.translation import override

from accounts.models import Consent, Organization, Role, Subject, User
from accounts.services import give_consent, grant_role, register_person, subject_of
from assessments.models import Mark
from certificates.models import Certificate, StatusEntry
from certificates.services import (
    Correction,
    issue_certificate,
    revoke_certificate,
    show_publicly,
    supersede_certificate,
)
from cms.demo.cast import (
    COHORT,
    COHORT_NAMES,
    PASSWORD,
    PAST_COHORT,
    PLACES,
    PLAYERS,
    SELF_PACED,
    Player,
    cohort_address,
    demo_enrolments,
    key_of,
)
from cms.demo.learning import Walker
from core import clock
from lms import services as lms
from lms.models import CourseProgress, Enrolment, Offering
from modules.documents import Outline
from modules.models import CourseEdition
from modules.selectors import outline_of

ZONE: Final = ZoneInfo("America/Regina")
COURSE: Final = "rural-crime-prevention"
RETURNED: Final = {
    "en": "A clear start. Say how many years the usual range covers, and who was harmed. Then hand it in again.",
    "fr": "Un bon début. Dites combien d’années couvre l’étendue habituelle, et qui a été touché. Puis remettez-le.",
}
MARKED: Final = {
    "en": "Plain words, honest numbers, and the people first. Your council can act on this.",
    "fr": "Des mots simples, des chiffres honnêtes, et les gens d’abord. Votre conseil peut agir à partir de cela.",
}


def load_demo(*, report: Callable[[str], None]) -> None:
    """Make the demo, or complete it."""
    edition = CourseEdition.objects.filter(slug=COURSE).order_by("-number").first()
    if edition is None:
        report("There is no course to show yet: run load_content first.")
        return
    places = {place.slug: _make_place(place.slug) for place in PLACES}
    people = {player.role: _make_player(player, places) for player in PLAYERS}
    report(f"{len(people)} demo accounts stand.")
    offerings = _make_offerings(edition, places, people["instructor"])
    report("Three offerings stand.")
    for number, (name, place, language, how_far) in enumerate(COHORT_NAMES):
        if Enrolment.objects.filter(pk=key_of(COHORT, name)).exists():
            continue
        with transaction.atomic():
            user = _make_cohort_member(name, places[place], language)
            _walk(
                offerings[COHORT],
                user,
                language=language,
                how_far=how_far,
                number=number,
                marker=subject_of(people["instructor"]),
            )
        report(f"  {number + 1} of {len(COHORT_NAMES)} learners of the cohort are at work.")
    _walk_player(offerings[SELF_PACED], people["learner"])
    _make_expired(offerings[PAST_COHORT], places)
    _make_certificates(subject_of(people["admin"]), report)


def _make_place(slug: str) -> Organization:
    place = next(place for place in PLACES if place.slug == slug)
    network = Organization.objects.filter(kind=Organization.Kind.NETWORK).first()
    if place.kind == Organization.Kind.NETWORK and network:
        return network
    return Organization.objects.get_or_create(
        slug=slug,
        defaults={
            "kind": place.kind,
            "name_en": place.name_en,
            "name_fr": place.name_fr,
            "province": place.province,
        },
    )[0]


def _make_person(*, email: str, name: str, language: str) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        user = register_person(
            email=email, name=name, password=PASSWORD, language=language, time_zone=str(ZONE)
        )
        EmailAddress.objects.filter(user=user).update(verified=True, primary=True)
    return user


@transaction.atomic
def _make_player(player: Player, places: dict[str, Organization]) -> User:
    user = _make_person(email=player.email, name=player.name, language=player.language)
    grant_role(user=user, organization=places[player.place], what=player.what)
    return user


def _make_cohort_member(name: str, place: Organization, language: str) -> User:
    """A person who works for that place."""
    user = _make_person(email=cohort_address(name), name=name, language=language)
    grant_role(user=user, organization=place, what=Role.What.MEMBER)
    return user


def _at(day: datetime, hour: int) -> datetime:
    return datetime.combine(day.astimezone(ZONE).date(), time(hour), ZONE)


def _make_offerings(
    edition: CourseEdition, places: dict[str, Organization], instructor: User
) -> dict[str, Offering]:
    now = clock.now()
    college, network = places["prairie-lakes-college"], places["network"]
    wanted = {
        COHORT: {
            "edition": edition,
            "organization": college,
            "partner": college,
            "kind": Offering.Kind.COHORT,
            "title_en": "Fall 2026 cohort",
            "title_fr": "Cohorte de l’automne 2026",
            "opens_at": _at(now - timedelta(days=42), 8),
            "closes_at": _at(now + timedelta(days=45), 23),
            "seats": 30,
            "created_at": now - timedelta(days=60),
        },
        SELF_PACED: {
            "edition": edition,
            "organization": network,
            "kind": Offering.Kind.SELF_PACED,
            "title_en": "At your own pace",
            "title_fr": "À votre rythme",
            "created_at": now - timedelta(days=60),
        },
        PAST_COHORT: {
            "edition": edition,
            "organization": college,
            "partner": college,
            "kind": Offering.Kind.PILOT,
            "title_en": "Pilot of 2021",
            "title_fr": "Projet pilote de 2021",
            "is_listed": False,
            "created_at": now - timedelta(days=365 * 6),
        },
    }
    offerings = {}
    for slug, values in wanted.items():
        offering, _made = Offering.objects.get_or_create(
            slug=slug, defaults={**values, "time_zone": str(ZONE)}
        )
        offering.instructors.add(instructor)
        offerings[slug] = offering
    return offerings


def _enrol(offering: Offering, user: User, moment: datetime, *, key: uuid.UUID) -> Enrolment:
    role = user.roles.select_related("organization").first()
    with clock.set_to(moment):
        return lms.enrol_learner(
            lms.EnrolmentRequest(
                offering=offering,
                subject=subject_of(user),
                enrolment_id=key,
                certificate_name=user.name,
                organization=role.organization if role else None,
            )
        )


# The share of a quiz that is answered right.
RIGHT: Final = {"done": 0.9, "open": 1.0, "failed": 0.4}


@dataclass(frozen=True)
class Plan:
    """How far a learner got: the step they last worked at, how that ended, and whether they have been away since."""

    at: int
    ending: str
    is_stuck: bool

    @property
    def pauses(self) -> int:
        """How often the learner pauses between steps on the way there."""
        return max(self.at, 0)


def read_plan(how_far: str, outline: Outline) -> Plan:
    """A plan from the words of the cast: “complete”, “final” (not passed), or a step’s place in the course."""
    steps = list(outline.iter_steps())
    places = [
        f"{number}.{place}"
        for number, module in enumerate(outline.modules, start=1)
        for place, _step in enumerate(module.steps, start=1)
    ]
    where, *words = how_far.split()
    if where == "enrolled":
        return Plan(-1, "", is_stuck=False)
    if where in places:
        ending = "failed" if "failed" in words else "open"
        return Plan(places.index(where), ending, is_stuck="stuck" in words)
    if where in {"waiting", "returned"}:
        assignment = next(number for number, step in enumerate(steps) if step.kind == "assignment")
        return Plan(assignment, where, is_stuck=False)
    # To the end; “complete” and the like say what became of the certificate.
    return Plan(len(steps) - 1, "failed" if where == "final" else "done", is_stuck=False)


def _pace(plan: Plan, number: int) -> tuple[timedelta, timedelta]:
    """How long ago a learner began, and how long they pause, so that they last worked some days ago."""
    last = 15 + number % 4 if plan.is_stuck else 1 + number % 8
    began = min(38 - number % 5, last + 6 * plan.pauses)
    return timedelta(days=began, hours=number % 7), timedelta(days=(began - last) / max(plan.pauses, 1))


def _walk(
    offering: Offering, user: User, *, language: str, how_far: str, number: int, marker: Subject
) -> None:
    """Take one learner as far as they got."""
    key = key_of(COHORT, user.name)
    plan = read_plan(how_far, outline_of(offering.edition))
    began, pace = _pace(plan, number)
    start = clock.now() - began
    enrolment = _enrol(offering, user, start, key=key)
    walker = Walker(enrolment, language, start + timedelta(minutes=20), pace=pace)
    for place, step in enumerate(walker.steps[: plan.at + 1]):
        ending = plan.ending if place == plan.at else "done"
        if step.kind == "lesson":
            walker.lesson(step, finish=ending == "done")
        elif step.kind == "quiz":
            # An open one is answered half-way.
            walker.quiz(step, right=RIGHT[ending], submit=ending != "open")
        else:
            work = walker.assignment(step)
            if ending == "returned":
                returned = Mark.Decision.RETURNED
                walker.marked(work, marker, decision=returned, level=1, comment=RETURNED[language])
            elif ending == "done":
                walker.marked(work, marker, decision=Mark.Decision.MARKED, level=3, comment=MARKED[language])


def _walk_player(offering: Offering, user: User) -> None:
    """The learner whom visitors play: half-way, in the middle of a lesson."""
    key = key_of(SELF_PACED, user.name)
    if Enrolment.objects.filter(pk=key).exists():
        return
    start = clock.now() - timedelta(days=9)
    with transaction.atomic():
        give_consent(
            subject=subject_of(user),
            purpose=Consent.Purpose.NOTICES_BY_EMAIL,
            wording="Send me notices by e-mail.",
            language="en",
        )
        walker = Walker(_enrol(offering, user, start, key=key), "en", start, pace=timedelta(days=3))
        half = len(walker.steps) // 2
        half += next(n for n, step in enumerate(walker.steps[half:]) if step.kind == "lesson")
        for step in walker.steps[:half]:
            if step.kind == "lesson":
                walker.lesson(step)
            else:
                walker.quiz(step, right=RIGHT["done"])
        walker.lesson(walker.steps[half], finish=False)


def _make_expired(offering: Offering, places: dict[str, Organization]) -> None:
    """Somebody of the pilot, long ago, whose certificate has run out."""
    name = "Hollis Grantham"
    if Enrolment.objects.filter(pk=key_of(PAST_COHORT, name)).exists():
        return
    start = clock.now() - timedelta(days=365 * 5 + 120)
    with transaction.atomic():
        user = _make_cohort_member(name, places["harrow-coulee"], "en")
        walker = Walker(_enrol(offering, user, start, key=key_of(PAST_COHORT, name)), "en", start)
        marker = subject_of(offering.instructors.all()[0])
        for step in walker.steps:
            if step.kind == "lesson":
                walker.lesson(step)
            elif step.kind == "quiz":
                walker.quiz(step, right=1)
            else:
                work = walker.assignment(step)
                walker.marked(work, marker, decision=Mark.Decision.MARKED, level=3, comment=MARKED["en"])


def _make_certificates(officer: Subject, report: Callable[[str], None]) -> None:
    """Issue what was earned, on the day it was; correct one name, and revoke one certificate."""
    for state, key in demo_enrolments().items():
        enrolment = Enrolment.objects.select_related("subject").get(pk=key)
        completed = CourseProgress.objects.get(enrolment=enrolment).completed_at
        if completed is None:
            report(f"The certificate to show as {state} was not earned; look at the walk of that learner.")
            continue
        if Certificate.objects.filter(enrolment=enrolment).exists():
            continue
        with clock.set_to(completed + timedelta(minutes=1)):
            certificate = issue_certificate(enrolment=enrolment)
            if state != "revoked":
                _show(certificate, enrolment)
        if state == "superseded":
            with clock.set_to(completed + timedelta(days=1)):
                newer = supersede_certificate(
                    Correction(
                        certificate=certificate,
                        holder_name="Élise Cormier-Roy Gagnon",
                        reason=StatusEntry.Reason.NAME_CHANGED,
                        actor=officer,
                        client_id=key_of("correct", str(key)),
                    )
                )
                _show(newer, enrolment)
        elif state == "revoked":
            with clock.set_to(completed + timedelta(days=1)):
                revoke_certificate(
                    certificate=certificate,
                    reason=StatusEntry.Reason.INTEGRITY,
                    note="",
                    actor=officer,
                    client_id=key_of("revoke", str(key)),
                )
        report(f"  A certificate to show as {state} stands.")


def _show(certificate: Certificate, enrolment: Enrolment) -> None:
    """The holder agrees, in their own language, that others see the certificate."""
    user = enrolment.subject.user
    language = user.preferred_language if user else "en"
    with override(language):
        show_publicly(certificate=certificate, language=language)
