"""A worker is killed in the middle of an export, an edition, a cohort's certificates, a mail: done again, once.

The lease is ten minutes here, so what gives the work to the next worker is the missing sign of life.
"""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Callable, Iterator

import pytest
from django.core.files.storage import storages
from django.test import Client
from django_tasks_db.models import DBTaskResult

from accounts.models import AuditEntry, Consent, Job, Organization, User
from accounts.services import give_consent, subject_of
from assessments.models import AssessmentEdition
from certificates.jobs import ask_for_due
from certificates.models import Certificate, CertificateContent
from certificates.pdf_signing import verify_pdf
from core.tasks import MOST_TRIES_OF_KILLED
from lms.jobs import ask_roster
from lms.models import Notice
from lms.tasks import send_notice
from modules.jobs import ask_for_edition
from modules.models import CourseEdition, StepContent
from tests.factories.certificates import make_completed
from tests.factories.certificates import make_course_edition as make_small_edition
from tests.factories.certificates import make_offering as make_certified
from tests.factories.lms import make_course, make_offering
from tests.factories.modules import make_whole_course
from tests.faults.site import wait_for
from tests.faults.workers import held, wait_until_it_waits, worker
from tests.lms.desk import Desk

pytestmark = pytest.mark.django_db(transaction=True)

SignIn = Callable[[User], Client]

# A busy machine must not turn a slow worker into a failed test.
LONGEST_SECONDS = 240


def wait_for_end(job: Job) -> Job:
    def is_over() -> bool:
        job.refresh_from_db()
        return job.is_over

    wait_for("The end of the job", is_over, seconds=LONGEST_SECONDS)
    return job


def wait_for_next(job: Job, *, tries: int = 2) -> None:
    """Until the job was given back by the worker that came after, and is under way once more or over."""

    def is_taken() -> bool:
        job.refresh_from_db()
        return job.tries == tries

    wait_for("The next worker", is_taken, seconds=LONGEST_SECONDS)


@pytest.mark.long
def test_in_the_middle_of_an_export(
    instructor: User, college: Organization, learner: User, sign_in: SignIn
) -> None:
    course = make_course()
    desk = Desk(course=course, offering=make_offering(edition=course.edition, organization=college))
    desk.enrol(learner)
    client = sign_in(instructor)
    answer = client.post(f"{desk.url}export/", {"client_id": str(uuid.uuid4())})
    job = Job.objects.get()
    with held("LOCK TABLE lms_stepprogress IN ACCESS EXCLUSIVE MODE"), worker():
        wait_until_it_waits()
        assert "It is under way." in client.get(answer["Location"]).content.decode()
    with worker():
        wait_for_end(job)
    page = client.get(answer["Location"]).content.decode()
    assert "1 learner, with progress and marks" in page
    assert "2 times, because" in page
    content = b"".join(client.get(f"{answer['Location']}file/"))
    assert content.count(learner.email.encode()) == 1
    assert AuditEntry.objects.filter(action="offering.exported").count() == 1
    stored = storages["private"].listdir(f"jobs/{job.pk.hex[:2]}")[1]
    assert [name for name in stored if str(job.pk) in name] == [str(job.pk)]


@pytest.mark.long
def test_in_the_middle_of_an_edition(administrator: User) -> None:
    course = make_whole_course()
    before = AssessmentEdition.objects.count()
    job = ask_for_edition(course=course, asker=subject_of(administrator), note="Once.", job_id=uuid.uuid4())
    with held("LOCK TABLE modules_stepcontent IN ACCESS EXCLUSIVE MODE"), worker():
        wait_until_it_waits()
        job.refresh_from_db()
        # What it does is seen, although nothing of it is decided.
        assert job.state == Job.State.RUNNING
        assert job.doing
    assert not CourseEdition.objects.exists()
    assert AssessmentEdition.objects.count() == before
    with worker():
        wait_for_end(job)
    assert (job.state, job.tries, job.result["number"], job.result["new"]) == (Job.State.DONE, 2, 1, True)
    edition = CourseEdition.objects.get()
    assert edition.note == "Once."
    steps = StepContent.objects.filter(edition=edition).values_list("step_key", "locale")
    assert len(steps) == len(set(steps)) > 0
    assert AuditEntry.objects.filter(action="modules.edition_issued").count() == 1


def test_in_the_middle_of_a_cohort(officer: User) -> None:
    offering = make_certified(edition=make_small_edition())
    enrolments = [make_completed(offering=offering) for _ in range(6)]
    DBTaskResult.objects.all().delete()
    job = ask_for_due(offering=offering, asker=subject_of(officer), job_id=uuid.uuid4())
    # The third of the first part.
    with held("SELECT 1 FROM lms_enrolment WHERE id = %s FOR UPDATE", [enrolments[2].pk]), worker():
        wait_until_it_waits()
        assert Certificate.objects.exists()
    with worker():
        wait_for_end(job)
        wait_for(
            "The end of the queue",
            lambda: not DBTaskResult.objects.exclude(status="SUCCESSFUL").exists(),
            seconds=LONGEST_SECONDS,
        )
    assert (job.done, job.total) == (6, 6)
    assert job.result == {"issued": 6, "printed": 6, "not_earned": 0, "failed": 0}
    assert {row.enrolment_id for row in Certificate.objects.all()} == {row.pk for row in enrolments}
    assert Certificate.objects.count() == Notice.objects.filter(kind="certificate_issued").count() == 6
    assert AuditEntry.objects.filter(action="certificates.issued_together").count() == 1
    for content in CertificateContent.objects.select_related("pdf_key"):
        folder = content.pdf_en.name.rpartition("/")[0]
        assert len(storages["private"].listdir(folder)[1]) == 4, "Two PDFs and two pictures, none left over."
        for language in ("en", "fr"):
            with content.pdf_in(language).open("rb") as opened:
                found = verify_pdf(opened.read(), trusted=[content.pdf_key.public])
            assert found is not None
            assert found.stands


class MailServer(threading.Thread):
    """Takes a whole mail, and never says that it did."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.mails: list[bytes] = []

    def run(self) -> None:
        while True:
            try:
                line, _address = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(line,), daemon=True).start()

    def talk(self, line: socket.socket) -> None:
        with line, line.makefile("rb") as heard:
            line.sendall(b"220 tests\r\n")
            for said in heard:
                if said.upper().startswith(b"DATA"):
                    line.sendall(b"354 go on\r\n")
                    mail = b""
                    while not mail.endswith(b"\r\n.\r\n"):
                        mail += heard.readline()
                    self.mails.append(mail)
                else:
                    line.sendall(b"250 yes\r\n")


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.server.close()


def test_between_a_mail_and_its_note(
    mail_server: MailServer, learner: User, administrator: User, sign_in: SignIn
) -> None:
    subject = subject_of(learner)
    give_consent(
        subject=subject, purpose=Consent.Purpose.NOTICES_BY_EMAIL, wording="As shown.", language="en"
    )
    notice = Notice.objects.create(
        subject=subject, kind="certificate_issued", about="mark:1", params={"number": "N-1"}, url="/my/"
    )
    send_notice.enqueue(str(notice.pk))
    with worker(mail_port=mail_server.port):
        wait_for("The mail", lambda: mail_server.mails, seconds=LONGEST_SECONDS)
    with worker(mail_port=mail_server.port):
        wait_for("The end of the queue", lambda: DBTaskResult.objects.filter(status="SUCCESSFUL").exists())
    notice.refresh_from_db()
    assert (notice.mail, notice.emailed_at) == (Notice.Mail.UNKNOWN, None)
    assert len(mail_server.mails) == 1, "It is not sent twice."


@pytest.mark.long
def test_three_times_in_a_row_is_told_as_it_is(
    instructor: User, college: Organization, sign_in: SignIn
) -> None:
    course = make_course()
    desk = Desk(course=course, offering=make_offering(edition=course.edition, organization=college))
    job = ask_roster(offering=desk.offering, asker=subject_of(instructor), job_id=uuid.uuid4())
    client = sign_in(instructor)
    with held("LOCK TABLE lms_stepprogress IN ACCESS EXCLUSIVE MODE"):
        with worker():
            wait_until_it_waits()
        for tries in range(2, MOST_TRIES_OF_KILLED + 1):
            with worker():
                wait_for_next(job, tries=tries)
    with worker():
        wait_for_end(job)
    assert (job.state, job.tries) == (Job.State.FAILED, MOST_TRIES_OF_KILLED)
    page = client.get(f"/en/my/jobs/{job.pk}/").content.decode()
    assert "stopped each time" in page
    assert not AuditEntry.objects.filter(action="offering.exported").exists()
    # Asked again, it is done.
    again = ask_roster(offering=desk.offering, asker=subject_of(instructor), job_id=uuid.uuid4())
    assert again.pk != job.pk
