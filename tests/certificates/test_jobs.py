"""The certificates of an offering in one go: what is due, issued once, printed, and told."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_tasks_db.models import DBTaskResult

from accounts.models import AuditEntry, Job, User
from accounts.services import subject_of
from accounts.tasks import run_job, run_job_part
from certificates.due import list_due, list_due_offerings
from certificates.jobs import PART_SIZE, ask_for_due
from certificates.models import Certificate
from certificates.pdf_signing import verify_pdf
from lms.models import Notice, Offering
from tests.factories.accounts import make_user
from tests.factories.certificates import (
    complete,
    enrol,
    make_completed,
    make_course_edition,
    make_offering,
    run_tasks,
)

pytestmark = pytest.mark.django_db
DUE = "/admin/certificates/due/"


def make_cohort(count: int) -> Offering:
    """An offering whose learners are all complete, and whose certificates the queue lost."""
    offering = make_offering(edition=make_course_edition())
    for _ in range(count):
        make_completed(offering=offering)
    DBTaskResult.objects.all().delete()
    return offering


@pytest.fixture
def office(officer: User, sign_in: Callable[[User], Client]) -> Client:
    permission = Permission.objects.get(codename="access_admin")
    Group.objects.get_or_create(name="Certificates officers")[0].permissions.add(permission)
    return sign_in(officer)


def test_a_cohort_gets_its_certificates_once(officer: User) -> None:
    offering = make_cohort(PART_SIZE + 1)
    assert len(list_due(offering_id=offering.pk)) == PART_SIZE + 1
    job = ask_for_due(offering=offering, asker=subject_of(officer), job_id=uuid.uuid4())
    run_job.call(str(job.pk))
    # A worker that died after it had done a part leaves that part open: it is done again, and nothing is doubled.
    part = job.parts.get(number=1)
    run_job_part.call(str(job.pk), 1)
    job.parts.filter(pk=part.pk).update(closed_at=None)
    Job.objects.filter(pk=job.pk).update(done=0)
    run_tasks()
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert job.result == {
        "issued": PART_SIZE + 1,
        "printed": PART_SIZE + 1,
        "not_earned": 0,
        "failed": 0,
    }
    certificates = list(Certificate.objects.select_related("content__pdf_key"))
    assert len(certificates) == len({row.enrolment_id for row in certificates}) == PART_SIZE + 1
    for certificate in certificates:
        for language in ("en", "fr"):
            with certificate.content.pdf_in(language).open("rb") as opened:
                found = verify_pdf(opened.read(), trusted=[certificate.content.pdf_key.public])
            assert found is not None
            assert found.stands
        # The pictures follow behind everything else.
        assert certificate.content.picture_fr
    assert Notice.objects.filter(kind="certificate_issued").count() == PART_SIZE + 1
    assert AuditEntry.objects.filter(action="certificates.issued_together").count() == 1
    assert list_due(offering_id=offering.pk) == []


def test_who_is_not_complete_is_left_alone(officer: User, learner: User) -> None:
    offering = make_cohort(1)
    enrol(user=learner, offering=offering)
    job = ask_for_due(offering=offering, asker=subject_of(officer), job_id=uuid.uuid4())
    run_tasks()
    job.refresh_from_db()
    assert job.result["issued"] == Certificate.objects.count() == 1


def test_lost_pdfs_are_made_again(officer: User) -> None:
    offering = make_cohort(1)
    for _ in range(2):
        ask_for_due(offering=offering, asker=subject_of(officer), job_id=uuid.uuid4())
        run_tasks()
        certificate = Certificate.objects.get()
        assert certificate.content.pdf_fr
        type(certificate.content).objects.update(pdf_fr="")


def test_a_name_that_cannot_be_drawn_is_said_and_the_others_are_made(office: Client, officer: User) -> None:
    offering = make_cohort(1)
    complete(enrol(user=make_user(name="Li 李"), offering=offering))
    DBTaskResult.objects.all().delete()
    [(due, _key)] = [(row, row) for row in list_due_offerings()]
    assert (due.missing, due.unprinted) == (2, 0)
    assert due.title in office.get(DUE).content.decode()
    answer = office.post(DUE, {"offering": str(offering.pk), "client_id": str(uuid.uuid4())})
    run_tasks()
    page = office.get(answer["Location"]).content.decode()
    assert "2 certificates were issued." in page
    assert "The PDFs of 1 certificate are there, signed and checked." in page
    assert "1 could not be made." in page
    assert "<td>0</td><td>1</td>" in office.get(DUE).content.decode()


def test_the_screen_costs_the_same_for_one_offering_and_for_many(office: Client) -> None:
    counts = []
    for number in (1, 2):
        for _ in range(number):
            make_cohort(number)
        office.get(DUE)
        with CaptureQueriesContext(connection) as queries:
            office.get(DUE)
        counts.append(len(queries))
    assert counts[0] == counts[1]
