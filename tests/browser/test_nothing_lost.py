"""What a person wrote or sent is there, once, whatever the browser, the line or their patience did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.models import PersonalText
from assessments.models import Attempt, Response
from assessments.rules import Form
from cms.demo.cast import COHORT, COHORT_NAMES, SELF_PACED, key_of
from cms.demo.learning import Walker
from core import clock
from core.uploads import LARGEST
from lms.models import Enrolment, LearningEvent
from tests.browser.walks import Walk, in_language, press, sign_in, take_up_to_the_assignment

pytestmark = pytest.mark.usefixtures("seeded_site")

LEARNER = "learner@demo.example"
# The step at which the demo leaves this learner: a lesson.
CURRENT = 15


def own_enrolment() -> Enrolment:
    return Enrolment.objects.select_related("edition", "subject").get(
        pk=key_of(SELF_PACED, "Jordan Whitfield")
    )


def ready_for_the_quiz() -> tuple[str, Enrolment]:
    """A learner of the cohort who has done all lessons of the third module: its quiz comes next."""
    name = next(name for name, _place, _language, far in COHORT_NAMES if far == "3.4")
    enrolment = Enrolment.objects.select_related("edition", "subject__user").get(pk=key_of(COHORT, name))
    walker = Walker(enrolment, "en", clock.now() - timedelta(hours=2))
    walker.lesson(
        next(step for step in walker.steps if step.kind == "lesson" and not walker.is_complete(step))
    )
    return enrolment.subject.user.email, enrolment


def words_of(enrolment: Enrolment) -> set[str]:
    return set(PersonalText.objects.filter(subject=enrolment.subject).values_list("text", flat=True))


def test_two_tabs_one_result(make_page: Callable[..., Any]) -> None:
    """Two tabs answer the same question and hand in the same attempt: each answer is kept, and one result made."""
    email, enrolment = ready_for_the_quiz()
    page = make_page()
    sign_in(page, email)
    walk = Walk(page, enrolment, "en")
    attempt = walk.begin(walk.step("quiz", 2))
    other = page.context.new_page()
    other.goto(page.url)
    walk.answer(attempt, 1, right=False)
    page.locator("form.question .state.ok[data-saved]").wait_for()
    Walk(other, enrolment, "en").answer(attempt, 1, right=True)
    other.locator("form.question .state.ok[data-saved]").wait_for()
    key = Form.from_json(attempt.form).keys[0]
    assert Response.objects.filter(attempt=attempt, item_key=key).count() == 2

    # The last answer counts; the first tab, opened again, shows it.
    page.reload()
    chosen = page.locator("form.question [type=radio]:checked").get_attribute("value")
    assert chosen == other.locator("form.question [type=radio]:checked").get_attribute("value")

    review = in_language("en", "lms:attempt_review", enrolment.pk, walk.step("quiz", 2).slug, attempt.pk)
    other.goto(review)
    press(other, "main form button.btn")
    assert "/result/" in other.url
    # The first tab goes on: it is told, and led to the one result.
    press(page, "nav.pager button.btn")
    assert page.url.split("#")[0] == other.url.split("#")[0]
    assert page.locator("#messages .message").count() == 1
    assert Attempt.objects.filter(sitting=attempt.sitting).count() == 1


def test_pressing_twice_and_going_back(make_page: Callable[..., Any]) -> None:
    """A double click hands in once; the back button after it leads to the result again."""
    email, enrolment = ready_for_the_quiz()
    page = make_page()
    sign_in(page, email)
    walk = Walk(page, enrolment, "en")
    attempt = walk.begin(walk.step("quiz", 2))
    walk.answer(attempt, 1)
    press(page, "aside button[value=review]")
    review = page.url
    with page.expect_navigation():
        page.locator("main form button.btn").dblclick()
    page.wait_for_url("**/result/")
    attempt.refresh_from_db()
    handed_in = attempt.submitted_at
    assert handed_in is not None
    events = LearningEvent.objects.filter(enrolment_id=enrolment.pk).count()

    page.go_back()
    again = page.locator("main form button.btn")
    if "/review/" in page.url and again.count():
        press(page, "main form button.btn")
    else:
        page.goto(review)
    assert "/result/" in page.url
    attempt.refresh_from_db()
    assert attempt.submitted_at == handed_in
    assert Attempt.objects.filter(sitting=attempt.sitting).count() == 1
    assert LearningEvent.objects.filter(enrolment_id=enrolment.pk).count() == events


def test_a_cut_line_and_another_device(make_page: Callable[..., Any]) -> None:
    """Words typed while the line is cut are sent when it comes back, and are there on another device."""
    enrolment = own_enrolment()
    # The browser itself complains about the cut line.
    page = make_page(expect_errors=True)
    sign_in(page, LEARNER)
    walk = Walk(page, enrolment, "en")
    lesson = walk.steps[CURRENT]
    walk.open(lesson)
    box = page.locator("form.ask:not(.worksheet) textarea").first
    saved = page.locator("form.ask:not(.worksheet)").first.locator("[data-saved]")
    box.wait_for()
    page.context.set_offline(True)
    box.fill("Written in the truck, between two towers.")
    box.blur()
    page.locator("form.ask:not(.worksheet) .state.wait[data-saved]").first.wait_for()
    assert "kept on this device" in saved.inner_text()
    assert "offline" in page.locator("#messages").inner_text()
    assert "Written in the truck, between two towers." not in words_of(enrolment)

    page.context.set_offline(False)
    page.locator("form.ask:not(.worksheet) .state.ok[data-saved]").first.wait_for()
    assert "Written in the truck, between two towers." in words_of(enrolment)

    # Another device goes on where this one stopped.
    other = make_page(width=390, height=844, has_touch=True, is_mobile=True)
    sign_in(other, LEARNER)
    other.goto(in_language("en", "lms:enrolment", enrolment.pk))
    press(other, "main .actions a.btn")
    assert lesson.slug in other.url
    assert (
        other.locator("form.ask:not(.worksheet) textarea").first.input_value()
        == "Written in the truck, between two towers."
    )


def test_a_closed_page_brings_its_words_back(make_page: Callable[..., Any]) -> None:
    """Words that could not be sent before the page was closed are back, and sent, when it is opened again."""
    enrolment = own_enrolment()
    words = "Kept on the phone overnight.\nÀ l’abri : 3 % + « 1 = 2 » & plus…"
    page = make_page(expect_errors=True)
    sign_in(page, LEARNER)
    walk = Walk(page, enrolment, "en")
    lesson = walk.steps[CURRENT]
    walk.open(lesson)
    page.context.set_offline(True)
    page.locator("form.ask:not(.worksheet) textarea").first.fill(words)
    page.locator("form.ask:not(.worksheet) textarea").first.blur()
    page.locator("form.ask:not(.worksheet) .state.wait[data-saved]").first.wait_for()
    again = page.context.new_page()
    page.close()
    again.context.set_offline(False)
    again.goto(in_language("en", "lms:step", enrolment.pk, lesson.slug))
    again.locator("form.ask:not(.worksheet) .state.ok[data-saved]").first.wait_for()
    assert again.locator("form.ask:not(.worksheet) textarea").first.input_value() == words
    # Its lines end as those that a form sends, so that the form's own button finds the same words kept.
    assert words.replace("\n", "\r\n") in words_of(enrolment)


def test_leaving_while_it_is_sent_asks_nothing(make_page: Callable[..., Any]) -> None:
    """Who writes and at once presses something else is not asked whether to leave, and loses nothing."""
    enrolment = own_enrolment()
    page = make_page()
    sign_in(page, LEARNER)
    walk = Walk(page, enrolment, "en")
    lesson = walk.steps[CURRENT]
    walk.open(lesson)
    page.locator("form.ask:not(.worksheet) textarea").first.fill("One more thing.")
    press(page, "nav.pager a[rel=prev]")
    walk.open(lesson)
    page.locator("form.ask:not(.worksheet) .state.ok[data-saved]").first.wait_for()
    assert page.locator("form.ask:not(.worksheet) textarea").first.input_value() == "One more thing."
    assert "One more thing." in words_of(enrolment)


def test_a_file_that_would_be_refused_does_not_go_over_the_line(
    make_page: Callable[..., Any], tmp_path: Path
) -> None:
    """It is told at once, by its name; what fits is kept, and the words are."""
    name = next(name for name, _place, _language, far in COHORT_NAMES if far == "3.4")
    enrolment = Enrolment.objects.select_related("edition", "subject__user").get(pk=key_of(COHORT, name))
    take_up_to_the_assignment(enrolment, "en")
    page = make_page()
    sign_in(page, enrolment.subject.user.email)
    walk = Walk(page, enrolment, "en")
    walk.begin(walk.step("assignment"))
    files = {"huge $& big.pdf": LARGEST + 1, **{f"{number}.txt": 10 + number for number in range(1, 5)}}
    for file, size in files.items():
        (tmp_path / file).write_bytes(b"x" * size)
    chosen = page.locator("#id_file")
    said = page.locator("[data-left-out]")

    chosen.set_input_files([tmp_path / "huge $& big.pdf", tmp_path / "1.txt"])
    assert "10 MB" in said.inner_text()
    assert "huge $& big.pdf" in said.inner_text()
    assert "1.txt" not in said.inner_text()
    assert chosen.get_attribute("aria-invalid") == "true"
    assert chosen.evaluate("input => [...input.files].map(file => file.name)") == ["1.txt"]

    # At most three may be handed in; one that is kept already leaves room for two.
    page.fill("#id_text", "We saw nine break-ins.")
    press(page, "button[value=draft]")
    assert page.locator("fieldset .rows li").count() == 1
    chosen.set_input_files([tmp_path / f"{number}.txt" for number in (2, 3, 4)])
    assert "4.txt" in said.inner_text()
    press(page, "button[value=draft]")
    assert page.locator("fieldset .rows li").count() == 3
    assert page.input_value("#id_text") == "We saw nine break-ins."
    chosen.set_input_files([tmp_path / "4.txt"])
    assert "4.txt" in said.inner_text()
    assert chosen.evaluate("input => input.files.length") == 0
