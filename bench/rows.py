"""The ten screens that are measured, and a few more that are asked for by name.

A row says whom it asks as, what, and what must stand in the answer. Nobody is asked for twice in a phase of a round, so
nothing that a process might keep of a person flatters the figure. Rows that write get fresh forms for every round, by
loading the page as a browser does: its cookie, its token, its key.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from html import escape, unescape
from typing import Any, Final
from urllib.parse import urlencode

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.middleware.csrf import CSRF_SECRET_LENGTH
from django.utils import timezone
from django.utils.crypto import get_random_string

from accounts.models import User
from accounts.renewal import HELD, describe_held
from accounts.sessions import SessionStore
from assessments.models import Attempt, Response
from bench.client import Answer, Ask, WrongAnswer, ask_at_once
from bench.inside import Application, call
from bench.people import (
    ANSWERED,
    COHORT,
    INSTRUCTORS,
    READING,
    READY,
    RUNNING,
    address_of,
)
from certificates.models import Certificate
from lms.models import Enrolment, Evidence, LearningEvent, StepProgress
from modules.selectors import outline_of

CLIENTS: Final = 8
# Of the issue: a row's p50 is at most so many times the yardstick's; its throughput twice that.
TARGETS: Final = {
    "lesson": 5,
    "course_home": 6,
    "complete_step": 4,
    "save_response": 4,
    "attempt_page": 6,
    "submit_attempt": 10,
    "offering_page": 10,
    "competency_map": 8,
    "verification": 3,
    "catalogue": 3,
}
WRITING: Final = frozenset({"complete_step", "save_response", "submit_attempt"})


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody signed in: the session's cookie, and the enrolment that is theirs."""

    name: str
    language: str
    cookie: str
    enrolment: Enrolment | None = None

    @property
    def course(self) -> str:
        assert self.enrolment is not None
        return f"/{self.language}/learn/{self.enrolment.pk}/"


def sign_in(users: Sequence[User], *, staff: bool = False) -> dict[uuid.UUID, str]:
    """A fresh session for each, as signing in makes it: the cookie by the person's key.

    That of staff knows which roles they hold; else their first page would give it a new key.
    """
    store = SessionStore()
    rows, devices, cookies = [], [], {}
    ends = timezone.now() + timedelta(days=14)
    for user in users:
        key = get_random_string(32, "abcdefghijklmnopqrstuvwxyz0123456789")
        data = {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: "accounts.backends.PersonBackend",
            HASH_SESSION_KEY: user.get_session_auth_hash(),
            **({HELD: describe_held(user)} if staff else {}),
        }
        rows.append(Session(session_key=key, session_data=store.encode(data), expire_date=ends))
        devices.append(UserSession(user=user, session_key=key, ip="127.0.0.1", user_agent="bench"))
        # A browser that signed in has the cookie of the forms' token too.
        token = get_random_string(CSRF_SECRET_LENGTH)
        cookies[user.pk] = f"{settings.SESSION_COOKIE_NAME}={key}; {settings.CSRF_COOKIE_NAME}={token}"
    Session.objects.bulk_create(rows, batch_size=500)
    UserSession.objects.bulk_create(devices, batch_size=500)
    return cookies


def find_people(models: Sequence[str], limit: int) -> list[Person]:
    """Copies of some models, in turn, signed in."""
    kinds: list[list[Enrolment]] = []
    for model in models:
        rows = Enrolment.objects.filter(subject__user__email__startswith=f"{model}.").exclude(
            subject__user__email=address_of(model)
        )
        kinds.append(
            list(
                rows.select_related("subject__user", "edition").order_by("subject__user__date_joined", "pk")[
                    : -(-limit // len(models))
                ]
            )
        )
    found = [one for group in _zip_longest(kinds) for one in group][:limit]
    users = [enrolment.subject.user for enrolment in found if enrolment.subject.user]
    cookies = sign_in(users)
    return [
        Person(name=user.name, language=user.preferred_language, cookie=cookies[user.pk], enrolment=enrolment)
        for user, enrolment in zip(users, found, strict=True)
    ]


def _zip_longest(groups: list[list[Any]]) -> Iterator[list[Any]]:
    for place in range(max((len(group) for group in groups), default=0)):
        yield [group[place] for group in groups if place < len(group)]


def read_form(answer: Answer) -> tuple[str, dict[str, str]]:
    """The hidden inputs of a page's own form, and the cookie that goes with its token."""
    text = answer.text
    start = text.find("<main")
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text[max(start, 0) :]))
    cookie = answer.cookies().get(settings.CSRF_COOKIE_NAME, "")
    if not cookie or "csrfmiddlewaretoken" not in hidden:
        raise WrongAnswer(f"A page came without its form or token: {text[:300]}")
    return f"{settings.CSRF_COOKIE_NAME}={cookie}", {name: unescape(value) for name, value in hidden.items()}


FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")


@dataclass
class Row:
    """One screen: how it is asked for in each round, and how its writes are proved."""

    name: str
    port: int
    requests: int
    pool: list[Any] = field(default_factory=list)
    used: int = 0

    @property
    def writes(self) -> bool:
        return False

    def gather(self) -> None:
        """Find who asks, once."""

    def ask(self, one: Any, number: int) -> Ask:
        raise NotImplementedError

    def draw(self, count: int) -> list[Ask]:
        """So many requests, each by the next of the pool."""
        asks = [
            self.ask(self.pool[(self.used + place) % len(self.pool)], self.used + place)
            for place in range(count)
        ]
        self.used += count
        return asks

    def make_round(self) -> tuple[list[Ask], list[list[Ask]]]:
        """What the single client asks, and what each of the eight does."""
        single = self.draw(self.requests)
        rest = self.draw(self.requests // CLIENTS * CLIENTS)
        return single, [rest[number::CLIENTS] for number in range(CLIENTS)]

    def prove(self) -> str:
        """Look into the database whether every acknowledged write is there exactly once."""
        return ""


class Lesson(Row):
    """Where a learner left off, in the midst of a lesson."""

    def gather(self) -> None:
        self.pool = find_people(READING, self.requests)
        steps = {}
        for person in self.pool:
            assert person.enrolment is not None
            last = person.enrolment.progress.last_step_key
            steps[last] = outline_of(person.enrolment.edition).steps_by_key()[last]
        self.steps = steps

    def ask(self, one: Person, number: int) -> Ask:
        assert one.enrolment is not None
        step = self.steps[one.enrolment.progress.last_step_key]
        return Ask(
            path=f"{one.course}{step.slug}/",
            cookie=one.cookie,
            words=(escape(one.name), escape(step.title_in(one.language)), str(one.enrolment.pk), "</html>"),
        )


class CourseHome(Row):
    def gather(self) -> None:
        self.pool = find_people((*RUNNING, *READING, "failed-en", "waiting-en"), self.requests)

    def ask(self, one: Person, number: int) -> Ask:
        assert one.enrolment is not None
        return Ask(
            path=one.course, cookie=one.cookie, words=(escape(one.name), str(one.enrolment.pk), "</html>")
        )


class CompetencyMap(Row):
    def gather(self) -> None:
        self.pool = find_people((*RUNNING, *READING, "failed-en", "waiting-en"), self.requests)

    def ask(self, one: Person, number: int) -> Ask:
        return Ask(
            path=f"/{one.language}/my/competencies/",
            cookie=one.cookie,
            words=(escape(one.name), "<table", "</html>"),
        )


class CompetencyDomain(CompetencyMap):
    """Besides the ten: one domain, with the evidence of each competency."""

    def ask(self, one: Person, number: int) -> Ask:
        domain = "ABC"[number % 3]
        return Ask(
            path=f"/{one.language}/my/competencies/{domain}/",
            cookie=one.cookie,
            words=(escape(one.name), "<table", "</html>"),
        )


class AttemptPage(Row):
    def gather(self) -> None:
        people = find_people(RUNNING, self.requests)
        attempts = _open_attempts(people)
        self.pool = [(person, attempts[person.enrolment.pk]) for person in people if person.enrolment]

    def ask(self, one: tuple[Person, Attempt], number: int) -> Ask:
        person, attempt = one
        place = number % len(attempt.form["items"]) + 1
        return Ask(
            path=_question_path(person, attempt, place),
            cookie=person.cookie,
            words=(escape(person.name), str(attempt.pk), 'id="stem"', "</html>"),
        )


def _open_attempts(people: Sequence[Person]) -> dict[uuid.UUID, Attempt]:
    keys = [person.enrolment.pk for person in people if person.enrolment]
    rows = Attempt.objects.filter(sitting__context__in=keys, submitted_at__isnull=True).select_related(
        "sitting"
    )
    return {row.sitting.context: row for row in rows}


def _final_slug(person: Person) -> str:
    assert person.enrolment is not None
    return list(outline_of(person.enrolment.edition).iter_steps())[-1].slug


def _question_path(person: Person, attempt: Attempt, place: int) -> str:
    return f"{person.course}{_final_slug(person)}/attempts/{attempt.pk}/{place}/"


class OfferingPage(Row):
    """The first page of a large offering, for eight people who teach it."""

    def gather(self) -> None:
        emails = [address_of("instructor", number) for number in range(INSTRUCTORS)]
        users = list(User.objects.filter(email__in=emails).order_by("email"))
        cookies = sign_in(users, staff=True)
        self.pool = [Person(name=user.name, language="en", cookie=cookies[user.pk]) for user in users]
        self.total = Enrolment.objects.filter(offering__slug=COHORT).count()

    def ask(self, one: Person, number: int) -> Ask:
        return Ask(
            path=f"/en/teach/{COHORT}/",
            cookie=one.cookie,
            words=(escape(one.name), f" {self.total}<", f"/en/teach/{COHORT}/", "<table", "</html>"),
        )


class Verification(Row):
    """Certificates of different people, seen by whoever checks them."""

    def gather(self) -> None:
        rows = Certificate.objects.filter(enrolment__offering__slug=COHORT).select_related("content")
        self.pool = [(row.pk, row.number) for row in rows.order_by("number")]

    def ask(self, one: tuple[uuid.UUID, str], number: int) -> Ask:
        key, printed = one
        return Ask(path=f"/certificates/{key}/", words=(str(printed), "</html>"))


class Catalogue(Row):
    def gather(self) -> None:
        self.pool = ["en", "fr"]

    def ask(self, one: str, number: int) -> Ask:
        title = {"en": "Rural Crime Prevention Training", "fr": "Formation sur la prévention"}[one]
        return Ask(path=f"/{one}/trainings/", words=(title, "</html>"))


# --- Rows that write ------------------------------------------------------------------------------------------------


class Writing(Row):
    """Every request is a form that was loaded before, and is sent once."""

    # Answers inside this process load the forms there too.
    loader: Application | None = None

    @property
    def writes(self) -> bool:
        return True

    def load(self, one: Any, number: int) -> Ask:
        """The page whose form is sent."""
        raise NotImplementedError

    def fill(self, one: Any, number: int, page: Answer) -> Ask:
        """The request that its form makes."""
        raise NotImplementedError

    def draw(self, count: int) -> list[Ask]:
        chosen = [
            (self.pool[(self.used + place) % len(self.pool)], self.used + place) for place in range(count)
        ]
        self.used += count
        pages = [self.load(one, number) for one, number in chosen]
        if self.loader is not None:
            inside = [call(self.loader, page) for page in pages]
            return [self.fill(one, number, page) for (one, number), page in zip(chosen, inside, strict=True)]
        shares = [pages[number::2] for number in range(2)]
        _took, answers = ask_at_once(self.port, shares)
        loaded: list[Answer] = [answers[place % 2][place // 2] for place in range(count)]
        return [self.fill(one, number, page) for (one, number), page in zip(chosen, loaded, strict=True)]


class CompleteStep(Writing):
    """The last click of a lesson whose every part is filled in; each learner once."""

    def gather(self) -> None:
        self.pool = find_people(READY, self.needed)
        self.sent: list[tuple[uuid.UUID, uuid.UUID]] = []

    needed = 0

    def _step(self, one: Person) -> tuple[Any, Any]:
        assert one.enrolment is not None
        steps = list(outline_of(one.enrolment.edition).iter_steps())
        place = next(n for n, step in enumerate(steps) if step.key == one.enrolment.progress.last_step_key)
        return steps[place], steps[place + 1]

    def load(self, one: Person, number: int) -> Ask:
        step, _next = self._step(one)
        return Ask(
            path=f"{one.course}{step.slug}/", cookie=one.cookie, words=(escape(one.name), 'value="complete"')
        )

    def fill(self, one: Person, number: int, page: Answer) -> Ask:
        assert one.enrolment is not None
        cookie, hidden = read_form(page)
        step, following = self._step(one)
        self.sent.append((one.enrolment.pk, step.key))
        body = {name: hidden[name] for name in ("csrfmiddlewaretoken", "client_id")} | {"do": "complete"}
        return Ask(
            method="POST",
            path=f"{one.course}{step.slug}/",
            cookie=f"{one.cookie}; {cookie}",
            headers=(FORM,),
            body=urlencode(body).encode(),
            status=302,
            goal=f"{one.course}{following.slug}/",
        )

    def prove(self) -> str:
        wanted = set(self.sent)
        people = [enrolment for enrolment, _step in wanted]
        events = LearningEvent.objects.filter(enrolment__in=people, verb=LearningEvent.Verb.COMPLETED)
        found = [pair for pair in events.values_list("enrolment_id", "step_key") if pair in wanted]
        if sorted(found) != sorted(wanted) or len(self.sent) != len(wanted):
            raise WrongAnswer(f"complete_step: {len(self.sent)} were sent, {len(found)} completions stand.")
        rows = StepProgress.objects.filter(enrolment__in=people, state=StepProgress.State.COMPLETE)
        done = sum(pair in wanted for pair in rows.values_list("enrolment_id", "step_key"))
        evidence = Evidence.objects.filter(enrolment__in=people, kind=Evidence.Kind.LESSON)
        proved = sum(pair in wanted for pair in set(evidence.values_list("enrolment_id", "step_key")))
        if done != len(wanted) or proved != len(wanted):
            raise WrongAnswer(
                f"complete_step: of {len(wanted)} steps {done} show as complete and {proved} gave evidence."
            )
        return f"{len(wanted)} completions, each there once with its evidence"


class SaveResponse(Writing):
    """Autosave of one answer: another one than is kept."""

    def gather(self) -> None:
        people = find_people(RUNNING, self.requests * 2)
        attempts = _open_attempts(people)
        self.pool = [(person, attempts[person.enrolment.pk]) for person in people if person.enrolment]
        self.sent: list[tuple[uuid.UUID, uuid.UUID, dict[str, Any]]] = []

    def _place(self, number: int) -> int:
        # The next time round the pool it is the next question.
        return (number + number // len(self.pool)) % 20 + 1

    def load(self, one: tuple[Person, Attempt], number: int) -> Ask:
        person, attempt = one
        path = _question_path(person, attempt, self._place(number))
        return Ask(path=path, cookie=person.cookie, words=(escape(person.name), 'id="question"'))

    def fill(self, one: tuple[Person, Attempt], number: int, page: Answer) -> Ask:
        person, attempt = one
        cookie, hidden = read_form(page)
        name, values, kept = _choose_other(page.text, number)
        key = uuid.uuid4()
        self.sent.append((key, attempt.pk, kept))
        fields = [
            *((n, v) for n, v in hidden.items() if n != "client_id"),
            ("client_id", str(key)),
            ("field", name),
        ]
        body = urlencode([*fields, *(("value", value) for value in values)])
        return Ask(
            method="POST",
            path=_question_path(person, attempt, self._place(number)),
            cookie=f"{person.cookie}; {cookie}",
            headers=(FORM, ("Accept", "application/json")),
            body=body.encode(),
            words=("saved_at_text",),
        )

    def prove(self) -> str:
        rows = {
            row.client_id: row
            for row in Response.objects.filter(client_id__in=[key for key, _attempt, _value in self.sent])
        }
        for key, attempt, value in self.sent:
            row = rows.get(key)
            if row is None or row.attempt_id != attempt or ("text" not in value and row.value != value):
                raise WrongAnswer(
                    f"save_response: {key} should have kept {value}, and kept {row and row.value}."
                )
        return f"{len(rows)} answers, each there once"


def _choose_other(page: str, number: int) -> tuple[str, list[str], dict[str, Any]]:
    """Another answer than the page shows: the field, its values, and what the ledger is to keep."""
    radios = re.findall(r'<input type="radio" name="choice" value="([^"]+)"( checked)?', page)
    if radios:
        free = [value for value, checked in radios if not checked]
        value = free[number % len(free)]
        return "choice", [value], {"choice": value}
    boxes = re.findall(r'<input type="checkbox" name="choices" value="([^"]+)"( checked)?', page)
    if boxes:
        checked = [value for value, mark in boxes if mark]
        free = [value for value, mark in boxes if not mark]
        values = sorted([*checked, free[0]] if free else checked[1:])
        return "choices", values, {"choices": values}
    typed = re.search(r'name="(number|text)" value="([^"]*)"', page)
    if typed is None:
        raise WrongAnswer(f"There is nothing to answer with: {page[:300]}")
    other = str(number + 1) if typed[2] != str(number + 1) else str(number + 2)
    return typed[1], [other], {typed[1]: other}


class SubmitAttempt(Writing):
    """Handing in the final assessment with all of its twenty answers, which completes the course; each learner once."""

    needed = 0

    def gather(self) -> None:
        people = find_people(ANSWERED, self.needed)
        attempts = _open_attempts(people)
        self.pool = [(person, attempts[person.enrolment.pk]) for person in people if person.enrolment]
        self.sent: list[uuid.UUID] = []

    def _base(self, one: tuple[Person, Attempt]) -> str:
        person, attempt = one
        return f"{person.course}{_final_slug(person)}/attempts/{attempt.pk}/"

    def load(self, one: tuple[Person, Attempt], number: int) -> Ask:
        person, _attempt = one
        return Ask(path=f"{self._base(one)}review/", cookie=person.cookie, words=(escape(person.name), "20"))

    def fill(self, one: tuple[Person, Attempt], number: int, page: Answer) -> Ask:
        person, attempt = one
        cookie, hidden = read_form(page)
        self.sent.append(attempt.pk)
        body = {name: hidden[name] for name in ("csrfmiddlewaretoken", "client_id")}
        return Ask(
            method="POST",
            path=f"{self._base(one)}review/",
            cookie=f"{person.cookie}; {cookie}",
            headers=(FORM,),
            body=urlencode(body).encode(),
            status=302,
            goal=f"{self._base(one)}result/",
        )

    def prove(self) -> str:
        wanted = set(self.sent)
        rows = Attempt.objects.filter(pk__in=wanted, submitted_at__isnull=False, passed=True)
        full = [row for row in rows if row.score and len(row.score["by_item"]) == 20]
        events = LearningEvent.objects.filter(
            verb=LearningEvent.Verb.SUBMITTED, object_key__in=[str(key) for key in wanted]
        )
        told = list(events.values_list("object_key", flat=True))
        evidence = Evidence.objects.filter(kind=Evidence.Kind.ATTEMPT, source__in=wanted)
        proved = len(set(evidence.values_list("source", flat=True)))
        counts = (len(self.sent), len(wanted), len(full), len(told), len(set(told)), proved)
        if len(set(counts)) != 1:
            raise WrongAnswer(f"submit_attempt: sent, different, scored, told, told once, evidence: {counts}")
        return f"{len(wanted)} attempts of 20 items, each scored and told once, with its evidence"


KINDS: Final[dict[str, Callable[..., Row]]] = {
    "lesson": Lesson,
    "course_home": CourseHome,
    "complete_step": CompleteStep,
    "save_response": SaveResponse,
    "attempt_page": AttemptPage,
    "submit_attempt": SubmitAttempt,
    "offering_page": OfferingPage,
    "competency_map": CompetencyMap,
    "verification": Verification,
    "catalogue": Catalogue,
}
MORE: Final[dict[str, Callable[..., Row]]] = {"competency_domain": CompetencyDomain}


def make_row(name: str, *, port: int, requests: int, rounds: int) -> Row:
    """A row, ready to be asked."""
    row = {**KINDS, **MORE}[name](name, port, requests)
    if isinstance(row, CompleteStep | SubmitAttempt):
        row.needed = needed(requests, rounds)
    row.gather()
    if not row.pool:
        raise WrongAnswer(f"{name}: there is nobody to ask as.")
    return row


def needed(requests: int, rounds: int) -> int:
    """How many learners who write once all rounds take, and a few to warm up and to count queries with."""
    return (requests + requests // CLIENTS * CLIENTS) * rounds + 3 * CLIENTS
