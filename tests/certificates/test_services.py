"""Issuing, correcting, revoking: once each, whatever is repeated, and never by changing what was recorded."""

from __future__ import annotations

import threading
import uuid
from datetime import date, timedelta
from unittest import mock

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django_tasks_db.models import DBTaskResult

from accounts.models import AuditEntry, Organization, User
from accounts.services import subject_of
from certificates import services
from certificates.checks import check_certificate, issuer_day
from certificates.gather import add_months
from certificates.issuer import list_credential_keys
from certificates.models import Achievement, Certificate, CertificateContent, StatusEntry
from certificates.openbadges.credential import HolderIdentity
from certificates.pdf_signing import verify_pdf
from certificates.places import LIST_LENGTH
from certificates.services.issue import NotEarned
from core import clock
from core.errors import InvalidInput
from core.models import LedgerError
from core.pdf import PdfError
from lms.models import Enrolment, Evidence, Notice
from lms.services import confirm_certificate_name
from tests.factories.certificates import (
    add_evidence,
    complete,
    enrol,
    make_certificate,
    make_completed,
    make_course_edition,
    make_offering,
    run_tasks,
)

pytestmark = pytest.mark.django_db


def correct(certificate: Certificate, officer: User, **values: object) -> Certificate:
    return services.supersede_certificate(
        services.Correction(
            certificate=certificate,
            actor=subject_of(officer),
            **{
                "holder_name": "Lea Lavallée",
                "reason": StatusEntry.Reason.NAME_CHANGED,
                "client_id": uuid.uuid4(),
                **values,
            },
        )
    )


def revoke(certificate: Certificate, officer: User, **values: object) -> StatusEntry:
    return services.revoke_certificate(
        certificate=certificate,
        actor=subject_of(officer),
        **{"reason": StatusEntry.Reason.INTEGRITY, "client_id": uuid.uuid4(), **values},
    )


def status_of(certificate: Certificate) -> str:
    return Certificate.objects.with_status(issuer_day(clock.now())).get(pk=certificate.pk).effective_status


# --- Issuing --------------------------------------------------------------------------------------------------------


def test_a_completed_course_issues_its_certificate_by_a_task(learner: User) -> None:
    make_completed(user=learner)
    assert not Certificate.objects.exists()
    run_tasks()
    certificate = Certificate.objects.get()
    assert certificate.subject == subject_of(learner)
    assert certificate.content.pdf_en
    assert certificate.content.pdf_fr
    notice = Notice.objects.get(kind="certificate_issued")
    assert notice.url == f"/my/certificates/{certificate.pk}/"


def test_the_task_is_part_of_the_completion(learner: User) -> None:
    with transaction.atomic():
        make_completed(user=learner)
        transaction.set_rollback(True)
    assert not DBTaskResult.objects.filter(task_path__contains="issue_certificate_task").exists()


def test_facts_say_what_the_records_say(learner: User, college: Organization) -> None:
    offering = make_offering(
        edition=make_course_edition(valid_months=24), partner=college, time_zone="America/Vancouver"
    )
    with clock.set_to(clock.now().replace(year=2026, month=10, day=10, hour=5)):
        certificate = services.issue_certificate(
            enrolment=make_completed(user=learner, offering=offering, name="Léa Lavallée", language="fr")
        )
    facts = certificate.content.facts
    assert facts["holder_name"] == "Léa Lavallée"
    assert facts["course_title"] == {
        "en": "Rural Crime Prevention",
        "fr": "Prévention de la criminalité en milieu rural",
    }
    # Five in the morning in UTC is the evening before in Vancouver.
    assert facts["completed_on"] == facts["issued_on"] == "2026-10-09"
    assert certificate.expires_on == date(2028, 10, 9)
    assert facts["completed_in"] == "fr"
    assert facts["minutes"] == 40
    assert facts["delivered_by"] == {"en": "Riverside College", "fr": "Collège Riverside"}
    assert facts["partner"] is None
    assert [(row["code"], row["level"], row["evidence"]["fr"]) for row in facts["competencies"]] == [
        ("A1", "foundational", "Leçon terminée"),
        ("A2", "practising", "Évaluation, 7 sur 8"),
        ("A3", "foundational", "Travail noté"),
    ]
    assert facts["verification_url"] == f"http://testserver/certificates/{certificate.pk}/"


def test_a_competency_stands_once_at_its_highest_level_with_its_best_evidence(learner: User) -> None:
    enrolment = enrol(user=learner, offering=make_offering())
    add_evidence(enrolment, code="A2", level="foundational")
    first = add_evidence(enrolment, code="A2", level="practising", points="5")
    again = add_evidence(enrolment, code="A2", level="practising", points="7.5")
    assert first.step_key != again.step_key
    add_evidence(enrolment, code="A2", level="practising", kind=Evidence.Kind.ASSIGNMENT)
    add_evidence(enrolment, code="A3", strength="contributes")
    certificate = services.issue_certificate(enrolment=complete(enrolment))
    rows = {row["code"]: row for row in certificate.content.facts["competencies"]}
    assert set(rows) == {"A1", "A2"}
    assert rows["A2"]["level"] == "practising"
    assert rows["A2"]["evidence"]["en"] == "Assessment, 5 of 8; Assessment, 7.5 of 8; Assignment, marked"
    assert rows["A2"]["evidence"]["fr"] == "Évaluation, 5 sur 8; Évaluation, 7,5 sur 8; Travail noté"


def test_evidence_that_was_taken_back_certifies_nothing(learner: User) -> None:
    enrolment = enrol(user=learner, offering=make_offering())
    wrong = add_evidence(enrolment, code="A2")
    Evidence.objects.create(
        subject=wrong.subject,
        edition_competency=wrong.edition_competency,
        level=wrong.level,
        kind=Evidence.Kind.RETRACTION,
        source=uuid.uuid4(),
        retracts=wrong,
    )
    certificate = services.issue_certificate(enrolment=complete(enrolment))
    assert [row["code"] for row in certificate.content.facts["competencies"]] == ["A1"]


def test_issued_once_whatever_is_repeated(learner: User) -> None:
    enrolment = make_completed(user=learner)
    first = services.issue_certificate(enrolment=enrolment)
    assert services.issue_certificate(enrolment=enrolment) == first
    run_tasks()
    assert Certificate.objects.count() == 1
    assert StatusEntry.objects.count() == 1
    assert Notice.objects.filter(kind="certificate_issued").count() == 1
    assert Achievement.objects.count() == 1


def test_the_database_itself_refuses_a_second_one(learner: User) -> None:
    first = make_certificate(user=learner)
    with pytest.raises(IntegrityError, match="earns_a_certificate_once"), transaction.atomic():
        Certificate.objects.create(
            number="2026-111111-1A",
            achievement=first.achievement,
            subject=first.subject,
            enrolment=first.enrolment,
            completed_on=first.completed_on,
            digest="0" * 64,
            status_index=first.status_index + 1,
        )


def test_nothing_is_issued_for_a_course_that_is_not_complete(learner: User) -> None:
    enrolment = enrol(user=learner, offering=make_offering())
    with pytest.raises(NotEarned):
        services.issue_certificate(enrolment=enrolment)
    assert not Certificate.objects.exists()


def test_a_number_that_was_taken_meanwhile_is_drawn_again(learner: User, other_learner: User) -> None:
    taken = make_certificate(user=learner).number
    enrolment = make_completed(user=other_learner)
    with mock.patch("certificates.numbers.draw_number", side_effect=[taken, "2026-111111-0X"]):
        assert services.issue_certificate(enrolment=enrolment).number == "2026-111111-0X"


def test_the_credential_verifies_and_hides_the_name(learner: User) -> None:
    certificate = make_certificate(user=learner)
    credential = certificate.content.credential
    found = check_certificate(
        certificate,
        certificate.content,
        entries=list(certificate.statuses.all()),
        keys=list_credential_keys(),
        at=clock.now(),
    )
    assert found.stands
    assert learner.name not in str(credential)
    identity = credential["credentialSubject"]["identifier"][0]
    holder = HolderIdentity(
        identity_type=identity["identityType"], value=identity["identityHash"], salt=identity["salt"]
    )
    assert holder.is_of(learner.name)
    assert credential["credentialStatus"]["statusListIndex"] == str(certificate.status_index)
    assert certificate.status_index < LIST_LENGTH


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("facts", lambda content: content.facts.update(holder_name="Somebody Else")),
        ("facts", lambda content: content.facts["competencies"][0].update(level="leading")),
        (
            "credential",
            lambda content: content.credential["credentialSubject"].update(licenseNumber="2026-1-1A"),
        ),
        ("salt", lambda content: setattr(content, "salt", "x")),
    ],
)
def test_whatever_is_tampered_with_is_found(learner: User, what: str, change: object) -> None:
    certificate = make_certificate(user=learner)
    content = certificate.content
    change(content)  # type: ignore[operator]
    content.save()
    found = check_certificate(
        certificate,
        content,
        entries=list(certificate.statuses.all()),
        keys=list_credential_keys(),
        at=clock.now(),
    )
    assert not found.sound
    assert not found.stands
    assert found.signed is (what != "credential")


def test_the_ledgers_are_never_changed(learner: User) -> None:
    certificate = make_certificate(user=learner)
    with pytest.raises(IntegrityError, match="only ever added to"), transaction.atomic():
        Certificate.objects.filter(pk=certificate.pk).update(number="2026-000000-0A")
    with pytest.raises(LedgerError):
        StatusEntry.objects.all().delete()
    with (
        pytest.raises(IntegrityError, match="only ever added to"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM certificates_statusentry")


def test_the_serving_role_issues_and_revokes(learner: User, officer: User, as_app_role: None) -> None:
    certificate = make_certificate(user=learner)
    revoke(certificate, officer)
    assert status_of(certificate) == "revoked"
    services.print_certificate(certificate_id=certificate.pk)


@pytest.mark.django_db(transaction=True)
def test_two_workers_issue_one_certificate() -> None:
    enrolment = make_completed()
    found: list[str] = []
    start = threading.Barrier(2)

    def work() -> None:
        try:
            start.wait()
            found.append(services.issue_certificate(enrolment=Enrolment.objects.get(pk=enrolment.pk)).number)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 2
    assert len(set(found)) == 1
    assert Certificate.objects.count() == 1


# --- Files ----------------------------------------------------------------------------------------------------------


def test_pdfs_are_signed_in_both_languages_and_made_once(learner: User) -> None:
    certificate = make_certificate(user=learner)
    assert services.print_certificate(certificate_id=certificate.pk)
    content = CertificateContent.objects.get(pk=certificate.pk)
    for file in (content.pdf_en, content.pdf_fr):
        with file.open("rb") as opened:
            found = verify_pdf(opened.read(), trusted=[content.pdf_key.public])
        assert found is not None
        assert found.stands
    run_tasks()
    content.refresh_from_db()
    with content.picture_fr.open("rb") as opened:
        assert opened.read(16)[8:12] == b"WEBP"
    before = content.pdf_en.name
    assert not services.print_certificate(certificate_id=certificate.pk)
    assert CertificateContent.objects.get(pk=certificate.pk).pdf_en.name == before


def test_a_name_that_cannot_be_printed_still_has_its_certificate(learner: User) -> None:
    enrolment = make_completed(user=learner)
    confirm_certificate_name(enrolment=enrolment, name="Li 李")
    run_tasks()
    certificate = Certificate.objects.get()
    assert certificate.content.facts["holder_name"] == "Li 李"
    assert not certificate.content.pdf_en
    assert status_of(certificate) == "valid"


def test_printing_is_tried_again_later_where_it_fails(learner: User) -> None:
    certificate = make_certificate(user=learner)
    DBTaskResult.objects.all().delete()
    from certificates.tasks import print_certificate_task

    with mock.patch("certificates.services.print_certificate", side_effect=OSError("no space left")):
        assert print_certificate_task.call(str(certificate.pk)) is False
    later = DBTaskResult.objects.get()
    assert later.run_after > clock.now()
    assert later.args_kwargs["args"] == [str(certificate.pk), 1]
    with mock.patch("certificates.services.print_certificate", side_effect=PdfError(["no glyph"])):
        assert print_certificate_task.call(str(certificate.pk)) is False
    assert DBTaskResult.objects.count() == 1


# --- Correcting -----------------------------------------------------------------------------------------------------


def test_a_corrected_name_supersedes(learner: User, officer: User) -> None:
    old = make_certificate(user=learner, valid_months=12)
    client_id = uuid.uuid4()
    new = correct(old, officer, client_id=client_id, note="Married name.")
    assert new.supersedes == old
    assert new.number != old.number
    assert new.content.facts["holder_name"] == "Lea Lavallée"
    assert old.content.facts["holder_name"] == learner.name
    assert new.expires_on == old.expires_on
    assert (status_of(old), status_of(new)) == ("superseded", "valid")
    assert correct(old, officer, client_id=client_id) == new
    entry = old.statuses.get(status="superseded")
    assert entry.actor == subject_of(officer)
    assert entry.note_id
    assert AuditEntry.objects.filter(action="certificate.superseded", target_id=str(old.pk)).count() == 1
    assert Notice.objects.filter(kind="certificate_replaced").count() == 1


def test_a_chain_of_corrections(learner: User, officer: User) -> None:
    first = make_certificate(user=learner)
    second = correct(first, officer)
    with pytest.raises(services.NotNow):
        correct(first, officer, holder_name="Another")
    third = correct(second, officer, holder_name="Lea L.")
    assert [status_of(row) for row in (first, second, third)] == ["superseded", "superseded", "valid"]
    assert Certificate.objects.count() == 3


def test_corrected_facts_are_read_anew(learner: User, officer: User) -> None:
    old = make_certificate(user=learner, evidence=False)
    assert old.enrolment is not None
    add_evidence(old.enrolment, code="A3", level="leading")
    renamed = correct(old, officer)
    assert len(renamed.content.facts["competencies"]) == 1
    corrected = correct(renamed, officer, reason=StatusEntry.Reason.FACTS_CORRECTED, holder_name="")
    assert [row["code"] for row in corrected.content.facts["competencies"]] == ["A1", "A3"]
    assert corrected.content.facts["holder_name"] == "Lea Lavallée"


def test_a_name_is_corrected_after_the_end_too(learner: User, officer: User) -> None:
    old = make_certificate(user=learner, valid_months=12, at=clock.now() - timedelta(days=800))
    assert status_of(old) == "expired"
    new = correct(old, officer)
    assert (status_of(old), status_of(new)) == ("superseded", "expired")


@pytest.mark.parametrize("name", ["", " ", "x" * 121, "Li 李"])
def test_a_name_that_cannot_stand_there_is_refused(learner: User, officer: User, name: str) -> None:
    old = make_certificate(user=learner)
    if name:
        with pytest.raises(InvalidInput):
            correct(old, officer, holder_name=name)
        assert status_of(old) == "valid"


# --- Revoking -------------------------------------------------------------------------------------------------------


def test_revoked_and_reinstated(learner: User, officer: User) -> None:
    certificate = make_certificate(user=learner)
    client_id = uuid.uuid4()
    entry = revoke(certificate, officer, client_id=client_id, note="See the file of 3 May.")
    assert revoke(certificate, officer, client_id=client_id) == entry
    assert status_of(certificate) == "revoked"
    with pytest.raises(services.NotNow):
        revoke(certificate, officer)
    with pytest.raises(services.NotNow):
        correct(certificate, officer)
    services.reinstate_certificate(
        certificate=certificate,
        reason=StatusEntry.Reason.APPEAL_UPHELD,
        actor=subject_of(officer),
        client_id=uuid.uuid4(),
    )
    assert status_of(certificate) == "valid"
    with pytest.raises(services.NotNow):
        services.reinstate_certificate(
            certificate=certificate,
            reason=StatusEntry.Reason.APPEAL_UPHELD,
            actor=subject_of(officer),
            client_id=uuid.uuid4(),
        )
    assert Notice.objects.filter(kind__in=["certificate_revoked", "certificate_reinstated"]).count() == 2


def test_a_reason_that_is_none_is_refused(learner: User, officer: User) -> None:
    certificate = make_certificate(user=learner)
    with pytest.raises(InvalidInput):
        revoke(certificate, officer, reason=StatusEntry.Reason.COMPLETED)
    with pytest.raises(InvalidInput):
        correct(certificate, officer, reason=StatusEntry.Reason.INTEGRITY)


# --- Repairing ------------------------------------------------------------------------------------------------------


def test_reconcile_mends_what_is_missing(learner: User, capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management import call_command

    make_completed(user=learner)
    DBTaskResult.objects.all().delete()
    call_command("reconcile")
    said = capsys.readouterr().out
    certificate = Certificate.objects.get()
    assert f"Certificate {certificate.number} was issued." in said
    assert f"The PDFs of certificate {certificate.number} were made." in said
    call_command("reconcile")
    assert "Nothing was missing." in capsys.readouterr().out


def test_a_rotated_key_still_verifies_and_a_compromised_one_does_not(
    learner: User, other_learner: User
) -> None:
    from django.core.management import call_command

    def stands(certificate: Certificate) -> bool:
        content = CertificateContent.objects.get(pk=certificate.pk)
        entries = list(certificate.statuses.all())
        return check_certificate(
            certificate, content, entries=entries, keys=list_credential_keys(), at=clock.now()
        ).stands

    first = make_certificate(user=learner)
    call_command("rotate_signing_key")
    second = make_certificate(user=other_learner)
    assert stands(first)
    assert first.content.credential_key != second.content.credential_key
    call_command("rotate_signing_key", compromised=True)
    assert stands(first)
    assert not stands(second)
    services.sign_anew(report=lambda line: None)
    assert stands(second)


def test_a_compromised_pdf_key_has_its_files_made_again(learner: User) -> None:
    from django.core.management import call_command

    certificate = make_certificate(user=learner)
    services.print_certificate(certificate_id=certificate.pk)
    before = CertificateContent.objects.get(pk=certificate.pk).pdf_key
    call_command("rotate_signing_key", kind="pdf", compromised=True)
    call_command("reconcile")
    content = CertificateContent.objects.get(pk=certificate.pk)
    assert content.pdf_en
    assert content.pdf_key != before


def test_months_are_counted_by_the_calendar() -> None:
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2024, 12, 9), 60) == date(2029, 12, 9)
    assert add_months(date(2024, 11, 30), 3) == date(2025, 2, 28)
