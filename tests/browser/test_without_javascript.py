"""The learner's walk where scripts do not run: everything but the conveniences is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from accounts.services import subject_of
from cms.demo.cast import SELF_PACED
from lms.models import Enrolment, StepProgress
from tests.browser.walks import Walk, in_language, press, sign_in, take_up_to_the_assignment

pytestmark = pytest.mark.usefixtures("seeded_site")


@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.long), "fr"])
def test_a_learner_needs_no_scripts(make_page: Callable[..., Any], language: str) -> None:
    page = make_page(java_script_enabled=False)
    email = "coordinator@town.demo.example"
    sign_in(page, email, language=language)
    page.goto(in_language(language, "lms:course", "rural-crime-prevention"))
    press(page, f"#take a[href$='/enrol/{SELF_PACED}/']")
    press(page, "main form button.btn")
    enrolment = Enrolment.objects.select_related("edition").get(
        subject=subject_of(User.objects.get(email=email)), offering__slug=SELF_PACED
    )
    walk = Walk(page, enrolment, language, has_scripts=False)

    # The words of a reflection, of a worksheet and of the outline's drawer are within reach.
    first = walk.step("lesson")
    walk.open(first)
    sheet = page.locator("form.worksheet").first
    if sheet.count():
        sheet.locator("textarea").first.fill("Ten years of counts")
        press(page, "form.worksheet [data-manual] button")
        assert page.locator("form.worksheet textarea").first.input_value() == "Ten years of counts"
    for place in range(4):
        walk.lesson(walk.step("lesson", place), words="What I know and what I guess.")
    walk.open(first)
    assert (
        page.locator("form.ask:not(.worksheet) textarea").first.input_value()
        == "What I know and what I guess."
    )

    attempt = walk.quiz(walk.step("quiz"))
    assert attempt.passed
    assert walk.steps[5].kind == "lesson"
    take_up_to_the_assignment(enrolment, language)
    walk.assignment(walk.step("assignment"), words="We saw nine break-ins, six the year before. " * 10)
    done = StepProgress.objects.filter(enrolment=enrolment, completed_at__isnull=False).count()
    assert done == len(walk.steps) - 2
    page.goto(in_language(language, "cms:my"))
    assert str(enrolment.pk) in page.content()
