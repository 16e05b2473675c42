"""*My data*: the screen, the download, consents, texts, and who may open a file."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import services
from accounts.models import AuditEntry, Consent, PersonalText, Subject, User
from accounts.selectors import has_consent
from core.extensions import PersonalRecords, access_grants, personal_data
from tests.factories.jobs import fetch_made

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


@pytest.fixture
def words(learner: User) -> PersonalText:
    return services.save_text(
        subject=services.subject_of(learner),
        kind=PersonalText.Kind.REFLECTION,
        text="My town & <its> people.\nSecond line.",
    )


@pytest.fixture
def upload(learner: User) -> PersonalText:
    return services.save_file(
        subject=services.subject_of(learner),
        upload=SimpleUploadedFile("pläne/../plan.html", b"<b>My plan</b>"),
    )


@pytest.fixture
def another_floor(learner: User) -> Iterator[None]:
    """A floor above that holds something, with a file whose name would lead out of the archive."""

    class Holder:
        def export(self, *, subject_id: uuid.UUID, language: str) -> list[PersonalRecords]:
            return [
                PersonalRecords(
                    name="../steps",
                    title="Étapes" if language == "fr" else "Steps",
                    rows=[
                        {
                            "step": "one",
                            "done": True,
                            "when": "2026-03-01T15:00:00+00:00",
                            "secret_code": "x1",
                        },
                        {"step": "two", "done": False, "when": None, "secret_code": "x2"},
                    ],
                    retention="Seven years.",
                    labels={"step": "Step", "done": "Done", "when": "When"},
                )
            ]

        def erase(self, *, subject_id: uuid.UUID) -> None:
            pass

    holder = Holder()
    personal_data.register(holder)
    yield
    personal_data._answers.remove(holder)


def unzip(answer: Any) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))


def take_along(client: Client, language: str) -> Any:
    """Everything, as the queue makes it."""
    return fetch_made(client, client.post(f"/{language}/my/data/download/", {"client_id": str(uuid.uuid4())}))


class TestScreen:
    def test_everything_is_shown_in_words(
        self, learner: User, words: PersonalText, upload: PersonalText, another_floor: None, sign_in: SignIn
    ) -> None:
        page = sign_in(learner).get("/en/my/data/").content.decode()
        assert "Lea Lavallée-Smith" in page
        assert "My town &amp; &lt;its&gt; people." in page
        assert "plan.txt" in page
        for shown in (
            "Steps",
            "Seven years.",
            'data-label="Done">yes<',
            'data-label="Done">no<',
            "March 1, 2026",
        ):
            assert shown in page
        # In the answer are random keys too.
        assert ">x1<" not in page

    def test_the_same_in_french(self, other_learner: User, another_floor: None, sign_in: SignIn) -> None:
        page = sign_in(other_learner).get("/fr/my/data/").content.decode()
        for shown in (
            "Mes données",
            "Étapes",
            "<dd>oui</dd>",
            'data-label="Done">non<',
            "Membre de l’équipe",
            "Ville de Pine Creek",
        ):
            assert shown in page

    def test_it_costs_the_same_however_much_there_is(self, learner: User, sign_in: SignIn) -> None:
        client = sign_in(learner)
        subject = services.subject_of(learner)

        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                assert client.get("/en/my/data/").status_code == 200
            return len(queries)

        services.save_text(subject=subject, kind=PersonalText.Kind.REFLECTION, text="one")
        count()
        few = count()
        for number in range(12):
            services.save_text(subject=subject, kind=PersonalText.Kind.REFLECTION, text=f"text {number}")
            services.record_audit(actor=subject, action="test.done", subject=subject)
            services.give_consent(
                subject=subject,
                purpose=Consent.Purpose.SHARE_WITH_INSTITUTION,
                wording="Yes.",
                language="en",
                about=uuid.uuid4(),
            )
        assert count() == few

    def test_who_opened_ones_record_is_named(
        self, learner: User, administrator: User, sign_in: SignIn
    ) -> None:
        services.record_audit(
            actor=services.subject_of(administrator),
            action="person.opened",
            subject=services.subject_of(learner),
        )
        page = sign_in(learner).get("/en/my/data/").content.decode()
        assert "The page of a person was opened" in page
        assert administrator.name in page


class TestDownload:
    def test_it_has_everything_and_says_what_it_is(
        self, learner: User, words: PersonalText, upload: PersonalText, another_floor: None, sign_in: SignIn
    ) -> None:
        answer = take_along(sign_in(learner), "en")
        assert answer["Content-Type"] == "application/zip"
        assert answer["Content-Disposition"].startswith('attachment; filename="my-data-')
        archive = unzip(answer)
        names = archive.namelist()
        assert all(".." not in name.split("/") and not name.startswith("/") for name in names)
        assert "README.txt" in names
        account = json.loads(archive.read("data/account.json"))
        assert account["rows"][0]["email"] == learner.email
        assert account["labels"]["email"] == "E-mail address"
        texts = json.loads(archive.read("data/texts_and_files.json"))["rows"]
        assert texts[0]["text"] == words.text
        stored = next(name for name in names if name.startswith("files/"))
        assert stored.endswith("plan.txt")
        assert archive.read(stored) == b"<b>My plan</b>"
        assert stored.rsplit("/", 1)[1] == texts[1]["file"]
        steps = next(name for name in names if "steps" in name)
        assert json.loads(archive.read(steps))["rows"][0]["secret_code"] == "x1"
        readme = archive.read("README.txt").decode()
        assert "Steps" in readme
        assert str(learner.subject.pk) in readme

    def test_in_french(self, other_learner: User, sign_in: SignIn) -> None:
        answer = take_along(sign_in(other_learner), "fr")
        assert "mes-donnees-" in answer["Content-Disposition"]
        assert "Vos dossiers sont conservés sous la clé" in unzip(answer).read("README.txt").decode()

    def test_a_file_that_is_lost_is_said_so(
        self, learner: User, upload: PersonalText, sign_in: SignIn
    ) -> None:
        upload.file.storage.delete(upload.file.name)
        archive = unzip(take_along(sign_in(learner), "en"))
        lost = next(name for name in archive.namelist() if name.endswith(".missing.txt"))
        assert "could not be found" in archive.read(lost).decode()

    def test_nothing_of_others_is_in_it(
        self, other_learner: User, words: PersonalText, upload: PersonalText, sign_in: SignIn
    ) -> None:
        archive = unzip(take_along(sign_in(other_learner), "en"))
        whole = b"".join(archive.read(name) for name in archive.namelist())
        assert b"My town" not in whole
        assert b"learner@cast.example" not in whole.replace(other_learner.email.encode(), b"")


class TestConsents:
    def test_one_is_withdrawn(self, learner: User, other_learner: User, sign_in: SignIn) -> None:
        subject = services.subject_of(learner)
        consent = services.give_consent(
            subject=subject, purpose=Consent.Purpose.CERTIFICATE_PUBLIC, wording="Yes.", language="en"
        )
        path = f"/en/my/data/consents/{consent.pk}/withdraw/"
        assert sign_in(other_learner).post(path).status_code == 404
        assert sign_in(learner).get(path).status_code == 405
        sign_in(learner).post(path)
        assert not has_consent(subject_id=subject.pk, purpose=Consent.Purpose.CERTIFICATE_PUBLIC)
        assert "withdrawn on" in sign_in(learner).get("/en/my/data/").content.decode()

    def test_that_to_the_privacy_notice_ends_with_the_account(self, learner: User, sign_in: SignIn) -> None:
        consent = services.give_consent(
            subject=services.subject_of(learner),
            purpose=Consent.Purpose.PRIVACY_NOTICE,
            wording="Yes.",
            language="en",
        )
        answer = sign_in(learner).post(f"/en/my/data/consents/{consent.pk}/withdraw/")
        assert answer["Location"] == "/en/my/data/erase/"
        consent.refresh_from_db()
        assert consent.withdrawn_at is None


class TestTexts:
    def test_one_is_erased_after_asking(
        self, learner: User, other_learner: User, words: PersonalText, sign_in: SignIn
    ) -> None:
        path = f"/en/my/data/texts/{words.pk}/erase/"
        assert sign_in(other_learner).get(path).status_code == 404
        client = sign_in(learner)
        assert "My town" in client.get(path).content.decode()
        client.post(path)
        words.refresh_from_db()
        assert words.text == ""
        assert client.get(path).status_code == 404

    def test_a_worksheet_reads_as_it_was_filled_in(self, learner: User, sign_in: SignIn) -> None:
        services.save_text(
            subject=services.subject_of(learner),
            kind=PersonalText.Kind.WORKSHEET,
            text=json.dumps({"first": "Two doors.", "second": "", "third": "One lamp."}),
        )
        page = sign_in(learner).get("/en/my/data/").content.decode()
        assert "<p>Two doors.</p>" in page
        assert "first" not in page[page.index('id="texts"') :]

    def test_what_a_mark_rests_on_is_not_erased_alone(self, learner: User, sign_in: SignIn) -> None:
        work = services.save_text(
            subject=services.subject_of(learner), kind=PersonalText.Kind.SUBMISSION, text="My work."
        )
        assert sign_in(learner).post(f"/en/my/data/texts/{work.pk}/erase/").status_code == 404

    def test_under_a_hold_it_is_told(self, learner: User, words: PersonalText, sign_in: SignIn) -> None:
        services.place_hold(subject=words.subject, reason="A court asks.", placed_by=None)
        answer = sign_in(learner).post(f"/en/my/data/texts/{words.pk}/erase/", follow=True)
        assert "The law asks us to keep these records" in answer.content.decode()
        words.refresh_from_db()
        assert words.text


class TestFiles:
    def test_the_owner_gets_it_as_an_attachment(
        self, learner: User, upload: PersonalText, sign_in: SignIn
    ) -> None:
        answer = sign_in(learner).get(f"/en/files/{upload.pk}/")
        assert b"".join(answer.streaming_content) == b"<b>My plan</b>"
        assert answer["Content-Type"] == "text/plain"
        assert answer["Content-Disposition"] == 'attachment; filename="plan.txt"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert "no-store" in answer["Cache-Control"]
        assert not AuditEntry.objects.filter(action="file.opened").exists()

    def test_others_learn_nothing(
        self,
        upload: PersonalText,
        stranger: User,
        administrator: User,
        instructor: User,
        visitor: Client,
        sign_in: SignIn,
    ) -> None:
        for user in (stranger, administrator, instructor):
            assert sign_in(user).get(f"/en/files/{upload.pk}/").status_code == 404
        assert visitor.get(f"/en/files/{upload.pk}/").status_code == 302
        assert not AuditEntry.objects.filter(action="file.opened").exists()

    def test_a_grant_of_a_floor_above_opens_it_on_record(
        self, upload: PersonalText, instructor: User, sign_in: SignIn
    ) -> None:
        def grant(*, viewer: Any, subject_id: uuid.UUID, text: PersonalText | None = None) -> str | None:
            return "instructor_of" if viewer == instructor and text == upload else None

        access_grants.register(grant)
        try:
            answer = sign_in(instructor).get(f"/en/files/{upload.pk}/")
        finally:
            access_grants._answers.remove(grant)
        assert b"".join(answer.streaming_content) == b"<b>My plan</b>"
        entry = AuditEntry.objects.get(action="file.opened")
        assert entry.actor == services.subject_of(instructor)
        assert entry.subject_id == upload.subject_id
        assert entry.details == {"reason": "instructor_of"}

    def test_who_wrote_it_about_somebody_may_open_it(
        self, learner: User, instructor: User, sign_in: SignIn
    ) -> None:
        comment = services.save_file(
            subject=services.subject_of(learner),
            author=services.subject_of(instructor),
            kind=PersonalText.Kind.COMMENT,
            upload=SimpleUploadedFile("notes.txt", b"Notes."),
        )
        answer = sign_in(instructor).get(f"/en/files/{comment.pk}/")
        assert b"".join(answer.streaming_content) == b"Notes."

    def test_an_erased_one_is_not_there(self, learner: User, upload: PersonalText, sign_in: SignIn) -> None:
        services.erase_text(text=upload)
        assert sign_in(learner).get(f"/en/files/{upload.pk}/").status_code == 404


class TestProfile:
    def test_language_and_notices_are_saved(self, learner: User, sign_in: SignIn) -> None:
        client = sign_in(learner)
        answer = client.post(
            "/en/my/profile/",
            {"name": "Léa L.", "preferred_language": "fr", "time_zone": "America/Regina", "notices": "on"},
        )
        assert answer["Location"] == "/fr/my/profile/"
        assert client.cookies["language"].value == "fr"
        learner.refresh_from_db()
        assert (learner.name, learner.preferred_language, learner.time_zone) == (
            "Léa L.",
            "fr",
            "America/Regina",
        )
        subject = Subject.objects.get(user=learner)
        assert has_consent(subject_id=subject.pk, purpose=Consent.Purpose.NOTICES_BY_EMAIL)
        page = client.get("/fr/my/profile/").content.decode()
        assert "Votre profil est enregistré." in page
        client.post(
            "/fr/my/profile/", {"name": "Léa L.", "preferred_language": "fr", "time_zone": "America/Regina"}
        )
        assert not has_consent(subject_id=subject.pk, purpose=Consent.Purpose.NOTICES_BY_EMAIL)

    def test_a_time_zone_from_elsewhere_is_kept(self, learner: User, sign_in: SignIn) -> None:
        learner.time_zone = "Europe/Paris"
        learner.save()
        page = sign_in(learner).get("/en/my/profile/").content.decode()
        assert '<option value="Europe/Paris" selected>' in page
