"""Erasing a person: what goes, what stays, what refuses, and what a restore does to it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from wagtail.models import Comment, ModelLogEntry, Page, PageLogEntry, Revision
from wagtail.users.models import UserProfile

from accounts import services
from accounts.models import AuditEntry, Consent, Erasure, LegalHold, PersonalText, Role, Subject, User
from accounts.services import ErasedThings, ErasureRequest, HeldByLaw, LastAdministrator, NotAnErasure
from accounts.signals import person_erased
from core.extensions import personal_data
from tests.factories.accounts import PASSWORD, make_role, make_user

pytestmark = pytest.mark.django_db


def enter(user: User) -> Client:
    client = Client()
    client.post("/en/accounts/login/", {"login": user.email, "password": PASSWORD})
    return client


@pytest.fixture
def full(learner: User) -> Subject:
    """A learner with one of everything that this floor keeps."""
    subject = services.subject_of(learner)
    enter(learner)
    TOTP.activate(learner, "JBSWY3DPEHPK3PXP")
    services.save_text(subject=subject, kind=PersonalText.Kind.REFLECTION, text="What I think of my town.")
    services.save_file(subject=subject, upload=SimpleUploadedFile("plan.txt", b"A plan."))
    services.give_consent(
        subject=subject, purpose=Consent.Purpose.CERTIFICATE_PUBLIC, wording="Yes.", language="en"
    )
    services.record_audit(actor=subject, action="test.done", subject=subject)
    return subject


class TestErasePerson:
    def test_what_makes_a_person_known_is_gone(
        self, full: Subject, learner: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        stored = PersonalText.objects.get(subject=full, kind=PersonalText.Kind.UPLOAD).file
        key = learner.pk
        sessions = list(UserSession.objects.filter(user=learner).values_list("session_key", flat=True))
        assert sessions
        with django_capture_on_commit_callbacks(execute=True):
            services.erase_person(subject=full, requested_by=full)
        assert not User.objects.filter(pk=key).exists()
        for model in (EmailAddress, Authenticator, UserSession, Role):
            assert not model.objects.filter(user_id=key).exists(), model
        assert not Session.objects.filter(session_key__in=sessions).exists()
        for text in PersonalText.objects.filter(subject=full):
            assert (text.text, text.file.name, text.file_name, text.salt) == ("", "", "", "")
            assert text.erased_at is not None
        assert not stored.storage.exists(stored.name)

    def test_what_they_did_stays_under_a_key_that_names_nobody(self, full: Subject) -> None:
        entries = list(AuditEntry.objects.filter(subject=full).values_list("pk", flat=True))
        services.erase_person(subject=full, requested_by=full)
        full.refresh_from_db()
        assert full.user is None
        assert full.erased_at is not None
        assert set(entries) <= set(AuditEntry.objects.filter(subject=full).values_list("pk", flat=True))
        consent = Consent.objects.get(subject=full)
        assert consent.withdrawn_at is not None

    def test_the_name_and_address_stand_nowhere_in_this_floors_tables(
        self, full: Subject, learner: User
    ) -> None:
        from django.apps import apps

        services.erase_person(subject=full, requested_by=full)
        for model in apps.get_app_config("accounts").get_models():
            for row in model.objects.values():
                assert learner.email not in str(row)
                assert learner.name not in str(row)
                assert "What I think of my town" not in str(row)

    def test_it_is_recorded_and_told_once(self, full: Subject) -> None:
        heard: list[Any] = []

        def hear(sender: Any, *, subject_id: Any, **kwargs: Any) -> None:
            heard.append(subject_id)

        person_erased.connect(hear)
        try:
            first = services.erase_person(subject=full, requested_by=full)
            again = services.erase_person(subject=full, requested_by=None)
        finally:
            person_erased.disconnect(hear)
        assert first == again
        assert first.requested_by == full.pk
        assert heard == [full.pk]
        assert Erasure.objects.count() == 1

    def test_every_floor_is_asked_and_one_that_fails_undoes_it_all(
        self, full: Subject, learner: User
    ) -> None:
        class Failing:
            def export(self, **kwargs: Any) -> list[Any]:
                return []

            def erase(self, **kwargs: Any) -> None:
                raise RuntimeError("not now")

        failing = Failing()
        personal_data.register(failing)
        try:
            with pytest.raises(RuntimeError):
                services.erase_person(subject=full, requested_by=full)
        finally:
            personal_data._answers.remove(failing)
        assert User.objects.filter(pk=learner.pk).exists()
        assert PersonalText.objects.filter(subject=full, erased_at__isnull=True).count() == 2
        assert not Erasure.objects.exists()

    def test_a_file_stays_where_the_transaction_fails(self, full: Subject) -> None:
        stored = PersonalText.objects.get(subject=full, kind=PersonalText.Kind.UPLOAD).file
        services.erase_person(subject=full, requested_by=full)
        # Nothing was committed, so nothing was deleted.
        assert stored.storage.exists(stored.name)

    def test_it_works_with_the_rights_of_the_application(self, full: Subject, as_app_role: None) -> None:
        services.erase_person(subject=full, requested_by=full)
        assert not User.objects.filter(subject=full).exists()

    def test_under_a_legal_hold_nothing_is_erased(self, full: Subject, learner: User) -> None:
        hold = services.place_hold(subject=full, reason="A court asks.", placed_by=None)
        with pytest.raises(HeldByLaw):
            services.erase_person(subject=full, requested_by=full)
        with pytest.raises(HeldByLaw):
            services.erase_text(text=PersonalText.objects.filter(subject=full).first())  # type: ignore[arg-type]
        assert User.objects.filter(pk=learner.pk).exists()
        services.lift_hold(hold=hold, lifted_by=None)
        services.erase_person(subject=full, requested_by=full)
        assert LegalHold.objects.filter(subject=full).exists()

    def test_the_last_administrator_is_not_erased(self, administrator: User) -> None:
        with pytest.raises(LastAdministrator):
            services.erase_person(subject=services.subject_of(administrator), requested_by=None)

    def test_comments_about_others_stay(self, instructor: User, learner: User) -> None:
        writer = services.subject_of(instructor)
        comment = services.save_text(
            subject=services.subject_of(learner),
            author=writer,
            kind=PersonalText.Kind.COMMENT,
            text="Well done.",
        )
        services.erase_person(subject=writer, requested_by=writer)
        comment.refresh_from_db()
        assert comment.text == "Well done."


class TestPeopleWhoEditedPages:
    def test_their_pages_stay_and_their_account_goes(
        self, author: User, sign_in: Callable[[User], Client]
    ) -> None:
        author.is_superuser = True
        author.save()
        make_user(is_superuser=True)
        root = Page.get_first_root_node()
        page = root.add_child(instance=Page(title="A page", slug="a-page", owner=author))
        revision = page.save_revision(user=author, log_action=True)
        revision.publish(user=author)
        page.locked, page.locked_by, page.locked_at = True, author, author.date_joined
        page.save()
        Comment.objects.create(page=page, user=author, text="To do", contentpath="title")
        profile = UserProfile.get_for_user(author)
        profile.avatar.save("face.png", ContentFile(b"x"))
        sign_in(author).get("/admin/")
        key = author.pk

        services.erase_person(subject=services.subject_of(author), requested_by=None)

        assert not User.objects.filter(pk=key).exists()
        page.refresh_from_db()
        assert page.owner is None
        assert page.locked_by is None
        assert Revision.objects.get(pk=revision.pk).user is None
        assert PageLogEntry.objects.filter(page=page.pk).exists()
        assert not UserProfile.objects.filter(user_id=key).exists()
        # The history of the page can still be read, and the page edited on.
        other = make_user(is_superuser=True)
        client = sign_in(other)
        assert client.get(f"/admin/pages/{page.pk}/history/").status_code == 200
        assert client.get(f"/admin/pages/{page.pk}/edit/").status_code == 200
        assert Revision.objects.get(pk=revision.pk).as_object().title == "A page"
        assert not ModelLogEntry.objects.filter(label__icontains=author.email).exists()


class TestReplay:
    def bring_back(self, subject: Subject) -> User:
        """What a restore of an older backup does: the person is there again, the erasure is not."""
        user = make_user(email="back@example.ca", name="Back Again")
        Subject.objects.filter(user=user).delete()
        Subject.objects.filter(pk=subject.pk).update(user=user, erased_at=None)
        return user

    def test_whom_a_restore_brought_back_is_erased_again(
        self, full: Subject, capsys: Any, tmp_path: Any
    ) -> None:
        services.erase_person(subject=full, requested_by=full)
        call_command("replay_erasures", "--list")
        kept = tmp_path / "erasures.jsonl"
        kept.write_text(capsys.readouterr().out)
        user = self.bring_back(full)
        services.save_text(
            subject=Subject.objects.get(pk=full.pk), kind=PersonalText.Kind.REFLECTION, text="Back."
        )
        call_command("replay_erasures", str(kept))
        assert not User.objects.filter(pk=user.pk).exists()
        assert not PersonalText.objects.filter(subject=full, erased_at__isnull=True).exists()
        assert Erasure.objects.count() == 1
        assert "1 were there again" in capsys.readouterr().out

    def test_again_does_nothing(self, full: Subject) -> None:
        services.erase_person(subject=full, requested_by=full)
        assert services.replay_erasures(requests=services.list_erasures()) == 0

    def test_somebody_unknown_to_the_backup_is_kept_on_record(self) -> None:
        request = ErasureRequest(subject_key=Subject().pk)
        assert services.replay_erasures(requests=[request]) == 0
        assert Erasure.objects.get().subject_key == request.subject_key

    def test_a_hold_of_the_older_database_does_not_bring_them_back(self, full: Subject) -> None:
        services.erase_person(subject=full, requested_by=full)
        user = self.bring_back(full)
        services.place_hold(subject=full, reason="Lifted since.", placed_by=None)
        services.replay_erasures(requests=services.list_erasures())
        assert not User.objects.filter(pk=user.pk).exists()

    def test_a_broken_file_changes_nothing(self, full: Subject, tmp_path: Any) -> None:
        kept = tmp_path / "erasures.jsonl"
        kept.write_text(json.dumps({"subject_key": str(full.pk), "requested_by": None}) + "\nnot json\n")
        with pytest.raises(CommandError, match="Line 2"):
            call_command("replay_erasures", str(kept))
        full.refresh_from_db()
        assert full.erased_at is None


class TestCommand:
    def test_by_address_after_asking(
        self, full: Subject, learner: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("builtins.input", lambda prompt: "no")
        with pytest.raises(CommandError, match="Nothing was changed"):
            call_command("erase_person", learner.email)
        monkeypatch.setattr("builtins.input", lambda prompt: "erase")
        call_command("erase_person", learner.email, stdout=io.StringIO())
        assert Erasure.objects.get().subject_key == full.pk

    def test_by_key_in_the_name_of_somebody(self, full: Subject, administrator: User) -> None:
        out = io.StringIO()
        call_command("erase_person", str(full.pk), "--yes", by=administrator.email, stdout=out)
        assert Erasure.objects.get().requested_by == services.subject_of(administrator).pk
        call_command("erase_person", str(full.pk), "--yes", stdout=out)
        assert "erased already" in out.getvalue()

    @pytest.mark.parametrize("person", ["nobody@example.ca", "00000000-0000-4000-8000-000000000000"])
    def test_nobody_is_said(self, person: str) -> None:
        with pytest.raises(CommandError):
            call_command("erase_person", person, "--yes")

    def test_a_hold_is_said(self, full: Subject, learner: User) -> None:
        services.place_hold(subject=full, reason="A court asks.", placed_by=None)
        with pytest.raises(CommandError, match="The law asks"):
            call_command("erase_person", learner.email, "--yes")


class TestScreen:
    def test_a_person_erases_their_account(
        self, full: Subject, learner: User, mailoutbox: list[Any], sign_in: Callable[[User], Client]
    ) -> None:
        client = sign_in(learner)
        page = client.get("/en/my/data/erase/").content.decode()
        assert "number, dates, digest" in page
        answer = client.post("/en/my/data/erase/", {"password": PASSWORD, "understood": "on"})
        assert answer["Location"] == "/en/erased/"
        assert not User.objects.filter(pk=learner.pk).exists()
        assert "_auth_user_id" not in client.session
        assert client.get("/en/erased/").status_code == 200
        (message,) = mailoutbox
        assert message.to == [learner.email]
        assert message.subject == "Your account is erased"

    @pytest.mark.parametrize("form", [{"password": "wrong", "understood": "on"}, {"password": PASSWORD}])
    def test_not_without_password_and_understanding(
        self, learner: User, sign_in: Callable[[User], Client], form: dict[str, str]
    ) -> None:
        answer = sign_in(learner).post("/en/my/data/erase/", form)
        assert answer.status_code == 200
        assert 'class="error-summary"' in answer.content.decode()
        assert User.objects.filter(pk=learner.pk).exists()

    def test_a_hold_is_told_instead_of_asked(
        self, full: Subject, learner: User, sign_in: Callable[[User], Client]
    ) -> None:
        services.place_hold(subject=full, reason="Secret reason.", placed_by=None)
        client = sign_in(learner)
        for path in ("/en/my/data/erase/", "/en/my/data/"):
            page = client.get(path).content.decode()
            assert "The law asks us to keep your records for now" in page
            assert "Secret reason" not in page
        client.post("/en/my/data/erase/", {"password": PASSWORD, "understood": "on"})
        assert User.objects.filter(pk=learner.pk).exists()

    def test_the_last_administrator_is_told(
        self, administrator: User, sign_in: Callable[[User], Client]
    ) -> None:
        client = sign_in(administrator)
        answer = client.post("/en/my/data/erase/", {"password": PASSWORD, "understood": "on"}, follow=True)
        assert "last administrator" in answer.content.decode()
        make_role(
            user=make_user(),
            what=Role.What.ADMINISTRATOR,
            organization=administrator.roles.get().organization,
        )
        client.post("/en/my/data/erase/", {"password": PASSWORD, "understood": "on"})
        assert not User.objects.filter(pk=administrator.pk).exists()


class TestJournal:
    """What outlives the database, for a restore."""

    @pytest.fixture(autouse=True)
    def journal(self, settings: Any, tmp_path: Any) -> Any:
        settings.ERASURE_JOURNAL = tmp_path / "far" / "erasures.jsonl"
        return settings.ERASURE_JOURNAL

    def test_people_and_single_texts_are_noted_once_they_are_erased(
        self, full: Subject, journal: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        text = services.save_text(subject=full, kind=PersonalText.Kind.WORKSHEET, text="A plan.")
        with django_capture_on_commit_callbacks():
            services.erase_text(text=text)
        assert not journal.exists()
        with django_capture_on_commit_callbacks(execute=True):
            services.erase_text(text=text)
            assert services.list_erased().texts == (text.pk,)
            services.erase_person(subject=full, requested_by=full)
            services.erase_person(subject=full, requested_by=None)
        assert journal.stat().st_mode & 0o777 == 0o600
        assert len(journal.read_text().splitlines()) == 2
        assert services.read_journal() == ErasedThings((ErasureRequest(full.pk, full.pk),), (text.pk,))
        # Whoever is erased takes the single texts along.
        assert services.list_erased() == ErasedThings((ErasureRequest(full.pk, full.pk),))

    def test_a_line_that_a_power_cut_tore_swallows_nothing(self, journal: Any) -> None:
        journal.parent.mkdir()
        journal.write_text('{"text_id": "')
        erased = ErasedThings((ErasureRequest(Subject().pk),))
        services.append_to_journal(erased)
        with pytest.raises(NotAnErasure, match="Line 1"):
            services.read_journal()
        assert services.parse_erased(journal.read_text().splitlines()[1]) == erased

    def test_a_journal_that_cannot_be_written_hinders_no_erasure(
        self, full: Subject, journal: Any, django_capture_on_commit_callbacks: Any, caplog: Any
    ) -> None:
        journal.parent.write_text("a file where the folder should be")
        with django_capture_on_commit_callbacks(execute=True):
            services.erase_person(subject=full, requested_by=full)
        assert Erasure.objects.filter(subject_key=full.pk).exists()
        assert "could not be written" in caplog.text

    def test_a_text_that_a_restore_brought_back_is_emptied_again(self, full: Subject) -> None:
        text = services.save_text(subject=full, kind=PersonalText.Kind.WORKSHEET, text="A plan.")
        services.place_hold(subject=full, reason="Later than the erasure.", placed_by=None)
        assert services.replay_erased(ErasedThings(texts=(text.pk, Subject().pk))) == 1
        text.refresh_from_db()
        assert (text.text, text.salt) == ("", "")
