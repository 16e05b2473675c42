"""Every screen: axe at WCAG 2.2 AA, wide in English, narrow and dark in French; no sideways scroll at 320 px.

`make test` looks at each screen in one of the two, by turns; with EVERY_SCREEN=1 (`make soak`) in both.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from accounts.models import Job, User
from accounts.services import Request, ask_job, subject_of
from assessments.models import Attempt
from certificates.models import Certificate
from cms.demo.cast import COHORT, COHORT_NAMES, SELF_PACED, demo_enrolments, key_of
from lms.models import Enrolment
from modules.selectors import outline_of
from standards.models import EditionDomain, FrameworkEdition
from tests.browser.walks import find_faults, find_overflow, in_language, sign_in
from tests.database import run_tasks

pytestmark = pytest.mark.usefixtures("seeded_site")

LANGUAGES = ("en", "fr")
EVERY_SCREEN = os.environ.get("EVERY_SCREEN", "") not in {"", "0"}
EMAILS = {
    "learner": "learner@demo.example",
    "instructor": "instructor@demo.example",
    "author": "author@demo.example",
    "committee": "committee@demo.example",
    "registrar": "registrar@college.demo.example",
    "admin": "admin@demo.example",
}


def member(how_far: str) -> tuple[str, Enrolment]:
    """The first learner of the cohort who got that far: address and enrolment."""
    name = next(name for name, _place, _language, far in COHORT_NAMES if far == how_far)
    enrolment = Enrolment.objects.select_related("subject__user", "edition").get(pk=key_of(COHORT, name))
    return enrolment.subject.user.email, enrolment


def ask_own_data(email: str) -> Job:
    asker = subject_of(User.objects.get(email=email))
    return ask_job(asker=asker, request=Request(job_id=uuid.uuid4(), kind="own_data"))


def slug_of(enrolment: Enrolment, kind: str, place: int = 0) -> str:
    steps = [step for step in outline_of(enrolment.edition).iter_steps() if step.kind == kind]
    return str(steps[place].slug)


def last_attempt(enrolment: Enrolment) -> Attempt:
    return Attempt.objects.filter(sitting__context=enrolment.pk).order_by("-started_at")[0]


def look(
    page: Any, paths: Iterable[str], *, statuses: tuple[int, ...] = (200,), cms: bool = False
) -> list[str]:
    """Open each address and gather what is wrong with it."""
    faults: list[str] = []
    for place, path in enumerate(paths):
        # The same templates in both languages: every second screen in each, at half the time.
        if not EVERY_SCREEN and not cms and path.startswith(("/en/", "/fr/")[place % 2]):
            continue
        # Wide and light in English, narrow and dark in French: the same templates, at half the time.
        narrow = path.startswith("/fr/") and not cms
        page.set_viewport_size({"width": 390, "height": 844} if narrow else {"width": 1280, "height": 900})
        page.emulate_media(color_scheme="dark" if narrow else "light")
        response = page.goto(path)
        if response.status not in statuses:
            faults.append(f"{path} answers {response.status}")
            continue
        faults += find_faults(page, within="main" if cms else None)
        if not cms:
            page.set_viewport_size({"width": 320, "height": 640})
            faults += find_overflow(page)
    return faults


def report(faults: list[str]) -> None:
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_anyone_sees(make_page: Callable[..., Any], language: str) -> None:
    _email, enrolment = member("complete")
    framework = FrameworkEdition.objects.get(pk=enrolment.edition.framework_edition_id)
    domain = EditionDomain.objects.filter(edition=framework).order_by("position")[0]
    competency = domain.competencies.order_by("position")[0]
    course = enrolment.edition.slug
    public = next(step.slug for step in outline_of(enrolment.edition).iter_steps() if step.open_to_public)
    faults = look(
        make_page(reduced_motion="reduce"),
        [
            f"/{language}/",
            in_language(language, "lms:catalogue"),
            in_language(language, "lms:course", course),
            in_language(language, "lms:public_lesson", course, public),
            in_language(language, "standards:index"),
            in_language(language, "standards:edition", framework.slug, framework.number),
            in_language(language, "standards:domain", framework.slug, framework.number, domain.code),
            in_language(language, "standards:competency", competency.competency_id),
            f"/{language}/search/?q=rural",
            f"/{language}/search/?q=zzzz",
            f"/{language}/about/",
            f"/{language}/privacy/",
            f"/{language}/accessibility/",
            in_language(language, "account_login"),
            in_language(language, "account_signup"),
            in_language(language, "account_reset_password"),
            in_language(language, "account_confirm_email", "no-such-key"),
            in_language(language, "certificates:check"),
            in_language(language, "certificates:check") + "?number=2026-041837-5D",
        ],
    )
    report(faults)


@pytest.mark.parametrize("language", LANGUAGES)
def test_certificates_in_every_state(make_page: Callable[..., Any], language: str) -> None:
    page = make_page(reduced_motion="reduce", locale=f"{language}-CA")
    page.goto(f"/{language}/")
    shown = Certificate.objects.filter(enrolment_id__in=demo_enrolments().values(), supersedes__isnull=True)
    assert len(shown) == 4
    faults = look(page, [f"/certificates/{certificate.pk}/" for certificate in shown])
    faults += look(page, ["/demo/", "/demo/mail/"])
    report(faults)


@pytest.mark.parametrize("language", LANGUAGES)
def test_screens_of_errors(make_page: Callable[..., Any], language: str) -> None:
    page = make_page(reduced_motion="reduce", locale=f"{language}-CA", expect_errors=True)
    faults = look(page, [f"/{language}/nowhere/", f"/certificates/{uuid.uuid4()}/"], statuses=(404,))
    sign_in(page, EMAILS["learner"], language=language)
    faults += look(page, [in_language(language, "certificates:cohorts")], statuses=(403,))
    report(faults)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_learner_sees(make_page: Callable[..., Any], language: str) -> None:
    page = make_page(reduced_motion="reduce")
    sign_in(page, EMAILS["learner"], language=language)
    enrolment = Enrolment.objects.select_related("edition").get(pk=key_of(SELF_PACED, "Jordan Whitfield"))
    course, framework = enrolment.edition.slug, enrolment.edition.framework_edition
    lessons = [step.slug for step in outline_of(enrolment.edition).iter_steps() if step.kind == "lesson"]
    lesson = outline_of(enrolment.edition).iter_steps()
    with_sheet = next(
        (step.slug, part.key)
        for step in lesson
        for part in step.parts
        if part.kind == "worksheet" and step.slug in lessons[:3]
    )
    domain = EditionDomain.objects.filter(edition=framework).order_by("position")[0]
    done = ask_own_data(EMAILS["learner"])
    run_tasks()
    waiting = ask_own_data(EMAILS["learner"])
    faults = look(
        page,
        [
            in_language(language, "cms:my"),
            in_language(language, "lms:course", course),
            in_language(language, "lms:enrol", course, COHORT),
            in_language(language, "lms:enrolment", enrolment.pk),
            in_language(language, "lms:book", enrolment.edition_id),
            in_language(language, "lms:step", enrolment.pk, lessons[0]),
            in_language(language, "lms:step", enrolment.pk, lessons[2]),
            in_language(language, "lms:step", enrolment.pk, slug_of(enrolment, "quiz")),
            in_language(language, "lms:worksheet", enrolment.pk, *with_sheet),
            in_language(language, "lms:enrolment_name", enrolment.pk),
            in_language(language, "lms:enrolment_withdraw", enrolment.pk),
            in_language(language, "lms:competencies"),
            in_language(language, "lms:competency_domain", domain.code),
            in_language(language, "certificates:mine"),
            in_language(language, "accounts:profile"),
            in_language(language, "accounts:data"),
            in_language(language, "accounts:jobs"),
            in_language(language, "accounts:job", done.pk),
            in_language(language, "accounts:job", waiting.pk),
            in_language(language, "accounts:erase"),
            in_language(language, "account_email"),
            in_language(language, "account_change_password"),
            in_language(language, "mfa_index"),
            in_language(language, "mfa_activate_totp"),
            in_language(language, "usersessions_list"),
            in_language(language, "account_logout"),
        ],
    )
    report(faults)


@pytest.mark.parametrize("language", LANGUAGES)
def test_assessments_at_every_point(make_page: Callable[..., Any], language: str) -> None:
    faults: list[str] = []

    def visit(how_far: str, addresses: Callable[[Enrolment], list[str]]) -> None:
        page = make_page(reduced_motion="reduce")
        email, enrolment = member(how_far)
        sign_in(page, email, language=language)
        faults.extend(look(page, addresses(enrolment)))

    def attempt(name: str, enrolment: Enrolment, *more: Any) -> str:
        made = last_attempt(enrolment)
        step = next(
            step
            for step in outline_of(enrolment.edition).iter_steps()
            if step.assessment == str(made.sitting.edition_id)
        )
        return in_language(language, f"lms:{name}", enrolment.pk, step.slug, made.pk, *more)

    visit(
        "2.5",
        lambda one: [
            in_language(language, "lms:step", one.pk, slug_of(one, "quiz", 1)),
            *(attempt("question", one, number) for number in (1, 3, 6, 7)),
            attempt("attempt_review", one),
        ],
    )
    visit("1.5 failed", lambda one: [attempt("result", one)])
    visit("returned", lambda one: [in_language(language, "lms:step", one.pk, slug_of(one, "assignment"))])
    visit("waiting", lambda one: [in_language(language, "lms:step", one.pk, slug_of(one, "assignment"))])
    visit(
        "complete",
        lambda one: [
            in_language(language, "cms:my"),
            in_language(language, "lms:enrolment", one.pk),
            attempt("result", one),
            in_language(language, "lms:competencies"),
            in_language(language, "certificates:mine"),
            in_language(language, "certificates:holder", Certificate.objects.get(enrolment_id=one.pk).pk),
            in_language(language, "certificates:correct", Certificate.objects.get(enrolment_id=one.pk).pk),
        ],
    )
    report(faults)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_an_instructor_sees(make_page: Callable[..., Any], language: str) -> None:
    page = make_page(reduced_motion="reduce")
    sign_in(page, EMAILS["instructor"], language=language)
    _email, waiting = member("waiting")
    _email, failed = member("1.5 failed")
    _email, complete = member("complete")
    faults = look(
        page,
        [
            in_language(language, "cms:my"),
            in_language(language, "lms:offerings"),
            in_language(language, "lms:offering", COHORT),
            in_language(language, "lms:offering", SELF_PACED),
            in_language(language, "lms:marking", COHORT),
            in_language(language, "lms:mark", COHORT, last_attempt(waiting).pk),
            in_language(language, "lms:learner", COHORT, failed.pk),
            in_language(language, "lms:learner", COHORT, complete.pk),
            in_language(language, "lms:learner_attempt", COHORT, failed.pk, last_attempt(failed).pk),
            in_language(language, "lms:learner_withdraw", COHORT, failed.pk),
            in_language(language, "lms:learner_extend", COHORT, failed.pk),
            in_language(language, "lms:learner_grant", COHORT, failed.pk),
        ],
    )
    report(faults)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_registrar_sees(make_page: Callable[..., Any], language: str) -> None:
    page = make_page(reduced_motion="reduce")
    sign_in(page, EMAILS["registrar"], language=language)
    shown = list(Certificate.objects.filter(enrolment_id__in=demo_enrolments().values()))
    valid = next(one for one in shown if one.enrolment_id == demo_enrolments()["valid"])
    faults = look(
        page,
        [
            in_language(language, "cms:my"),
            in_language(language, "certificates:check"),
            in_language(language, "certificates:cohorts"),
            in_language(language, "certificates:countersign", valid.pk),
            f"/certificates/{valid.pk}/",
        ],
    )
    page.goto(in_language(language, "certificates:check"))
    page.locator("textarea").fill("\n".join([*(one.number for one in shown), "2026-000000-00", "what"]))
    page.locator("form:has(textarea) button").first.click()
    page.wait_for_load_state()
    faults += find_faults(page)
    page.set_viewport_size({"width": 320, "height": 640})
    faults += find_overflow(page)
    report(faults)
