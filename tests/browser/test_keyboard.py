"""The learner's walk by keyboard alone: one lesson, one quiz. The focus is always seen and never lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from assessments.models import Attempt
from assessments.rules import Form
from cms.demo.cast import PASSWORD, SELF_PACED, key_of
from cms.demo.learning import Walker
from core import clock
from lms.models import Enrolment, StepProgress
from lms.services.learning import content_of
from tests.browser.walks import in_language

pytestmark = pytest.mark.usefixtures("seeded_site")

FOCUS = """() => {
    const here = document.activeElement;
    if (!here || here === document.body || here === document.documentElement) return {lost: true};
    const seen = (element) => {
        const style = element && getComputedStyle(element);
        return !!style && ((style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
            || style.boxShadow !== "none");
    };
    const box = here.getBoundingClientRect();
    const points = [[.5, .5], [.1, .5], [.9, .5], [.5, .1], [.5, .9]].map(([x, y]) =>
        document.elementFromPoint(box.left + box.width * x, box.top + box.height * y));
    const label = here.closest("label");
    return {
        lost: false,
        ring: seen(here) || seen(label) || here.matches("input, textarea, select") && seen(here.parentElement),
        covered: !points.some((point) =>
            point && (here.contains(point) || point.contains(here) || label?.contains(point))),
        name: `${here.tagName} ${here.className} ${here.name || ""} ${(here.textContent || "").trim().slice(0, 40)}`,
    };
}"""


class Keyboard:
    """Presses keys, and looks after each Tab where the focus went."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def tab_to(self, selector: str, *, at_most: int = 60) -> None:
        """Tab until the focus is on what the selector names."""
        passed = []
        for _press in range(at_most):
            self.page.keyboard.press("Tab")
            found = self.page.evaluate(FOCUS)
            assert not found["lost"], f"{self.page.url}: the focus was lost after {passed[-3:]}"
            assert found["ring"], f"{self.page.url}: the focus is not seen on {found['name']}"
            assert not found["covered"], f"{self.page.url}: something covers {found['name']}"
            passed.append(found["name"])
            if self.page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{self.page.url}: {selector} was not reached by Tab; passed {passed}")

    def enter(self) -> None:
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def skip_to_content(self) -> None:
        self.tab_to("a.skip", at_most=1)
        self.page.keyboard.press("Enter")
        assert self.page.evaluate("document.activeElement.id") == "main"

    def write(self, words: str) -> None:
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(words)


@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.long), "fr"])
def test_a_lesson_and_a_quiz_by_keyboard(make_page: Callable[..., Any], language: str) -> None:
    page = make_page(reduced_motion="reduce")
    keys = Keyboard(page)
    enrolment = Enrolment.objects.select_related("edition", "subject").get(
        pk=key_of(SELF_PACED, "Jordan Whitfield")
    )
    walker = Walker(enrolment, language, clock.now() - timedelta(hours=3))
    place = next(number for number, step in enumerate(walker.steps) if not walker.is_complete(step))
    lesson = walker.steps[place]

    # Sign in, and go on where one stopped.
    page.goto(in_language(language, "account_login"))
    keys.skip_to_content()
    keys.tab_to("[name=login]")
    keys.write("learner@demo.example")
    keys.tab_to("[name=password]")
    keys.write(PASSWORD)
    keys.tab_to("main form button.btn")
    keys.enter()
    page.goto(in_language(language, "lms:enrolment", enrolment.pk))
    keys.skip_to_content()
    keys.tab_to("main .actions a.btn")
    keys.enter()
    assert lesson.slug in page.url

    # The lesson: words, checks, complete.
    content = content_of(enrolment, lesson.key, language)
    for part in content.segments:
        if part["type"] == "reflection":
            keys.tab_to(f"#part-{part['key']} textarea")
            keys.write("Ten years of counts, side by side.")
            page.locator(f"#part-{part['key']} .state.ok[data-saved]").wait_for()
        elif part["type"] == "check":
            right = content.keys[part["key"]]["correct"]
            keys.tab_to(f"#part-{part['key']} input")
            if part["kind"] == "multiple":
                for place, option in enumerate(part["options"]):
                    if place:
                        keys.tab_to(f"#part-{part['key']} input", at_most=1)
                    ticked = page.evaluate("document.activeElement.checked")
                    if ticked != (option["key"] in right):
                        page.keyboard.press("Space")
            else:
                page.keyboard.press("Space")
                for _press in part["options"]:
                    if page.evaluate("document.activeElement.value") in right:
                        break
                    page.keyboard.press("ArrowDown")
            keys.tab_to(f"#part-{part['key']} button")
            keys.enter()
            assert page.locator(f"#answer-{part['key']}:not(.not-yet)").count()
    keys.tab_to("nav.pager form button")
    keys.enter()
    assert walker.steps[place + 1].slug in page.url
    assert StepProgress.objects.get(enrolment=enrolment, step_key=lesson.key).completed_at is not None

    # The quiz: begin, answer each question, one of them saved before going on, hand in.
    quiz_place = next(n for n in range(place, len(walker.steps)) if walker.steps[n].kind == "quiz")
    for step in walker.steps[place + 1 : quiz_place]:
        walker.lesson(step)
    quiz = walker.steps[quiz_place]
    page.goto(in_language(language, "lms:step", enrolment.pk, quiz.slug))
    keys.skip_to_content()
    keys.tab_to("form:has(input[value=start]) button")
    keys.enter()
    attempt = Attempt.objects.filter(sitting__context=enrolment.pk).latest("started_at")
    for number in range(1, len(Form.from_json(attempt.form).keys) + 1):
        assert page.url.endswith(f"/{number}/")
        keys.skip_to_content()
        keys.tab_to("form.question :is(.choice input, #answer)")
        if page.evaluate("document.activeElement.id") == "answer":
            keys.write("5")
        else:
            page.keyboard.press("Space")
        page.locator("form.question .state.ok[data-saved]").wait_for()
        keys.tab_to("nav.pager button.btn")
        keys.enter()
    assert "/review/" in page.url
    keys.skip_to_content()
    keys.tab_to("main form button.btn")
    keys.enter()
    assert "/result/" in page.url
    attempt.refresh_from_db()
    assert attempt.submitted_at is not None
