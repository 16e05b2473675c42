"""Offerings in the CMS: made with days in their own zone, kept where people are enrolled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Organization, User
from cms.services import grant_group_permissions
from core import clock
from lms.models import Enrolment, EnrolmentEvent, Offering
from modules.models import CourseEdition
from tests.factories.certificates import run_tasks
from tests.factories.lms import make_course, make_course_edition, make_enrolment, make_lesson, make_offering

SignIn = Callable[[User], Client]

VANCOUVER = ZoneInfo("America/Vancouver")


@pytest.fixture
def edition(db: None) -> CourseEdition:
    return make_course().edition


@pytest.fixture
def client(administrator: User, sign_in: SignIn) -> Client:
    grant_group_permissions()
    return sign_in(administrator)


def values(edition: CourseEdition, organization: Organization, **changes: Any) -> dict[str, Any]:
    """What the form of an offering sends."""
    return {
        "title_en": "Winter cohort",
        "title_fr": "Cohorte d’hiver",
        "kind": "cohort",
        "edition": str(edition.pk),
        "organization": str(organization.pk),
        "partner": "",
        "time_zone": "America/Vancouver",
        "first_day": "2031-01-10",
        "last_day": "2031-03-31",
        "seats": "20",
        "is_listed": "on",
        "slug": "",
        **changes,
    }


def send(client: Client, sent: dict[str, Any], offering: Offering | None = None) -> Any:
    url = f"/admin/offerings/edit/{offering.pk}/" if offering else "/admin/offerings/new/"
    return client.post(url, sent)


def run_queue() -> None:
    """Do what the background worker would do for offerings. (The worker itself closes the test's connection.)"""
    run_tasks()


def test_make_one(client: Client, edition: CourseEdition, college: Organization, instructor: User) -> None:
    assert client.get("/admin/offerings/new/").status_code == 200
    answer = send(client, values(edition, college, instructors=[str(instructor.pk)]))
    assert answer.status_code == 302, answer.content.decode()
    offering = Offering.objects.get()
    assert offering.slug == "winter-cohort"
    assert offering.opens_at == datetime(2031, 1, 10, 0, 0, tzinfo=VANCOUVER)
    assert offering.closes_at == datetime(2031, 3, 31, 23, 59, 59, tzinfo=VANCOUVER)
    assert list(offering.instructors.all()) == [instructor]
    assert AuditEntry.objects.filter(action="offering.made", target_id=str(offering.pk)).count() == 1
    page = client.get(f"/admin/offerings/edit/{offering.pk}/").content.decode()
    assert f"/teach/{offering.slug}/" in page
    assert f"/trainings/{edition.slug}/enrol/{offering.slug}/" in page
    assert "2031-03-31" in page
    # The same again keeps the days, and another one of this name has an address of its own.
    assert send(client, values(edition, college, slug="winter-cohort"), offering).status_code == 302
    again = Offering.objects.get()
    assert (again.opens_at, again.closes_at) == (offering.opens_at, offering.closes_at)
    assert send(client, values(edition, college)).status_code == 302
    assert Offering.objects.filter(slug="winter-cohort-2").exists()


def test_the_newest_edition_stands_first(client: Client, edition: CourseEdition) -> None:
    newer = make_course_edition(modules=[[make_lesson("one")]], course_key=edition.course_key, number=2)
    page = client.get("/admin/offerings/new/").content.decode()
    assert 0 < page.index(str(newer.pk)) < page.index(str(edition.pk))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"last_day": "2031-01-01"}, "The last day comes before the first day."),
        ({"last_day": ""}, "A cohort learns together, so it needs a first and a last day."),
        ({"slug": "taken"}, "Another offering has this address."),
        ({"edition": ""}, "This field is required."),
        ({"time_zone": "Mars/Olympus"}, "Select a valid choice."),
    ],
)
def test_refusals_are_sentences(
    client: Client, edition: CourseEdition, college: Organization, changes: dict[str, str], said: str
) -> None:
    make_offering(edition=edition, slug="taken")
    page = send(client, {**values(edition, college), **changes})
    assert page.status_code == 200
    assert said in page.content.decode()
    assert Offering.objects.count() == 1


class TestWithPeople:
    @pytest.fixture
    def offering(self, edition: CourseEdition, college: Organization, learner: User) -> Offering:
        offering = make_offering(
            edition=edition,
            organization=college,
            slug="winter",
            title="Winter cohort",
            time_zone="America/Vancouver",
            closes_at=datetime(2031, 3, 31, 23, 59, 59, tzinfo=VANCOUVER),
        )
        make_enrolment(user=learner, offering=offering)
        return offering

    def test_the_edition_stays(self, client: Client, offering: Offering, college: Organization) -> None:
        newer = make_course_edition(
            modules=[[make_lesson("one")]], course_key=offering.edition.course_key, number=2
        )
        page = client.get(f"/admin/offerings/edit/{offering.pk}/").content.decode()
        assert "“Newer edition”, at the top of this page" in page
        send(client, values(newer, college, slug="winter", title_en="New name"), offering)
        offering.refresh_from_db()
        assert offering.title_en == "New name"
        assert offering.edition_id != newer.pk

    def test_a_later_last_day_is_everyones(
        self, client: Client, offering: Offering, college: Organization, other_learner: User
    ) -> None:
        with_longer = make_enrolment(user=other_learner, offering=offering)
        longer = datetime(2032, 1, 1, tzinfo=VANCOUVER)
        Enrolment.objects.filter(pk=with_longer.pk).update(closes_at=longer)
        sent = values(offering.edition, college, slug="winter", last_day="2031-06-30")
        for _again in range(2):
            assert send(client, sent, offering).status_code == 302
            run_queue()
        new = datetime(2031, 6, 30, 23, 59, 59, tzinfo=VANCOUVER)
        assert set(Enrolment.objects.values_list("closes_at", flat=True)) == {new, longer}
        assert EnrolmentEvent.objects.filter(kind="extended").count() == 1

    def test_an_earlier_one_is_for_those_who_come(
        self, client: Client, offering: Offering, college: Organization
    ) -> None:
        before = offering.closes_at
        sent = values(offering.edition, college, slug="winter", last_day="2031-02-01")
        assert send(client, sent, offering).status_code == 302
        run_queue()
        assert Enrolment.objects.get().closes_at == before

    def test_places_are_not_taken_away(
        self, client: Client, offering: Offering, college: Organization, other_learner: User
    ) -> None:
        make_enrolment(user=other_learner, offering=offering)
        page = send(client, values(offering.edition, college, slug="winter", seats="1"), offering)
        assert "2 people are enrolled. There must be at least as many places." in page.content.decode()

    def test_it_is_not_deleted(self, client: Client, offering: Offering) -> None:
        url = f"/admin/offerings/delete/{offering.pk}/"
        for answer in (client.get(url, follow=True), client.post(url, follow=True)):
            assert "was not deleted" in answer.content.decode()
        assert Offering.objects.filter(pk=offering.pk).exists()


def test_an_unused_one_is_deleted(client: Client, edition: CourseEdition) -> None:
    offering = make_offering(edition=edition)
    url = f"/admin/offerings/delete/{offering.pk}/"
    assert client.get(url).status_code == 200
    assert client.post(url).status_code == 302
    assert not Offering.objects.exists()


def test_the_list_costs_the_same_for_many(client: Client, edition: CourseEdition) -> None:
    counts = []
    for more in (1, 15):
        for _one in range(more):
            make_offering(edition=edition)
        client.get("/admin/offerings/")
        with CaptureQueriesContext(connection) as queries:
            page = client.get("/admin/offerings/").content.decode()
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert "/teach/" in page


@pytest.mark.parametrize("who", ["author", "committee", "instructor", "learner", "stranger"])
def test_nobody_else_comes_in(
    request: pytest.FixtureRequest, sign_in: SignIn, edition: CourseEdition, who: str
) -> None:
    grant_group_permissions()
    offering = make_offering(edition=edition)
    client = sign_in(request.getfixturevalue(who))
    for path in ("", "new/", f"edit/{offering.pk}/", f"delete/{offering.pk}/"):
        assert client.get(f"/admin/offerings/{path}").status_code in {302, 403}, path
        assert client.post(f"/admin/offerings/{path}").status_code in {302, 403, 405}, path
    assert Offering.objects.filter(pk=offering.pk).exists()
    assert clock.now() - timedelta(days=1) < offering.created_at
