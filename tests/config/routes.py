"""The addresses of the site as its URL configuration has them, and a small world in which each has its object.

`list_routes` walks the configuration; `World` holds one object of each kind that an address can name, all of them the
learner's or of the offering that the instructor teaches, and a client for every kind of person.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver
from wagtail.models import Collection, Locale

from accounts.models import Consent, LegalHold, Organization, PersonalText, Role, User
from accounts.permissions import is_staff_person
from accounts.services import Request, ask_job, give_consent, save_file, save_text, subject_of
from assessments.models import Attempt, Item
from assessments.services import Judgement
from certificates import services as certificates
from certificates.models import Achievement
from cms.services import grant_group_permissions, set_up_site
from lms.models import Enrolment
from lms.services import (
    ExtraAllowance,
    PartAnswer,
    begin_attempt,
    grant_accommodation,
    mark_submission,
    save_reflection,
    save_worksheet,
    withdraw_learner,
)
from lms.services.notices import notify
from modules.pages import CoursePage
from standards.models import Competency
from tests.factories import certificates as certified
from tests.factories import modules as pages
from tests.factories.accounts import make_organization, make_role, make_user
from tests.factories.lms import make_course, make_offering
from tests.lms.desk import Desk

What = Role.What

# --- The URL configuration ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Route:
    """One address of the configuration. `name` is its own, or its pattern where it has none."""

    name: str
    pattern: str
    view: Callable[..., Any]

    @property
    def floor(self) -> str:
        """The package whose view answers."""
        view = getattr(self.view, "view_class", None) or getattr(self.view, "cls", None) or self.view
        return str(view.__module__).partition(".")[0]

    @property
    def is_ours(self) -> bool:
        return self.floor in {*settings.FLOORS, "config"}


def list_routes(resolver: URLResolver | None = None) -> Iterator[Route]:
    """Every address of the site, in the order in which they are tried."""
    yield from _walk(resolver or get_resolver(), "", ())


def _walk(resolver: Any, prefix: str, namespaces: tuple[str, ...]) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            name = ":".join((*namespaces, entry.name)) if entry.name else f"/{pattern}"
            yield Route(name, pattern, entry.callback)
        else:
            inner = (*namespaces, entry.namespace) if entry.namespace else namespaces
            yield from _walk(entry, pattern, inner)


_PART: Final = re.compile(r"(?<!\?P)<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
_GROUP: Final = re.compile(r"\(\?P<(?P<name>\w+)>(?:[^()]|\([^()]*\))*\)|\((?!\?)(?:[^()]|\([^()]*\))*\)")


def fill_in(pattern: str, values: Mapping[str, Any]) -> str:
    """An address of this pattern, with these values for its parts; what is not given is something plausible."""

    def part(match: re.Match[str]) -> str:
        name = match["name"]
        if name in values:
            return str(values[name])
        return {"int": "1", "uuid": str(uuid.UUID(int=1))}.get(match.groupdict().get("kind") or "", "x")

    path = _PART.sub(part, pattern)
    if any(sign in path for sign in "^$(\\"):
        path = _GROUP.sub(lambda match: _fill_group(match, values), path)
        path = path.replace("^", "").replace("$", "").replace("\\.", ".")
    return f"/{path}"


def _fill_group(match: re.Match[str], values: Mapping[str, Any]) -> str:
    # A part that may be missing is: `(…)*` is the front page.
    otherwise = "" if match[0].endswith("*)") else "1"
    return str(values.get(match["name"] or "", otherwise))


# --- The people ---------------------------------------------------------------------------------------------------

# In the order of the columns of the table.
ROLES: Final = {
    "out": "nobody is signed in",
    "lrn": "the learner, whose object it is",
    "oth": "another learner of the same offering",
    "str": "somebody with an account and nothing else",
    "ins": "the instructor of the offering",
    "in2": "an instructor of another organization",
    "aut": "a course author",
    "com": "the standards committee",
    "reg": "a registrar of the college that runs the offering and countersigns its certificates",
    "rg2": "a registrar of another institution",
    "coo": "the coordinator of the learner's town",
    "off": "a certificates officer",
    "ad0": "an administrator who has not set up a second factor",
    "adm": "an administrator",
}


@dataclass(kw_only=True)
class World:
    """One object of each kind, by the word that a row of the table uses, and one client a role."""

    keys: dict[str, Any] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    words: str = ""

    def path(self, pattern: str, words: str) -> str:
        """The address of a pattern. `words` says which object stands where: `key=certificate enrolment`."""
        values = {}
        for word in words.split():
            name, _equals, key = word.partition("=")
            values[name] = self.keys[key or name]
        return fill_in(pattern, values)


def make_quiet_world(*, words: str = "") -> Iterator[World]:
    """A world that is gone afterwards. Staff need a second factor in it; a failure is a 500, and nothing is logged."""
    logging.disable(logging.CRITICAL)
    with override_settings(STAFF_SECOND_FACTOR=True), transaction.atomic():
        made = make_world(words=words)
        for client in made.clients.values():
            client.raise_request_exception = False
        yield made
        transaction.set_rollback(True)
    logging.disable(logging.NOTSET)


def make_world(*, words: str = "") -> World:
    """Everybody and everything, as the services make it. `words` are added to whatever a person typed."""
    world = World(words=words)
    set_up_site()
    _make_people(world)
    _make_learning(world)
    _make_certificates(world)
    _make_pages(world)
    grant_group_permissions()
    return world


def _make_people(world: World) -> None:
    kind = Organization.Kind
    network, college, other, town = (
        make_organization(
            slug=name.lower().replace(" ", "-"),
            name=f"{name}{world.words}",
            name_fr=f"{name} (fr){world.words}",
            kind=what,
        )
        for name, what in (
            ("Network", kind.NETWORK),
            ("College", kind.INSTITUTION),
            ("Other college", kind.INSTITUTION),
            ("Town", kind.MUNICIPALITY),
        )
    )
    roles: dict[str, tuple[str, Organization] | None] = {
        "lrn": (What.MEMBER, town),
        "oth": (What.MEMBER, town),
        "str": None,
        "ins": (What.INSTRUCTOR, college),
        "in2": (What.INSTRUCTOR, other),
        "aut": (What.AUTHOR, network),
        "com": (What.COMMITTEE, network),
        "reg": (What.REGISTRAR, college),
        "rg2": (What.REGISTRAR, other),
        "coo": (What.COORDINATOR, town),
        "off": (What.CERTIFICATES, network),
        "ad0": (What.ADMINISTRATOR, network),
        "adm": (What.ADMINISTRATOR, network),
    }
    world.clients["out"] = Client()
    for code, role in roles.items():
        user = make_user(email=f"{code}@routes.example", name=f"Person {code}{world.words}")
        if role:
            make_role(user=user, what=role[0], organization=role[1])
        user.refresh_from_db()
        if code != "ad0" and is_staff_person(user):
            totp.TOTP.activate(user, totp.generate_totp_secret())
        world.users[code] = user
        world.clients[code] = Client()
        world.clients[code].force_login(user)
    learner = subject_of(world.users["lrn"])
    hold = LegalHold.objects.create(
        subject=learner, reason=f"Lifted.{world.words}", lifted_at=learner.created_at
    )
    device = UserSession.objects.create(user=world.users["lrn"], session_key="x" * 32, ip="127.0.0.1")
    upload = SimpleUploadedFile(f"plan{world.words}.txt", b"Our plan.")
    consent = give_consent(
        subject=learner, purpose=Consent.Purpose.NOTICES_BY_EMAIL, wording=f"Yes.{world.words}", language="en"
    )
    text = save_text(subject=learner, kind=PersonalText.Kind.REFLECTION, text=f"Words.{world.words}")
    job = ask_job(asker=learner, request=Request(job_id=uuid.uuid4(), kind="own_data"))
    world.keys |= {
        "job": job.pk,
        "college": college.pk,
        "person": world.users["lrn"].pk,
        "role": Role.objects.get(user=world.users["lrn"]).pk,
        "hold": hold.pk,
        "device": device.pk,
        "consent": consent.pk,
        "text": text.pk,
        "file": save_file(subject=learner, upload=upload).pk,
        "college_row": college,
    }


def _make_learning(world: World) -> None:
    college = world.keys.pop("college_row")
    course = make_course(slug="rural")
    offering = make_offering(edition=course.edition, organization=college, title=f"Cohort{world.words}")
    desk = Desk(course=course, offering=offering)
    enrolment = desk.enrol(world.users["lrn"])
    _write(world, desk, enrolment)
    work = desk.hand_in(
        enrolment, f"Our harbour.{world.words}", files=[PersonalText.objects.get(pk=world.keys["file"])]
    )
    if world.words:
        # Marked work is no longer in the queue, where the table of routes looks for it.
        mark_submission(
            attempt=work,
            actor=subject_of(world.users["ins"]),
            judgement=Judgement(decision="returned", levels={}, comment=f"Say where.{world.words}"),
            client_id=uuid.uuid4(),
        )
        grant_accommodation(
            enrolment=enrolment,
            allowance=ExtraAllowance(extra_attempts=1),
            actor=subject_of(world.users["ins"]),
            reason=f"A short illness.{world.words}",
            accommodation_id=uuid.uuid4(),
        )
    submitted = Attempt.objects.get(sitting__context=enrolment.pk, sitting__edition__kind="quiz")
    desk.enrol(world.users["oth"])
    # Another enrolment of the learner, with an attempt that is running.
    open_offering = make_offering(edition=course.edition, organization=college)
    begun = Desk(course=course, offering=open_offering).enrol(world.users["lrn"])
    Desk(course=course, offering=open_offering).reach_quiz(begun)
    running = begin_attempt(
        enrolment=begun, step_key=course.steps["quiz"], attempt_id=uuid.uuid4(), language="en"
    )
    gone = make_offering(edition=course.edition, organization=college)
    left = Desk(course=course, offering=gone).enrol(world.users["lrn"])
    withdraw_learner(
        enrolment=left,
        actor=subject_of(world.users["ins"]),
        reason=f"Moved.{world.words}",
        client_id=uuid.uuid4(),
    )
    notice = notify(subject=enrolment.subject, kind="extended", about="routes", params={}, path="my/")
    framework = course.framework
    world.keys |= {
        "course": "rural",
        "course_edition": course.edition.pk,
        "offering": desk.offering.slug,
        "offering_pk": desk.offering.pk,
        "left_offering": gone.slug,
        "enrolment": enrolment.pk,
        "begun": begun.pk,
        "left": left.pk,
        "reading": "reading",
        "quiz": "quiz",
        "work_step": "work",
        "part": "plan",
        "work": work.pk,
        "submitted": submitted.pk,
        "running": running.pk,
        "one": 1,
        "notice": notice.pk,
        "domain": "A",
        "framework": framework.slug,
        "edition": framework.pk,
        "code": "A",
        "competency": Competency.objects.filter(framework_key=framework.framework_key).first().pk,  # type: ignore[union-attr]
    }


def _write(world: World, desk: Desk, enrolment: Enrolment) -> None:
    """What a learner types in a lesson, and an instructor about the learner."""
    step = desk.course.steps["reading"]

    def answer(part: str) -> PartAnswer:
        return PartAnswer(step_key=step, part_key=part, client_id=uuid.uuid4(), language="en")

    desk.reach_quiz(enrolment)
    desk.sit_quiz(enrolment, right=4)
    save_reflection(enrolment=enrolment, answer=answer("council"), text=f"My words.{world.words}")
    save_worksheet(
        enrolment=enrolment, answer=answer("plan"), fields={"counts": f"7{world.words}", "say": "Nine."}
    )


def _make_certificates(world: World) -> None:
    college = Organization.objects.get(pk=world.keys["college"])
    edition = certified.make_course_edition()
    offering = make_offering(edition=edition, organization=college, partner=college)
    certificate = certified.make_certificate(user=world.users["lrn"], offering=offering)
    revoked = certified.make_certificate(
        user=world.users["lrn"], offering=make_offering(edition=edition, organization=college)
    )
    certificates.revoke_certificate(
        certificate=revoked,
        actor=subject_of(world.users["off"]),
        reason="integrity",
        note=f"On file.{world.words}",
        client_id=uuid.uuid4(),
    )
    for name in ("pdf_en", "pdf_fr", "picture_en", "picture_fr"):
        # Printing takes a worker; what matters here is who gets the file.
        getattr(certificate.content, name).save(f"{name}.bin", ContentFile(b"A file."))
    asked = certificates.request_correction(
        certificate=certificate,
        holder_name=f"Another{world.words}",
        note=f"Please.{world.words}",
        request_id=uuid.uuid4(),
    )
    enrolled = Enrolment.objects.get(pk=certificate.enrolment_id)
    world.keys |= {
        "certificate": certificate.pk,
        "number": certificate.number,
        "revoked": revoked.pk,
        "link": certificates.make_share_link(
            certificate=certificate, link_id=uuid.uuid4(), label=f"HR{world.words}"
        ).pk,
        "request": asked.pk,
        "achievement": Achievement.objects.get(key=enrolled.edition.course_key).pk,
        "zero": 0,
    }


def _make_pages(world: World) -> None:
    course: CoursePage = pages.make_whole_course(slug="authored", lessons=1, quiz=False)
    from standards.models import FrameworkEdition
    from standards.pages import FrameworkPage

    english, _made = Locale.objects.get_or_create(language_code="en")
    item = Item.objects.create(
        locale=english, key="routes", kind="single", collection=Collection.get_first_root_node()
    )
    issued = FrameworkEdition.objects.exclude(document={}).order_by("-issued_at").first()
    assert issued is not None
    package = issued.document
    for name in ("editions/routes.txt", "images/routes.txt"):
        if not default_storage.exists(name):
            default_storage.save(name, ContentFile(b"routes"))
    world.keys |= {
        "page": course.pk,
        "framework_page": FrameworkPage.objects.filter(locale=english).first().pk,  # type: ignore[union-attr]
        "issued": issued.pk,
        "item": item.pk,
        "item_kind": "item",
        "package": package["CFDocument"]["identifier"],
        "case_item": package["CFItems"][0]["identifier"],
        "association": package["CFAssociations"][0]["identifier"],
        "asset": "routes.txt",
        "language": "fr",
        "mail": "0" * 16,
        "picture": "images/routes.txt",
        "key": "not:a:key",
    }
