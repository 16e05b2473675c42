"""The administrators' list of e-mails that were not sent: each is sent again once, however often asked."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.urls import reverse
from django_tasks_db.models import DBTaskResult

from accounts.models import Consent, User
from accounts.services import give_consent, subject_of
from lms.models import Notice
from lms.tasks import send_notice

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


@pytest.fixture
def given_up(learner: User) -> Notice:
    """A notice whose e-mail the server refused each time."""
    give_consent(
        subject=subject_of(learner),
        purpose=Consent.Purpose.NOTICES_BY_EMAIL,
        wording="Send me notices.",
        language="en",
    )
    return Notice.objects.create(
        subject=subject_of(learner),
        kind="work_marked",
        about=str(uuid.uuid4()),
        params={"passed": True},
        url="/my/",
        mail=Notice.Mail.GIVEN_UP,
    )


@pytest.fixture
def office(administrator: User, sign_in: SignIn) -> Client:
    administrator.user_permissions.add(Permission.objects.get(codename="access_admin"))
    return sign_in(administrator)


def test_it_is_sent_again_once(given_up: Notice, office: Client) -> None:
    url = reverse("lms_admin:unsent_mail")
    assert "Your work was marked, and it passed" in office.get(url).text
    for _press in range(2):
        assert office.post(url, {"notice": str(given_up.pk)}).status_code == 302
    assert DBTaskResult.objects.filter(task_path__endswith="send_notice").count() == 1
    assert "Your work was marked, and it passed" not in office.get(url).text
    for _run in range(2):
        send_notice.func(str(given_up.pk))
    assert len(mail.outbox) == 1
    given_up.refresh_from_db()
    assert given_up.mail == Notice.Mail.SENT


def test_a_key_that_is_none_changes_nothing(given_up: Notice, office: Client) -> None:
    url = reverse("lms_admin:unsent_mail")
    assert office.post(url, {"notice": "nonsense"}).status_code == 302
    assert office.post(url, {"notice": str(uuid.uuid4())}).status_code == 404
    given_up.refresh_from_db()
    assert given_up.mail == Notice.Mail.GIVEN_UP
