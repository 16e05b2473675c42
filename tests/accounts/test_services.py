"""Roles and groups, words and files, consents, profile."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts import services
from accounts.models import AuditEntry, Consent, Organization, PersonalText, Role, User
from accounts.permissions import STAFF_ROLES, has_role
from accounts.selectors import find_people, has_consent
from accounts.services import LastAdministrator
from core.errors import InvalidInput
from core.uploads import RefusedUpload
from tests.factories.accounts import make_organization, make_role, make_user

pytestmark = pytest.mark.django_db


def picture(name: str = "me.png") -> SimpleUploadedFile:
    content = io.BytesIO()
    Image.new("RGB", (4, 4)).save(content, "PNG")
    return SimpleUploadedFile(name, content.getvalue(), content_type="text/html")


class TestRoles:
    def test_a_staff_role_opens_the_cms_and_its_group(self, author: User) -> None:
        author.refresh_from_db()
        assert author.is_staff
        assert [group.name for group in author.groups.all()] == ["Authors"]

    def test_the_role_of_an_institution_opens_no_cms(self, registrar: User) -> None:
        registrar.refresh_from_db()
        assert not registrar.is_staff
        assert not registrar.groups.exists()

    def test_ending_the_role_closes_both(self, author: User) -> None:
        services.end_role(role=author.roles.get())
        author.refresh_from_db()
        assert not author.is_staff
        assert not author.groups.exists()
        assert not has_role(author, Role.What.AUTHOR)

    def test_two_roles_of_one_kind_keep_the_group_until_both_end(self, network: Organization) -> None:
        user = make_user()
        first = make_role(user=user, what=Role.What.AUTHOR, organization=network)
        second = make_organization(kind=Organization.Kind.NETWORK)
        make_role(user=user, what=Role.What.AUTHOR, organization=second)
        services.end_role(role=first)
        user.refresh_from_db()
        assert user.is_staff
        assert user.groups.count() == 1

    @pytest.mark.parametrize("what", sorted(STAFF_ROLES))
    def test_a_role_that_opens_everything_is_granted_in_the_network_only(
        self, stranger: User, college: Organization, what: str
    ) -> None:
        with pytest.raises(InvalidInput):
            services.grant_role(user=stranger, organization=college, what=what)
        stranger.refresh_from_db()
        assert not stranger.is_staff
        assert not stranger.roles.exists()

    def test_other_groups_are_left_alone(self, author: User) -> None:
        from django.contrib.auth.models import Group

        author.groups.add(Group.objects.create(name="Made by hand"))
        services.end_role(role=author.roles.get())
        assert [group.name for group in author.groups.all()] == ["Made by hand"]

    def test_granting_twice_is_one_role_and_one_entry(self, stranger: User, town: Organization) -> None:
        first = services.grant_role(user=stranger, organization=town, what=Role.What.MEMBER)
        again = services.grant_role(user=stranger, organization=town, what=Role.What.MEMBER)
        assert first == again
        assert AuditEntry.objects.filter(action="role.granted", target_id=str(first.pk)).count() == 1

    def test_the_last_administrator_stays(self, administrator: User) -> None:
        with pytest.raises(LastAdministrator):
            services.end_role(role=administrator.roles.get())
        assert has_role(administrator, Role.What.ADMINISTRATOR)

    def test_one_of_two_administrators_may_go(self, administrator: User, network: Organization) -> None:
        make_role(user=make_user(), what=Role.What.ADMINISTRATOR, organization=network)
        services.end_role(role=administrator.roles.get())
        assert not has_role(administrator, Role.What.ADMINISTRATOR)

    def test_a_superuser_is_enough(self, administrator: User) -> None:
        make_user(is_superuser=True, is_staff=True)
        services.end_role(role=administrator.roles.get())


class TestTexts:
    def test_a_file_is_kept_by_what_it_is(self, learner: User) -> None:
        kept = services.save_file(
            subject=services.subject_of(learner), upload=picture("../../etc/my:pic\x00.exe")
        )
        assert kept.content_type == "image/png"
        assert kept.file_name == "my:pic.png"
        assert kept.file.name == f"personal/{kept.id.hex[:2]}/{kept.id}.png"
        assert kept.size == kept.file.size

    def test_a_page_that_calls_itself_a_picture_is_refused(self, learner: User) -> None:
        upload = SimpleUploadedFile("x.png", b"\x00\x01<html>", content_type="image/png")
        with pytest.raises(RefusedUpload):
            services.save_file(subject=services.subject_of(learner), upload=upload)
        assert not PersonalText.objects.exists()

    def test_too_long_a_text_is_refused_whole(self, learner: User) -> None:
        with pytest.raises(InvalidInput):
            services.save_text(
                subject=services.subject_of(learner), kind=PersonalText.Kind.REFLECTION, text="x" * 50_001
            )

    def test_erasing_empties_the_row_and_deletes_the_file(
        self, learner: User, django_capture_on_commit_callbacks: object
    ) -> None:
        kept = services.save_file(subject=services.subject_of(learner), upload=picture())
        storage, name = kept.file.storage, kept.file.name
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
            services.erase_text(text=kept)
        assert not storage.exists(name)
        assert (kept.text, kept.file_name, kept.content_type, kept.size, kept.salt) == ("", "", "", 0, "")
        assert kept.erased_at is not None
        assert services.read_texts([kept.id]) == {}

    def test_a_digest_proves_nothing_once_the_text_is_erased(self, learner: User) -> None:
        text = services.save_text(
            subject=services.subject_of(learner), kind=PersonalText.Kind.REFLECTION, text="Yes."
        )
        digest = services.text_digest(text)
        services.erase_text(text=text)
        guess = PersonalText(salt=text.salt, text="Yes.")
        assert services.text_digest(guess) != digest


class TestConsents:
    def test_given_twice_is_one_row(self, learner: User) -> None:
        subject = services.subject_of(learner)
        give = {
            "subject": subject,
            "purpose": Consent.Purpose.NOTICES_BY_EMAIL,
            "wording": "Yes.",
            "language": "en",
        }
        assert services.give_consent(**give) == services.give_consent(**give)

    def test_withdrawn_and_given_again_are_two(self, learner: User) -> None:
        for wanted in (True, False, True):
            services.choose_notices(user=learner, wanted=wanted, wording="Yes.")
        subject = services.subject_of(learner)
        assert Consent.objects.filter(subject=subject).count() == 2
        assert has_consent(subject_id=subject.pk, purpose=Consent.Purpose.NOTICES_BY_EMAIL)


class TestProfile:
    def test_staff_have_their_language_in_the_cms_too(self, author: User) -> None:
        author.refresh_from_db()
        services.update_profile(user=author, name="Élise Roy", language="fr", time_zone="America/Halifax")
        profile = author.wagtail_userprofile
        assert (profile.preferred_language, profile.current_time_zone) == ("fr", "America/Halifax")

    def test_names_are_found_without_their_accents(self, learner: User, other_learner: User) -> None:
        assert list(find_people(words="berube")) == [other_learner]
        assert list(find_people(words="lavallee smith")) == [learner]

    def test_people_are_listed_in_french_order(self) -> None:
        for name in ("Côté", "Cote", "Coté", "Côte"):
            make_user(name=name)
        assert [user.name for user in find_people()] == ["Cote", "Côte", "Coté", "Côté"]

    def test_an_ended_role_is_not_found(self, learner: User, town: Organization) -> None:
        assert list(find_people(what=Role.What.MEMBER, organization=str(town.pk))) == [learner]
        services.end_role(role=learner.roles.get())
        assert not find_people(what=Role.What.MEMBER, organization=str(town.pk)).exists()
        assert not find_people(organization=str(make_organization().pk)).exists()


def test_an_address_has_one_account(learner: User) -> None:
    with pytest.raises(InvalidInput):
        services.register_person(email=learner.email.upper(), name="Somebody Else")
    assert User.objects.filter(email__iexact=learner.email).count() == 1
