"""The main job from end to end: learn, earn a certificate, have it verified, while the author goes on writing.

A file for each language calls `do_the_main_job`, so that both can run at once. In `make test` the modules in the middle
are done by the services that the screens call, and in French what author and administrator do meanwhile; `make soak`
walks all of it in both.
"""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from accounts.models import User
from accounts.services import subject_of
from certificates.models import Certificate
from cms.demo.cast import SELF_PACED
from cms.demo.learning import Walker
from core import clock
from lms.models import CourseProgress, Enrolment, Offering
from modules.documents import OutlineStep
from modules.models import CourseEdition
from modules.pages import CoursePage, LessonPage
from modules.selectors import outline_of
from modules.services import issue_course_edition
from tests.browser.walks import Walk, in_language, press, sign_in, sign_up
from tests.conftest import require_tool
from tests.database import run_tasks

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844, "has_touch": True, "is_mobile": True}
WORDS = {
    "en": "Our elders see it first: the road home from the rink is dark from four o’clock.",
    "fr": "Nos aînés le voient en premier : le chemin de l’aréna est sombre dès seize heures.",
}


def enrol(page: Any, *, language: str, offering: str, name: str, email: str) -> Enrolment:
    """From the catalogue to one's own course."""
    page.goto(in_language(language, "lms:catalogue"))
    course = in_language(language, "lms:course", "rural-crime-prevention")
    press(page, f"main a[href='{course}']")
    press(page, f"#take a[href$='/enrol/{offering}/']")
    page.fill("[name=certificate_name]", name)
    press(page, "main form button.btn")
    assert "/learn/" in page.url
    return Enrolment.objects.select_related("edition", "subject").get(
        offering__slug=offering, subject=subject_of(User.objects.get(email=email))
    )


def mark(page: Any, *, language: str, offering: str, attempt: Any) -> None:
    """The instructor finds the work in the queue and gives it the highest levels."""
    sign_in(page, "instructor@demo.example", language=language)
    page.goto(in_language(language, "lms:marking", offering))
    press(page, f"main a[href*='{attempt.pk}']")
    for row in page.locator(".rubric fieldset").all():
        row.locator("input").last.check()
    page.fill("[name=comment]", "Clear, honest, and kind. Bring it to your council.")
    press(page, "button[value=marked]")
    attempt.refresh_from_db()
    assert attempt.passed


def rewrite_a_lesson(page: Any, *, lesson: LessonPage, title: str) -> None:
    """The author gives a lesson another title in the CMS and publishes it."""
    sign_in(page, "author@demo.example", language="en")
    page.goto(f"/admin/pages/{lesson.pk}/edit/")
    page.fill("#id_title", title)
    with page.expect_navigation():
        # It stands in a menu that opens on hover.
        page.locator("button[name=action-publish]").first.evaluate("button => button.click()")
    lesson.refresh_from_db()
    # Of the page as it is read. Whether the CMS also counts a draft depends on when it saved one by itself.
    assert lesson.title == title


def issue_an_edition(page: Any, *, course: CoursePage, number: int) -> CourseEdition:
    """The author reads what changes and whom it touches, has it issued, and sees by itself that it was."""
    page.goto(f"/admin/courses/{course.pk}/issue/")
    # What changes, and whom it touches.
    assert page.locator("main table.listing tbody tr").count() == 1, page.inner_text("main table.listing")
    assert page.locator("main form").locator("xpath=preceding::ul[1]/li").count() >= 1
    page.fill("main form [name=note]", "A clearer title.")
    press(page, "main form[method=post] button:not([name])")
    assert page.locator("[data-job] progress").is_visible()
    run_tasks()
    page.locator("[data-job][data-code=done]").wait_for()
    # This author reads the CMS in French.
    assert f"L’édition {number} de" in page.inner_text("[data-job]")
    return CourseEdition.objects.get(course_key=course.translation_key, number=number)


def offer_it(page: Any, *, like: Offering, edition: CourseEdition) -> Offering:
    """The administrator offers the new edition; who is enrolled in the offering of the first one stays there."""
    sign_in(page, "admin@demo.example", language="en")
    page.goto(f"/admin/offerings/edit/{like.pk}/")
    assert page.locator("[name=edition]").is_disabled()
    page.goto("/admin/offerings/new/")
    page.fill("[name=title_en]", "At your own pace, second edition")
    page.fill("[name=title_fr]", "À votre rythme, deuxième édition")
    page.select_option("[name=kind]", like.kind)
    page.select_option("[name=edition]", str(edition.pk))
    page.select_option("[name=organization]", str(like.organization_id))
    page.select_option("[name=time_zone]", like.time_zone)
    page.fill("[name=slug]", "second-edition")
    press(page, "main form[method=post] footer button[type=submit]")
    return Offering.objects.get(slug="second-edition", edition=edition)


def offer_next_edition(*, lesson: LessonPage, title: str, course: CoursePage, like: Offering) -> Offering:
    """What the author and the administrator do, by the services that their screens call."""
    lesson.title = title
    lesson.save_revision().publish()
    edition = issue_course_edition(course_page=course)
    newest = Offering.objects.get(pk=like.pk)
    newest.pk, newest._state.adding = uuid.uuid4(), True
    newest.slug, newest.edition = "second-edition", edition
    newest.save()
    return newest


def correct_the_name(page: Any, *, certificate: Certificate, name: str) -> Certificate:
    """The administrator corrects the name; the certificate is replaced by a new one."""
    page.goto(f"/admin/certificates/{certificate.pk}/")
    press(page, f"main a[href$='/{certificate.pk}/reissue/']")
    page.fill("[name=holder_name]", name)
    press(page, "main form[method=post] button")
    return Certificate.objects.get(supersedes=certificate)


def check_pdf(page: Any, *, certificate: Certificate, language: str, name: str, folder: Path) -> None:
    """Download the certificate: it says the name and its signature holds."""
    answer = page.context.request.get(f"/certificates/{certificate.pk}/certificate.pdf?lang={language}")
    assert answer.status == 200, answer.text()
    path = folder / "certificate.pdf"
    path.write_bytes(answer.body())
    text = subprocess.run(
        [require_tool("pdftotext"), "-layout", path, "-"], capture_output=True, text=True, check=True
    ).stdout
    assert name in text
    assert certificate.number in text
    said = subprocess.run([require_tool("pdfsig"), path], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in said, said


def look_up(page: Any, *, language: str, number: str) -> str:
    """The registrar checks a number and reads the page."""
    page.goto(in_language(language, "certificates:check"))
    page.fill("[name=number]", number)
    press(page, "main form button.btn")
    return str(page.inner_text("main"))


class AtOnce(Walker):
    """Does steps by the services, without going forward in time."""

    def forward(self, **delta: float) -> None:
        self.moment = clock.now()

    def do(self, step: OutlineStep) -> None:
        if step.kind == "lesson":
            self.lesson(step)
        else:
            assert self.quiz(step, right=1.0).passed, step.slug


def in_the_middle(enrolment: Enrolment) -> set[uuid.UUID]:
    """The lessons and quizzes of all modules but the first and the last two, of which one is the final assessment."""
    modules = outline_of(enrolment.edition).modules[1:-2]
    return {step.key for module in modules for step in module.steps if step.kind in {"lesson", "quiz"}}


def do_the_main_job(
    make_page: Callable[..., Any], *, folder: Path, language: str, screen: dict[str, Any], whole: bool
) -> None:
    """The training in one language, from the sign-up to a corrected certificate that a registrar verifies."""
    name, email = "Noor Desrosiers-Hay", "noor@pine-creek.example"
    locale = f"{language}-CA"
    page = make_page(locale=locale, **screen)
    offering = Offering.objects.get(slug=SELF_PACED)

    # A new learner, from nothing to the first lesson done.
    sign_up(page, name=name, email=email, language=language)
    enrolment = enrol(page, language=language, offering=SELF_PACED, name=name, email=email)
    assert enrolment.edition.number == 1
    walk = Walk(page, enrolment, language)
    walk.lesson(walk.step("lesson"), words=WORDS[language])
    assert walk.step("lesson", 1).slug in page.url

    # Meanwhile the author rewrites a lesson that this learner has yet to read, and issues edition 2.
    title = "Reading a rate with great care"
    third = walk.step("lesson", 2)
    lesson = LessonPage.objects.get(translation_key=third.key, locale__language_code="en")
    course = CoursePage.objects.get(translation_key=enrolment.edition.course_key, locale__language_code="en")
    if whole or language == "en":
        # The CMS saves drafts by itself, and refuses one that publishing overtook.
        cms = make_page(expect_errors=True)
        rewrite_a_lesson(cms, lesson=lesson, title=title)
        second = issue_an_edition(cms, course=course, number=2)
        newest = offer_it(make_page(), like=offering, edition=second)
    else:
        newest = offer_next_edition(lesson=lesson, title=title, course=course, like=offering)

    # The enrolled learner reads edition 1 as before, with everything they wrote.
    walk.open(walk.step("lesson"))
    assert page.locator("form.ask:not(.worksheet) textarea").first.input_value() == WORDS[language]
    assert enrolment == Enrolment.objects.get(pk=enrolment.pk, edition__number=1)

    # Every lesson and every quiz; the assignment and its marking; the final assessment.
    skipped = set() if whole else in_the_middle(enrolment)
    services = AtOnce(enrolment, language, clock.now())
    for step in walk.steps[1:]:
        if step.key in skipped:
            services.do(step)
        elif step.kind == "lesson":
            walk.lesson(step, words=WORDS[language])
        elif step.kind == "quiz":
            assert walk.quiz(step).passed, step.slug
        else:
            work = walk.assignment(step, words=f"{WORDS[language]} " * 20)
            mark(make_page(), language=language, offering=SELF_PACED, attempt=work)
            walk.open(step)
            assert "Bring it to your council." in page.inner_text("main")
    walk.open(third)
    assert title not in page.inner_text("main")
    assert CourseProgress.objects.get(enrolment=enrolment).completed_at is not None

    # The queue issues the certificate; the learner lets it be seen and takes the PDF along.
    run_tasks()
    certificate = Certificate.objects.get(enrolment_id=enrolment.pk)
    page.goto(in_language(language, "cms:my"))
    page.goto(in_language(language, "certificates:mine"))
    press(page, f"main a[href='{in_language(language, 'certificates:holder', certificate.pk)}']")
    press(page, "button[name=show][value=yes]")
    assert page.locator("button[name=show][value=no]").is_visible()
    check_pdf(page, certificate=certificate, language=language, name=name, folder=folder)

    # A registrar sees the certified facts.
    registrar = make_page(locale=locale, **screen)
    sign_in(registrar, "registrar@college.demo.example", language=language)
    said = look_up(registrar, language=language, number=certificate.number)
    assert name in said
    assert certificate.number in said
    assert enrolment.edition.title_in(language) in said
    assert registrar.locator("table.stacked tbody tr").count() >= 1

    # The name is corrected: the old number leads to the new certificate.
    corrected = f"{name} Okafor"
    # Signed in anew: some minutes after, the CMS would ask who one is before it changes a certificate.
    administrator = make_page()
    sign_in(administrator, "admin@demo.example", language="en")
    new = correct_the_name(administrator, certificate=certificate, name=corrected)
    run_tasks()
    look_up(registrar, language=language, number=certificate.number)
    assert registrar.url.split("?")[0].endswith(f"/certificates/{certificate.pk}/")
    press(registrar, f"main a[href*='{new.pk}']")
    assert new.number in registrar.inner_text("main")
    page.goto(in_language(language, "certificates:holder", new.pk))
    press(page, "button[name=show][value=yes]")
    check_pdf(page, certificate=new, language=language, name=corrected, folder=folder)
    assert corrected in look_up(registrar, language=language, number=new.number)

    # Who enrols now gets edition 2.
    later = make_page(locale=locale, **screen)
    sign_up(later, name="Late Comer", email="late@pine-creek.example", language=language)
    newer = enrol(
        later, language=language, offering=newest.slug, name="Late Comer", email="late@pine-creek.example"
    )
    assert newer.edition.number == 2
    if language == "en":
        assert title in later.inner_text("main")
