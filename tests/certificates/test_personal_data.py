"""*My data* and the erasure: what a certificate holds of a person goes, what proves its number stays."""

from __future__ import annotations

import uuid

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from accounts.models import User
from accounts.services import erase_person, subject_of
from certificates import services
from certificates.checks import digest_facts
from certificates.models import CertificateContent
from certificates.personal_data import answer
from certificates.uses import say_uses
from tests.certificates.test_services import correct, revoke, status_of
from tests.factories.certificates import make_certificate

pytestmark = pytest.mark.django_db


def test_everything_held_is_in_the_export(learner: User, officer: User) -> None:
    certificate = make_certificate(user=learner)
    certificate.content.pdf_en.save("c.pdf", ContentFile(b"%PDF"))
    services.make_share_link(certificate=certificate, link_id=uuid.uuid4(), label="HR of the town")
    services.request_correction(
        certificate=certificate, holder_name="Léa", note="Please.", request_id=uuid.uuid4()
    )
    correct(certificate, officer, note="As asked.")
    subject = subject_of(learner)
    records = {part.name: part for part in answer.export(subject_id=subject.pk, language="fr")}
    assert {row["number"] for row in records["certificates"].rows} == {
        row.number for row in subject.certificates.all()
    }
    assert "As asked." in str(records["certificates"].rows)
    assert records["certificates"].title == "Certificats"
    assert len(records["certificates"].files) == 1
    assert records["share_links"].rows[0]["label"] == "HR of the town"
    assert records["certificate_corrections"].rows[0]["name"] == "Léa"


def test_export_costs_the_same_at_one_and_many(learner: User) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for _round in range(2):
        make_certificate(user=learner)
        with CaptureQueriesContext(connection) as found:
            answer.export(subject_id=subject_of(learner).pk, language="en")
        counts.append(len(found))
    assert counts[0] == counts[1]


def test_erasure_leaves_number_dates_digest_and_withdrawn(
    learner: User, officer: User, visitor: Client, django_capture_on_commit_callbacks: object
) -> None:
    old = make_certificate(user=learner)
    new = correct(old, officer)
    revoke(new, officer)
    content = CertificateContent.objects.get(pk=old.pk)
    content.pdf_en.save("c.pdf", ContentFile(b"%PDF"))
    storage, name = content.pdf_en.storage, content.pdf_en.name
    facts = content.facts
    services.show_publicly(certificate=old, language="en")
    link = services.make_share_link(certificate=old, link_id=uuid.uuid4(), label="HR of the town")
    number, digest = old.number, old.digest
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        erase_person(subject=subject_of(learner), requested_by=None)
    for row in (old, new):
        content = CertificateContent.objects.get(pk=row.pk)
        assert content.facts is None
        assert content.credential is None
        assert not content.salt
        assert not content.pdf_en
        assert status_of(row) == "withdrawn"
    assert not storage.exists(name)
    old.refresh_from_db()
    assert (old.number, old.digest) == (number, digest)
    # Without the salt, whoever has the facts cannot show that the digest is theirs.
    assert digest_facts(facts, salt="") != digest
    link.refresh_from_db()
    assert link.closed_at
    assert not link.label
    said = visitor.get(f"/certificates/{old.pk}/?lang=en").content.decode()
    assert "Withdrawn on" in said
    assert number in said
    assert "Lavall" not in said
    assert "The signature cannot be checked any more." in said
    assert visitor.get(f"/certificates/{old.pk}/credential.json").status_code == 404
    assert visitor.get(f"/certificates/{old.pk}/certificate.pdf").status_code == 404
    answer.erase(subject_id=old.subject_id)
    assert old.statuses.filter(status="withdrawn").count() == 1


def test_nothing_is_issued_to_somebody_who_was_erased(learner: User) -> None:
    from certificates.tasks import issue_certificate_task
    from tests.factories.certificates import make_completed

    enrolment = make_completed(user=learner)
    erase_person(subject=subject_of(learner), requested_by=None)
    assert issue_certificate_task.call(str(enrolment.pk)) == ""


def test_what_certificates_rest_on_says_so(learner: User) -> None:
    certificate = make_certificate(user=learner)
    assert certificate.enrolment is not None
    key = certificate.enrolment.edition.course_key
    assert say_uses(kind="course", key=key) == ["1 certificate was issued for it."]
    assert say_uses(kind="course", key=uuid.uuid4()) == []
    assert say_uses(kind="picture", key=key) == []
