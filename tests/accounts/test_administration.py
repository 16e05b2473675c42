"""The administrators' screens in the CMS, and the command that makes the first of them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import services
from accounts.models import AuditEntry, LegalHold, Organization, Role, Subject, User
from tests.factories.accounts import PASSWORD, make_organization, make_role, make_user

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _groups_may_enter(db: None) -> None:
    """What `setup_site` gives: the groups of staff may enter the CMS."""
    permission = Permission.objects.get(codename="access_admin")
    for name in ("Administrators", "Authors", "Committee", "Certificates officers"):
        Group.objects.get_or_create(name=name)[0].permissions.add(permission)


@pytest.fixture
def office(administrator: User) -> Client:
    """The administrator, just signed in, so that nobody asks again who they are."""
    client = Client()
    client.post("/en/accounts/login/", {"login": administrator.email, "password": PASSWORD})
    return client


class TestPeople:
    def test_they_are_found_by_name_role_and_organization(
        self, office: Client, learner: User, other_learner: User, registrar: User, college: Organization
    ) -> None:
        def find(query: str) -> set[str]:
            page = office.get(f"/admin/people/?{query}").content.decode()
            return {user.name for user in (learner, other_learner, registrar) if f"<td>{user.email}" in page}

        assert find("") == {learner.name, other_learner.name, registrar.name}
        assert find("q=berube") == {other_learner.name}
        assert find("what=registrar") == {registrar.name}
        assert find(f"organization={college.pk}") == {registrar.name}
        assert find("q=nobody+at+all") == set()

    def test_the_list_costs_the_same_for_one_and_for_many(self, office: Client, town: Organization) -> None:
        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                assert office.get("/admin/people/").status_code == 200
            return len(queries)

        count()
        few = count()
        for _number in range(8):
            make_role(user=make_user(), what=Role.What.MEMBER, organization=town)
        assert count() == few

    def test_no_password_is_shown(self, office: Client, learner: User) -> None:
        page = office.get(f"/admin/people/{learner.pk}/").content.decode()
        assert learner.email in page
        assert learner.password not in page
        assert "md5" not in page

    def test_opening_a_person_is_logged(self, office: Client, administrator: User, learner: User) -> None:
        office.get(f"/admin/people/{learner.pk}/")
        entry = AuditEntry.objects.get(action="person.opened")
        assert entry.actor == services.subject_of(administrator)
        assert entry.subject == services.subject_of(learner)


class TestRoles:
    def test_one_is_granted_and_ended_on_record(
        self, office: Client, administrator: User, stranger: User, network: Organization
    ) -> None:
        form = {"what": Role.What.AUTHOR, "organization": str(network.pk)}
        answer = office.post(f"/admin/people/{stranger.pk}/grant/", form)
        assert answer["Location"] == f"/admin/people/{stranger.pk}/"
        role = Role.objects.get(user=stranger)
        assert role.granted_by == services.subject_of(administrator)
        assert stranger.groups.filter(name="Authors").exists()
        office.post(f"/admin/roles/{role.pk}/end/")
        role.refresh_from_db()
        assert role.ended_at is not None
        actions = AuditEntry.objects.filter(subject=services.subject_of(stranger)).values_list(
            "action", flat=True
        )
        assert {"role.granted", "role.ended"} <= set(actions)

    def test_an_old_sign_in_is_asked_who_it_is(
        self, administrator: User, stranger: User, network: Organization, sign_in: SignIn
    ) -> None:
        client = sign_in(administrator)
        path = f"/admin/people/{stranger.pk}/grant/"
        form = {"what": Role.What.AUTHOR, "organization": str(network.pk)}
        answer = client.post(path, form)
        assert answer["Location"].startswith("/en/accounts/reauthenticate/")
        assert not Role.objects.filter(user=stranger).exists()
        # Then what was asked for is done.
        client.post(answer["Location"], {"password": PASSWORD, "next": path})
        assert Role.objects.filter(user=stranger).exists()

    def test_the_last_administrator_is_not_ended(self, office: Client, administrator: User) -> None:
        role = administrator.roles.get()
        answer = office.post(f"/admin/roles/{role.pk}/end/", follow=True)
        assert "last administrator" in answer.content.decode()
        role.refresh_from_db()
        assert role.ended_at is None


class TestSecondFactor:
    def test_somebody_who_lost_it_is_let_in_again_on_record(
        self, office: Client, administrator: User, learner: User, mailoutbox: list[Any]
    ) -> None:
        TOTP.activate(learner, "JBSWY3DPEHPK3PXP")
        path = f"/admin/people/{learner.pk}/second-step/"
        assert path in office.get(f"/admin/people/{learner.pk}/").content.decode()
        assert office.get(path).status_code == 200
        office.post(path)
        assert not Authenticator.objects.filter(user=learner).exists()
        entry = AuditEntry.objects.get(action="second_factor.reset")
        assert entry.actor == services.subject_of(administrator)
        assert [message.to for message in mailoutbox] == [[learner.email]]
        office.post(path)
        assert AuditEntry.objects.filter(action="second_factor.reset").count() == 1

    def test_the_operator_can_where_no_administrator_can(self, learner: User, mailoutbox: list[Any]) -> None:
        TOTP.activate(learner, "JBSWY3DPEHPK3PXP")
        out = io.StringIO()
        call_command("reset_second_factor", learner.email, stdout=out)
        call_command("reset_second_factor", learner.email, stdout=out)
        assert not Authenticator.objects.filter(user=learner).exists()
        assert "Nothing was changed" in out.getvalue()
        assert len(mailoutbox) == 1
        with pytest.raises(CommandError):
            call_command("reset_second_factor", "nobody@example.ca")


class TestHolds:
    def test_one_is_placed_and_lifted_on_record(self, office: Client, learner: User) -> None:
        office.post(f"/admin/people/{learner.pk}/hold/", {"reason": "File 12, a court asks."})
        hold = LegalHold.objects.get()
        assert "File 12" in office.get("/admin/holds/").content.decode()
        office.post(f"/admin/holds/{hold.pk}/lift/")
        hold.refresh_from_db()
        assert hold.lifted_at is not None
        actions = set(AuditEntry.objects.values_list("action", flat=True))
        assert {"hold.placed", "hold.lifted"} <= actions
        assert not any("File 12" in str(row) for row in AuditEntry.objects.values())


class TestAudit:
    def test_it_is_narrowed_by_person_and_action(
        self, office: Client, learner: User, instructor: User
    ) -> None:
        teacher, student = services.subject_of(instructor), services.subject_of(learner)
        services.record_audit(actor=teacher, action="file.opened", subject=student)
        services.record_audit(actor=None, action="test.done")

        def rows(query: str) -> int:
            page = office.get(f"/admin/audit/?{query}").content.decode()
            return len(re.findall(r"<tr><td>", page))

        assert rows("action=test.done") == 1
        assert rows(f"person={learner.email}&action=file.opened") == 1
        assert rows(f"person={teacher.pk}&action=file.opened") == 1
        assert rows("person=nobody@example.ca") == 0
        assert rows("person=not+a+person") == 0

    def test_it_costs_the_same_for_one_and_for_many(self, office: Client, learner: User) -> None:
        subject = services.subject_of(learner)

        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                assert office.get("/admin/audit/").status_code == 200
            return len(queries)

        services.record_audit(actor=subject, action="test.done", subject=subject)
        count()
        few = count()
        for _number in range(8):
            other = services.subject_of(make_user())
            services.record_audit(actor=other, action="test.done", subject=other)
        assert count() == few

    def test_an_erased_person_is_shown_by_key(self, office: Client, stranger: User) -> None:
        subject = services.subject_of(stranger)
        services.erase_person(subject=subject, requested_by=subject)
        page = office.get(f"/admin/audit/?person={subject.pk}").content.decode()
        assert str(subject.pk) in page
        assert stranger.name not in page


class TestOrganizations:
    FORM = {
        "name_en": "Village of Birch Hills",
        "name_fr": "Village de Birch Hills",
        "kind": "municipality",
        "province": "SK",
        "slug": "birch-hills",
        "website": "",
        "is_active": "on",
    }

    def test_one_is_added_and_changed_on_record(self, office: Client) -> None:
        answer = office.post("/admin/organizations/new/", self.FORM)
        assert answer.status_code == 302, answer.context["form"].errors
        made = Organization.objects.get(slug="birch-hills")
        form = {**self.FORM, "name_fr": "Birch Hills"}
        assert office.post(f"/admin/organizations/edit/{made.pk}/", form).status_code == 302
        entry = AuditEntry.objects.get(action="organization.changed")
        assert entry.target_id == str(made.pk)
        assert entry.details == {"fields": ["name_fr"]}
        assert "Birch Hills" in office.get("/admin/organizations/").content.decode()

    def test_none_is_deleted(self, office: Client) -> None:
        made = make_organization()
        office.post(f"/admin/organizations/delete/{made.pk}/")
        assert Organization.objects.filter(pk=made.pk).exists()


class TestCreateAdministrator:
    def run(self, *words: str, answer: str = "", monkeypatch: pytest.MonkeyPatch | None = None) -> str:
        out = io.StringIO()
        if monkeypatch:
            monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        call_command("create_administrator", *words, stdout=out, stderr=out)
        return out.getvalue()

    def test_on_an_empty_site_it_makes_everything(
        self, monkeypatch: pytest.MonkeyPatch, visitor: Client
    ) -> None:
        said = self.run(
            "First@Example.ca",
            "--name",
            "First Person",
            "--language",
            "fr",
            "--password-stdin",
            answer="nine quiet harbours 9\n",
            monkeypatch=monkeypatch,
        )
        assert "nine quiet" not in said
        user = User.objects.get(email="first@example.ca")
        role = user.roles.get()
        assert role.what == Role.What.ADMINISTRATOR
        assert role.organization.kind == Organization.Kind.NETWORK
        assert user.is_staff
        assert not user.is_superuser
        visitor.post("/en/accounts/login/", {"login": user.email, "password": "nine quiet harbours 9"})
        assert visitor.session["_auth_user_id"] == str(user.pk)
        assert visitor.get("/admin/people/").status_code == 200

    def test_by_a_link(self, mailoutbox: list[Any], visitor: Client, settings: Any) -> None:
        said = self.run("first@example.ca", "--send-link", "--language", "fr")
        (message,) = mailoutbox
        assert message.to == ["first@example.ca"]
        assert "Choisir mon mot de passe" in message.alternatives[0].content
        link = re.search(rf"{re.escape(settings.PUBLIC_ORIGIN)}(/fr/\S+)", message.body)
        assert link
        assert link.group(0) in said
        hidden = visitor.get(link.group(1))["Location"]
        visitor.post(hidden, {"password1": "nine quiet harbours 9", "password2": "nine quiet harbours 9"})
        assert User.objects.get().check_password("nine quiet harbours 9")

    def test_somebody_with_an_account_is_promoted_and_keeps_the_password(
        self, learner: User, network: Organization
    ) -> None:
        self.run(learner.email)
        assert learner.roles.filter(what=Role.What.ADMINISTRATOR, organization=network).exists()
        learner.refresh_from_db()
        assert learner.check_password(PASSWORD)
        assert Organization.objects.filter(kind=Organization.Kind.NETWORK).count() == 1

    def test_again_changes_nothing(self, learner: User, network: Organization) -> None:
        self.run(learner.email)
        self.run(learner.email)
        assert learner.roles.filter(what=Role.What.ADMINISTRATOR).count() == 1

    def test_a_weak_password_makes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(CommandError, match="too short"):
            self.run("a@example.ca", "--password-stdin", answer="short\n", monkeypatch=monkeypatch)
        assert not User.objects.exists()
        assert not Organization.objects.exists()

    def test_without_a_terminal_it_says_what_to_give(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(CommandError, match="--send-link"):
            self.run("a@example.ca", monkeypatch=monkeypatch)

    def test_an_address_must_be_one(self) -> None:
        with pytest.raises(CommandError):
            self.run("not an address", "--send-link")
        assert not Subject.objects.exists()
