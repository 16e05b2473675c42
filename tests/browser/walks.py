"""What the tests in a browser share: signing in, looking for faults of access, reading mail."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.core import mail
from django.urls import reverse
from django.utils.translation import override

from assessments import services as assessments
from assessments.models import Attempt
from assessments.rules import Form
from cms.demo.cast import PASSWORD
from cms.demo.learning import Walker, answer_item
from core import clock
from lms.models import Enrolment
from lms.services.learning import content_of
from modules.documents import OutlineStep
from modules.selectors import outline_of

AXE: Final = Path(__file__).parent.joinpath("data", "axe.min.js").read_text(encoding="utf-8")
# WCAG 2.0, 2.1 and 2.2 at the levels A and AA.
AXE_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]


def sign_in(page: Any, email: str, *, password: str = PASSWORD, language: str = "en") -> None:
    """Through the log-in screen, as a person does."""
    page.goto(f"/{language}/accounts/login/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", password)
    page.locator("main form button").first.click()
    page.wait_for_load_state()
    assert "/login/" not in page.url, f"{email} could not sign in: {page.inner_text('main')}"


def find_faults(page: Any, *, within: str | None = None) -> list[str]:
    """What axe finds wrong on the page as it stands, or in one part of it; one line for each element."""
    page.evaluate(AXE)
    found = page.evaluate(
        """async ([within, tags]) => {
            const {violations} = await axe.run(within || document, {runOnly: tags, resultTypes: ["violations"]});
            const why = ({any, all, none}) => [...any, ...all, ...none].map((check) => check.message).join("; ");
            return violations.flatMap(({id, nodes}) =>
                nodes.map((node) => `${id}: ${node.target.join(" ")}: ${why(node)}`));
        }""",
        [within, AXE_TAGS],
    )
    return [f"{page.url}: {line}" for line in found]


def find_overflow(page: Any) -> list[str]:
    """The elements that make the page scroll sideways."""
    wide: list[str] = page.evaluate(
        """() => {
            const room = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= room) return [];
            return [...document.querySelectorAll("body *")]
                .filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > room + 1)
                .slice(-4)
                .map((element) => `${element.tagName}.${element.getAttribute("class")}: ${
                    element.textContent.trim().slice(0, 40)}`);
        }"""
    )
    return [f"{page.url} scrolls sideways at {page.viewport_size['width']} px: {line}" for line in wide]


def path_of(url: str) -> str:
    """The path and query of an address, to go to on the server of the test."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def last_mail(to: str) -> Any:
    """The newest message to this address."""
    found = [message for message in mail.outbox if to in message.to]
    assert found, f"No mail to {to}; there are mails to {[message.to for message in mail.outbox]}."
    return found[-1]


def link_in(message: Any, pattern: str) -> str:
    """The first address in a message whose path matches, as a path."""
    for url in re.findall(r"https?://[^\s<>\"]+", message.body):
        if re.search(pattern, path_of(url)):
            return path_of(url)
    raise AssertionError(f"No link like {pattern} in:\n{message.body}")


def in_language(language: str, name: str, *args: Any) -> str:
    """An address of the site as it is in a language."""
    with override(language):
        return reverse(name, args=args)


def sign_up(page: Any, *, name: str, email: str, language: str) -> None:
    """Make an account through the screens, with the link of the mail."""
    page.goto(in_language(language, "account_signup"))
    page.fill("[name=name]", name)
    page.fill("[name=email]", email)
    page.select_option("[name=preferred_language]", language)
    page.fill("[name=password1]", "maple canoe lantern seven")
    page.fill("[name=password2]", "maple canoe lantern seven")
    page.check("[name=privacy]")
    press(page, "main form button.btn")
    message = last_mail(email)
    page.goto(link_in(message, r"confirm-email"))
    press(page, "main form button.btn")


def press(page: Any, selector: str) -> None:
    """Press what leads to another page, and wait until it is there."""
    with page.expect_navigation():
        page.locator(selector).first.click()


@dataclass
class Walk:
    """One learner in one browser. The right answers are looked up in the database; everything else is on the page."""

    page: Any
    enrolment: Enrolment
    language: str
    has_scripts: bool = True

    @property
    def steps(self) -> list[OutlineStep]:
        return list(outline_of(self.enrolment.edition).iter_steps())

    def step(self, kind: str, place: int = 0) -> OutlineStep:
        return [step for step in self.steps if step.kind == kind][place]

    def open(self, step: OutlineStep) -> None:
        response = self.page.goto(in_language(self.language, "lms:step", self.enrolment.pk, step.slug))
        assert response.status == 200, f"{self.page.url} answers {response.status}"

    def lesson(self, step: OutlineStep, *, words: str) -> None:
        """Write each reflection, answer each check, complete."""
        self.open(step)
        for part in content_of(self.enrolment, step.key, self.language).segments:
            if part["type"] == "reflection":
                self.reflect(part["key"], words)
            elif part["type"] == "check":
                self.check(step, part["key"])
        press(self.page, "nav.pager form button")

    def reflect(self, key: str, words: str) -> None:
        form = self.page.locator(f"#part-{key}")
        form.locator("textarea").fill(words)
        if not self.has_scripts:
            press(self.page, f"#part-{key} [data-manual] button")
            return
        form.locator("textarea").blur()
        form.locator(".state.ok[data-saved]").wait_for()

    def check(self, step: OutlineStep, key: str) -> None:
        for option in content_of(self.enrolment, step.key, self.language).keys[key]["correct"]:
            self.page.locator(f"#part-{key} input[value='{option}']").check()
        press(self.page, f"#part-{key} form button")
        assert self.page.locator(f"#answer-{key}:not(.not-yet)").count(), f"The check {key} was not right."

    def attempt(self) -> Attempt:
        return Attempt.objects.filter(sitting__context=self.enrolment.pk).order_by("-started_at")[0]

    def begin(self, step: OutlineStep) -> Attempt:
        self.open(step)
        press(self.page, "article form:has(input[value=start]) button")
        return self.attempt()

    def answer(self, attempt: Attempt, number: int, *, right: bool = True) -> None:
        """Choose or type the answer of the question that is shown."""
        key = Form.from_json(attempt.form).keys[number - 1]
        item = assessments.document_of(attempt.sitting.edition).items_by_key()[key]
        raw = answer_item(item, right=right, language=self.language)
        for name, value in raw.items():
            if name in ("number", "text"):
                self.page.fill(f"[name={name}]", value.replace(".", ",") if self.language == "fr" else value)
            else:
                for one in value if isinstance(value, list) else [value]:
                    self.page.locator(f"[name={name}][value='{one}']").check()

    def quiz(self, step: OutlineStep) -> Attempt:
        """Answer everything right, read it over, hand it in."""
        attempt = self.begin(step)
        for number in range(1, len(Form.from_json(attempt.form).keys) + 1):
            self.answer(attempt, number)
            press(self.page, "nav.pager button.btn")
        assert "/review/" in self.page.url
        press(self.page, "main form button.btn")
        assert "/result/" in self.page.url
        attempt.refresh_from_db()
        return attempt

    def assignment(self, step: OutlineStep, *, words: str) -> Attempt:
        """Begin, write, read it over, hand it in."""
        attempt = self.begin(step)
        self.page.fill("#id_text", words)
        press(self.page, "button[value=review]")
        assert words[:40] in self.page.inner_text("main")
        press(self.page, "main form button.btn")
        attempt.refresh_from_db()
        assert attempt.submitted_at is not None
        return attempt


def take_up_to_the_assignment(enrolment: Enrolment, language: str) -> None:
    """Finish what comes before the assignment without a browser: other tests walk it."""
    walker = Walker(enrolment, language, clock.now())
    for step in walker.steps:
        if step.kind == "assignment":
            return
        if walker.is_complete(step):
            continue
        if step.kind == "lesson":
            walker.lesson(step)
        else:
            walker.quiz(step, right=1)
