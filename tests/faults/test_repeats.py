"""Whatever is sent twice counts once: at once, out of order, after a week, from two devices, with a wrong clock.

The list of what may be sent comes from the URL configuration: a new address that takes a POST needs a line here.
"""

from __future__ import annotations

import inspect
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import AuditEntry, Consent, Organization, PersonalText, User
from accounts.services import place_hold, subject_of
from assessments.models import Response
from assessments.services import save_response
from certificates import services as certificate_services
from certificates.models import ShareLink
from core import clock
from core.errors import DomainError, InvalidInput
from lms.models import Enrolment, LearningEvent, Notice, Offering
from lms.services import PartAnswer, begin_attempt, save_reflection, withdraw_learner
from tests.certificates.test_services import revoke
from tests.factories.accounts import PASSWORD
from tests.factories.certificates import make_certificate
from tests.factories.certificates import make_offering as make_certified_offering
from tests.factories.lms import (
    Course,
    make_course,
    make_course_edition,
    make_enrolment,
    make_lesson,
    make_offering,
)
from tests.lms.desk import Desk

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
KEY = "5f1c0f4e-6b3a-4d52-9c5e-2f4f4b1f7a10"


@dataclass
class World:
    """What a case may use."""

    sign_in: SignIn
    learner: User
    instructor: User
    registrar: User
    college: Organization
    administrator: User

    def office(self) -> Client:
        """An administrator in the CMS who has just said who they are."""
        self.administrator.user_permissions.add(Permission.objects.get(codename="access_admin"))
        client = self.sign_in(self.administrator)
        answer = client.post("/en/accounts/reauthenticate/?next=/admin/", {"password": PASSWORD})
        assert answer.status_code == 302
        return client

    def course(self) -> Course:
        return make_course()

    def enrolled(self) -> tuple[Course, Enrolment]:
        course = self.course()
        offering = make_offering(edition=course.edition, organization=self.college)
        return course, make_enrolment(user=self.learner, offering=offering)

    def desk(self, enrolment: Enrolment, course: Course) -> Desk:
        return Desk(course=course, offering=enrolment.offering)


@dataclass
class Case:
    """One request that may be repeated: who sends what where."""

    client: Client
    path: str
    data: dict[str, Any]
    accept: str = "text/html"

    def send(self) -> int:
        status: int = self.client.post(self.path, self.data, headers={"Accept": self.accept}).status_code
        return status


Maker = Callable[[World], Case]
CASES: dict[str, tuple[str, Maker]] = {}


def case(name: str, route: str) -> Callable[[Maker], Maker]:
    def note(maker: Maker) -> Maker:
        CASES[name] = (route, maker)
        return maker

    return note


@case("enrol", "lms:enrol")
def _enrol(world: World) -> Case:
    course = world.course()
    offering: Offering = make_offering(edition=course.edition)
    path = f"/en/trainings/{course.edition.slug}/enrol/{offering.slug}/"
    return Case(world.sign_in(world.learner), path, {"certificate_name": "Lea Smith", "enrolment": KEY})


def _in_lesson(world: World, data: dict[str, Any], *, autosave: bool = False) -> Case:
    _course, enrolment = world.enrolled()
    path = f"/en/learn/{enrolment.pk}/reading/"
    accept = "application/json" if autosave else "text/html"
    return Case(world.sign_in(world.learner), path, {**data, "client_id": KEY}, accept)


@case("a reflection", "lms:step")
def _reflect(world: World) -> Case:
    return _in_lesson(world, {"part": "council", "text": "My words."})


@case("a reflection, by autosave", "lms:step")
def _autosave(world: World) -> Case:
    return _in_lesson(world, {"part": "council", "field": "text", "value": "My words."}, autosave=True)


@case("a worksheet", "lms:step")
def _worksheet(world: World) -> Case:
    return _in_lesson(world, {"part": "plan", "field-counts": "12", "field-say": "Twelve."})


@case("a check", "lms:step")
def _check(world: World) -> Case:
    return _in_lesson(world, {"part": "village", "choice": "b"})


@case("a completed lesson", "lms:step")
def _complete(world: World) -> Case:
    course, enrolment = world.enrolled()
    world.desk(enrolment, course)
    from tests.factories.lms import finish_lesson

    finish_lesson(enrolment, course.steps["reading"])
    path = f"/en/learn/{enrolment.pk}/plain/"
    return Case(world.sign_in(world.learner), path, {"do": "complete", "client_id": KEY})


@case("a begun attempt", "lms:step")
def _begin(world: World) -> Case:
    course, enrolment = world.enrolled()
    world.desk(enrolment, course).reach_quiz(enrolment)
    path = f"/en/learn/{enrolment.pk}/quiz/"
    return Case(world.sign_in(world.learner), path, {"do": "start", "client_id": KEY})


def _in_quiz(world: World, rest: str, data: dict[str, Any], *, autosave: bool = False) -> Case:
    course, enrolment = world.enrolled()
    world.desk(enrolment, course).reach_quiz(enrolment)
    attempt = begin_attempt(
        enrolment=enrolment, step_key=course.steps["quiz"], attempt_id=uuid.uuid4(), language="en"
    )
    path = f"/en/learn/{enrolment.pk}/quiz/attempts/{attempt.pk}/{rest}"
    accept = "application/json" if autosave else "text/html"
    return Case(world.sign_in(world.learner), path, {**data, "client_id": KEY}, accept)


@case("an answer", "lms:question")
def _answer(world: World) -> Case:
    return _in_quiz(world, "1/", {"choice": "right", "go": "2"})


@case("an answer, by autosave", "lms:question")
def _answer_by_autosave(world: World) -> Case:
    return _in_quiz(world, "1/", {"field": "choice", "value": "right"}, autosave=True)


@case("an attempt handed in", "lms:attempt_review")
def _submit(world: World) -> Case:
    return _in_quiz(world, "review/", {})


@case("a draft", "lms:step")
def _draft(world: World) -> Case:
    course, enrolment = world.enrolled()
    desk = world.desk(enrolment, course)
    desk.reach_quiz(enrolment)
    desk.sit_quiz(enrolment, right=4)
    begin_attempt(enrolment=enrolment, step_key=course.steps["work"], attempt_id=uuid.uuid4(), language="en")
    path = f"/en/learn/{enrolment.pk}/work/"
    return Case(world.sign_in(world.learner), path, {"do": "keep", "text": "My plan.", "client_id": KEY})


@case("a name for the certificate", "lms:enrolment_name")
def _name(world: World) -> Case:
    _course, enrolment = world.enrolled()
    path = f"/en/enrolments/{enrolment.pk}/name/"
    return Case(world.sign_in(world.learner), path, {"certificate_name": "Lea Lavallée", "client_id": KEY})


@case("leaving", "lms:enrolment_withdraw")
def _leave(world: World) -> Case:
    _course, enrolment = world.enrolled()
    path = f"/en/enrolments/{enrolment.pk}/withdraw/"
    return Case(world.sign_in(world.learner), path, {"reason": "No time.", "client_id": KEY})


@case("a notice opened", "lms:notice")
def _notice(world: World) -> Case:
    world.enrolled()
    notice = Notice.objects.create(
        subject=subject_of(world.learner), kind="work_marked", about="test", url="/my/"
    )
    return Case(world.sign_in(world.learner), f"/en/my/notices/{notice.pk}/", {})


def _by_instructor(world: World, rest: str, data: dict[str, Any]) -> Case:
    course, enrolment = world.enrolled()
    if rest == "reinstate/":
        withdraw_learner(
            enrolment=enrolment, actor=subject_of(world.instructor), reason="Away.", client_id=uuid.uuid4()
        )
    path = world.desk(enrolment, course).learner_url(enrolment, rest)
    return Case(world.sign_in(world.instructor), path, {"reason": "Agreed.", "client_id": KEY, **data})


@case("a learner withdrawn", "lms:learner_withdraw")
def _withdraw(world: World) -> Case:
    return _by_instructor(world, "withdraw/", {})


@case("a learner taken back", "lms:learner_reinstate")
def _reinstate(world: World) -> Case:
    return _by_instructor(world, "reinstate/", {})


@case("an extension", "lms:learner_extend")
def _extend(world: World) -> Case:
    return _by_instructor(world, "extend/", {"last_day": "2040-01-31"})


@case("more attempts", "lms:learner_grant")
def _grant(world: World) -> Case:
    return _by_instructor(world, "grant/", {"time_factor": "1", "extra_attempts": "2"})


@case("a mark", "lms:mark")
def _mark(world: World) -> Case:
    course, enrolment = world.enrolled()
    desk = world.desk(enrolment, course)
    attempt = desk.hand_in(enrolment)
    data = {
        "level-specific": "2",
        "level-figures": "1",
        "comment": "Sound.",
        "client_id": KEY,
        "do": "marked",
    }
    return Case(world.sign_in(world.instructor), desk.mark_url(attempt), data)


def _certified(world: World) -> Any:
    return make_certificate(user=world.learner, offering=make_certified_offering(partner=world.college))


@case("a certificate shown to everyone", "certificates:consent")
def _show(world: World) -> Case:
    path = f"/en/my/certificates/{_certified(world).pk}/show/"
    return Case(world.sign_in(world.learner), path, {"show": "yes"})


@case("a share link", "certificates:make_link")
def _share(world: World) -> Case:
    path = f"/en/my/certificates/{_certified(world).pk}/links/"
    return Case(world.sign_in(world.learner), path, {"label": "For HR", "lasts": "365", "client_id": KEY})


@case("a share link closed", "certificates:close_link")
def _unshare(world: World) -> Case:
    certificate = _certified(world)
    link = ShareLink.objects.create(certificate=certificate, label="For HR")
    path = f"/en/my/certificates/{certificate.pk}/links/{link.pk}/close/"
    return Case(world.sign_in(world.learner), path, {})


@case("a correction asked for", "certificates:correct")
def _correct(world: World) -> Case:
    path = f"/en/my/certificates/{_certified(world).pk}/correct/"
    return Case(world.sign_in(world.learner), path, {"holder_name": "Lea Lavallée", "client_id": KEY})


@case("a countersignature", "certificates:countersign")
def _countersign(world: World) -> Case:
    path = f"/en/certificates/{_certified(world).pk}/countersign/"
    return Case(world.sign_in(world.registrar), path, {"credits": "3"})


@case("a profile", "accounts:profile")
def _profile(world: World) -> Case:
    data = {
        "name": "Lea Smith",
        "preferred_language": "en",
        "time_zone": "America/Toronto",
        "notices": "on",
    }
    return Case(world.sign_in(world.learner), "/en/my/profile/", data)


@case("a consent withdrawn", "accounts:consent_withdraw")
def _unconsent(world: World) -> Case:
    consent = Consent.objects.create(
        subject=subject_of(world.learner), purpose=Consent.Purpose.NOTICES_BY_EMAIL, wording="As shown."
    )
    path = f"/en/my/data/consents/{consent.pk}/withdraw/"
    return Case(world.sign_in(world.learner), path, {})


@case("words erased", "accounts:text_erase")
def _erase_text(world: World) -> Case:
    course, enrolment = world.enrolled()
    save_reflection(
        enrolment=enrolment,
        answer=PartAnswer(
            step_key=course.steps["reading"], part_key="council", client_id=uuid.uuid4(), language="en"
        ),
        text="To be erased.",
    )
    text = PersonalText.objects.get(kind=PersonalText.Kind.REFLECTION)
    return Case(world.sign_in(world.learner), f"/en/my/data/texts/{text.pk}/erase/", {})


# --- In the CMS ---------------------------------------------------------------------------------------------------


@case("a role granted", "accounts_admin:grant")
def _grant_role(world: World) -> Case:
    data = {"organization": str(world.college.pk), "what": "registrar"}
    return Case(world.office(), f"/admin/people/{world.learner.pk}/grant/", data)


@case("a role ended", "accounts_admin:end")
def _end_role(world: World) -> Case:
    return Case(world.office(), f"/admin/roles/{world.registrar.roles.get().pk}/end/", {})


@case("a hold placed", "accounts_admin:place_hold")
def _hold(world: World) -> Case:
    path = f"/admin/people/{world.learner.pk}/hold/"
    return Case(world.office(), path, {"reason": "File 12, a court asks."})


@case("a hold lifted", "accounts_admin:lift_hold")
def _lift(world: World) -> Case:
    hold = place_hold(subject=subject_of(world.learner), reason="File 12.", placed_by=None)
    return Case(world.office(), f"/admin/holds/{hold.pk}/lift/", {})


@case("a certificate revoked", "certificates_admin:revoke")
def _revoke(world: World) -> Case:
    path = f"/admin/certificates/{_certified(world).pk}/revoke/"
    return Case(world.office(), path, {"reason": "integrity", "note": "Found later.", "client_id": KEY})


@case("a certificate reinstated", "certificates_admin:reinstate")
def _reinstate_certificate(world: World) -> Case:
    certificate = _certified(world)
    revoke(certificate, world.administrator)
    path = f"/admin/certificates/{certificate.pk}/reinstate/"
    return Case(world.office(), path, {"reason": "appeal_upheld", "client_id": KEY})


@case("a certificate issued anew", "certificates_admin:reissue")
def _reissue(world: World) -> Case:
    path = f"/admin/certificates/{_certified(world).pk}/reissue/"
    data = {"holder_name": "Lea Lavallée", "reason": "name_changed", "client_id": KEY}
    return Case(world.office(), path, data)


@case("a request closed", "certificates_admin:close_request")
def _close_request(world: World) -> Case:
    asked = certificate_services.request_correction(
        certificate=_certified(world), holder_name="Léa", note="", request_id=uuid.uuid4()
    )
    return Case(world.office(), f"/admin/certificates/requests/{asked.pk}/close/", {})


@case("a newer edition taken up", "lms_admin:newer_edition")
def _take_up(world: World) -> Case:
    course, enrolment = world.enrolled()
    newer = make_course_edition(
        modules=[[make_lesson("plain")]], course_key=course.edition.course_key, number=2
    )
    world.administrator.user_permissions.add(Permission.objects.get(codename="change_offering"))
    path = f"/admin/offerings/{enrolment.offering_id}/newer-edition/"
    return Case(world.office(), path, {"edition": str(newer.pk), "client_id": KEY})


# They change nothing, or can only happen once, for a reason that stands beside them.
APART = {
    "certificates:check_many": "looks up only",
    "accounts:erase": "the account is gone; tested in tests/accounts/test_erasure.py",
    "accounts:session_end": "the session is gone, so a repeat is 404",
    "demo:sign_in": "signs in; the demo only",
    "modules_admin:issue": "the same text gives the same edition; tested in tests/modules/test_issue.py",
    "modules_admin:copy": "makes a copy each time it is asked to, under a new title",
    "standards_admin:issue": "the same text gives the same edition; tested in tests/standards/test_issue.py",
    "standards_admin:status": "a status is entered once; tested in tests/standards/test_issue.py",
    "accounts:data_download": "the same key is the same job; tested in tests/accounts/test_jobs.py",
    "lms:offering_export": "the same key is the same job; tested in tests/lms/test_desk_offering.py",
    "certificates_admin:due": "issues each certificate once; tested in tests/certificates/test_jobs.py",
    "lms_admin:unsent_mail": "what was taken up again is not in the list; tested in tests/lms/test_unsent_mail.py",
    "accounts_admin:reset_factor": "takes away what is there; tested in tests/accounts/test_administration.py",
}


# No row more and none less: one that is there changes.
CHANGES_A_ROW = {
    "a notice opened",
    "a share link closed",
    "words erased",
    "a consent withdrawn",
    "a request closed",
}


# --- The list -----------------------------------------------------------------------------------------------------


def all_routes(resolver: URLResolver | None = None, space: str = "") -> Iterator[tuple[str, Any]]:
    """Every address of our own floors: its name and its view."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from all_routes(entry, f"{entry.namespace}:" if entry.namespace else space)
        elif isinstance(entry, URLPattern) and entry.name:
            view: Any = inspect.unwrap(getattr(entry.callback, "view_class", entry.callback))
            if view.__module__.split(".")[0] in settings.FLOORS:
                yield f"{space}{entry.name}", entry.callback


def takes_posts(view: Any) -> bool:
    """Whether a view takes a POST: as its decorator says, else as its code does."""
    code = inspect.unwrap(view)
    allowed = _find_allowed(view)
    return "POST" in allowed if allowed is not None else "POST" in inspect.getsource(code)


def _find_allowed(view: Any) -> list[str] | None:
    """The methods that `require_http_methods` lets through, wherever among the decorators it stands."""
    while view is not None:
        for cell in getattr(view, "__closure__", None) or ():
            value = cell.cell_contents
            if isinstance(value, list) and value and set(value) <= {"GET", "HEAD", "POST", "PUT", "DELETE"}:
                return value
        view = getattr(view, "__wrapped__", None)
    return None


def test_every_address_that_takes_a_post_is_here() -> None:
    posts = {name for name, view in all_routes() if takes_posts(view)}
    assert {"lms:step", "lms:mark", "certificates:make_link", "accounts:profile"} <= posts
    tested = {route for route, _maker in CASES.values()}
    missing = posts - tested - set(APART)
    assert not missing, "Send these twice in this file, or say in APART why not."
    assert tested <= posts


# --- Sent again ---------------------------------------------------------------------------------------------------


@pytest.fixture
def world(
    sign_in: SignIn,
    learner: User,
    instructor: User,
    registrar: User,
    college: Organization,
    administrator: User,
) -> World:
    return World(sign_in, learner, instructor, registrar, college, administrator)


NOT_FACTS = {"django_session", "core_cache", "usersessions_usersession"}


def count_rows() -> dict[str, int]:
    """The rows of every table, but for sessions and for the note that somebody opened a record."""
    counts = {}
    for model in apps.get_models():
        table = model._meta.db_table
        if model._meta.proxy or not model._meta.managed or table in NOT_FACTS:
            continue
        rows = model._default_manager.all()
        if model is AuditEntry:
            rows = rows.exclude(action__endswith=".opened")
        counts[table] = rows.count()
    return counts


@pytest.mark.parametrize("name", CASES)
def test_sent_twice_and_after_a_week_it_counts_once(world: World, name: str) -> None:
    case = CASES[name][1](world)
    before = count_rows()
    assert case.send() in {200, 302}
    once = count_rows()
    again = case.send()
    assert again in {200, 302, 409}, again
    assert count_rows() == once
    with clock.set_to(clock.now() + timedelta(days=7)):
        assert case.send() in {200, 302, 409}
    assert count_rows() == once
    if once == before:
        assert name in CHANGES_A_ROW, "It was sent, and nothing came of it."


@pytest.mark.django_db(transaction=True)
@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_twenty_at_once_count_once(world: World, name: str) -> None:
    case = CASES[name][1](world)
    case.client.raise_request_exception = True
    times, statuses, failed = 20, list[int](), list[BaseException]()
    start = threading.Barrier(times)

    def run() -> None:
        client = Client()
        client.cookies = case.client.cookies
        start.wait()
        try:
            statuses.append(Case(client, case.path, case.data, case.accept).send())
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed[:3]
    assert set(statuses) <= {200, 302, 409}
    together = count_rows()
    case.send()
    assert count_rows() == together
    # The same once, alone: so many rows are right.
    for table in ("lms_learningevent", "assessments_response", "assessments_mark", "lms_enrolmentevent"):
        assert together[table] == len(set(apps_rows(table))), table
    assert texts_without_a_fact() == 0


def apps_rows(table: str) -> list[Any]:
    """What makes a fact of a ledger one fact, for each of its rows."""
    keys = {
        "lms_learningevent": ("enrolment_id", "verb", "step_key", "object_key", "result"),
        "assessments_response": ("attempt_id", "item_key", "value", "text_id"),
        "assessments_mark": ("attempt_id", "decision"),
        "lms_enrolmentevent": ("enrolment_id", "kind"),
    }[table]
    model = next(model for model in apps.get_models() if model._meta.db_table == table)
    return [str(row) for row in model._default_manager.values_list(*keys)]


def texts_without_a_fact() -> int:
    """Reflections and answers whose words no ledger names: what is left of a repeat that was half done."""
    named = {row["text"] for row in LearningEvent.objects.values_list("result", flat=True) if "text" in row}
    named |= {str(key) for key in Response.objects.values_list("text_id", flat=True) if key}
    kinds = [PersonalText.Kind.REFLECTION, PersonalText.Kind.WORKSHEET, PersonalText.Kind.SUBMISSION]
    texts = PersonalText.objects.filter(kind__in=kinds).values_list("pk", flat=True)
    return len({str(key) for key in texts} - named)


# --- Out of order, two devices, a wrong clock ---------------------------------------------------------------------


def reflect(course: Course, enrolment: Enrolment, words: str, **fields: Any) -> LearningEvent:
    given = {"client_id": uuid.uuid4(), **fields}
    save_reflection(
        enrolment=enrolment,
        answer=PartAnswer(step_key=course.steps["reading"], part_key="council", language="en", **given),
        text=words,
    )
    return LearningEvent.objects.get(client_id=given["client_id"])


def words_shown(world: World, enrolment: Enrolment) -> str:
    page: str = world.sign_in(world.learner).get(f"/en/learn/{enrolment.pk}/reading/").text
    return page


def test_an_old_request_that_comes_again_does_not_overwrite_a_newer_one(world: World) -> None:
    course, enrolment = world.enrolled()
    first = reflect(course, enrolment, "The first words.")
    reflect(course, enrolment, "The second words, from another device.")
    reflect(course, enrolment, "The first words.", client_id=first.client_id)
    page = words_shown(world, enrolment)
    assert "The second words" in page
    assert "The first words" not in page
    assert LearningEvent.objects.filter(verb="reflected").count() == 2


def test_the_same_key_used_elsewhere_is_refused(world: World, other_learner: User) -> None:
    """A key of another entry keeps nothing and says so, instead of taking the place of words."""
    course, enrolment = world.enrolled()
    other = make_enrolment(user=other_learner, offering=enrolment.offering)
    first = reflect(course, enrolment, "Mine.")
    with pytest.raises(InvalidInput):
        reflect(course, other, "Theirs.", client_id=first.client_id)
    texts = PersonalText.objects.filter(kind=PersonalText.Kind.REFLECTION)
    assert [text.text for text in texts] == ["Mine."]


@pytest.mark.parametrize("days", [-1, 1])
def test_the_clock_of_a_device_a_day_off_is_kept_within_what_can_be(world: World, days: int) -> None:
    """What a device says of its time is neither before the enrolment nor in the future."""
    course, enrolment = world.enrolled()
    off = clock.now() + timedelta(days=days)
    found = reflect(course, enrolment, "From a device whose clock is off.", occurred_at=off)
    assert enrolment.enrolled_at <= found.occurred_at <= found.recorded_at


@pytest.mark.parametrize("days", [-1, 1])
def test_a_browser_whose_clock_is_off_changes_no_order(world: World, days: int) -> None:
    """On the screens the server's clock alone counts: the last words are those that came last."""
    _course, enrolment = world.enrolled()
    client = world.sign_in(world.learner)
    for words, moment in (
        ("From a device that is off.", clock.now() + timedelta(days=days)),
        ("Later.", clock.now()),
    ):
        data = {
            "part": "council",
            "field": "text",
            "value": words,
            "client_id": str(uuid.uuid4()),
            "occurred_at": moment.isoformat(),
        }
        sent = client.post(
            f"/en/learn/{enrolment.pk}/reading/",
            data,
            headers={"Accept": "application/json", "Date": moment.strftime("%a, %d %b %Y %H:%M:%S GMT")},
        )
        assert sent.status_code == 200
    assert "Later." in words_shown(world, enrolment)


def test_no_script_reads_the_clock_of_the_device() -> None:
    """What is older and what is newer, and how much time is left, the server says."""
    for path in (Path(settings.BASE_DIR) / "static" / "js").glob("*.js"):
        assert not re.search(r"\bDate\b|performance\.now", path.read_text(encoding="utf-8")), path.name


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_the_clock_of_a_device_moves_no_deadline(world: World, days: int) -> None:
    """Only the server's clock decides what came in time."""
    course, enrolment = world.enrolled()
    world.desk(enrolment, course).reach_quiz(enrolment)
    attempt = begin_attempt(
        enrolment=enrolment, step_key=course.steps["quiz"], attempt_id=uuid.uuid4(), language="en"
    )
    attempt.deadline = clock.now() + timedelta(minutes=5)
    attempt.save(update_fields=["deadline"])
    said = clock.now() + timedelta(days=days)
    item = attempt.form["items"][0]["key"]
    kept = save_response(
        attempt=attempt, item_key=item, raw={"choice": "right"}, client_id=uuid.uuid4(), occurred_at=said
    )
    assert kept.occurred_at <= kept.recorded_at
    with clock.set_to(clock.now() + timedelta(minutes=6)), pytest.raises(DomainError):
        save_response(
            attempt=attempt, item_key=item, raw={"choice": "left"}, client_id=uuid.uuid4(), occurred_at=said
        )
    assert Response.objects.filter(attempt=attempt).count() == 1


def test_a_certificate_asked_for_again_after_a_week_is_the_same(world: World) -> None:
    certificate = _certified(world)
    with clock.set_to(clock.now() + timedelta(days=7)):
        again = certificate_services.issue_certificate(enrolment=certificate.enrolment)
    assert again == certificate
