"""A mail server that takes the line and says nothing: nobody waits for it for long, and no mail is lost."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django_tasks_db.models import DBTaskResult

from accounts import mail
from accounts.models import Consent, User
from accounts.services import give_consent, subject_of
from core import clock
from lms.models import Notice
from lms.tasks import WAITS
from tests.database import run_tasks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def silent_server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[socket.socket]]:
    """A server that accepts every line and never says a word; the lines that it was given."""
    monkeypatch.setitem(mail._away, "until", 0.0)
    lines: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    lines.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        settings.EMAIL_USE_TLS = False
        settings.EMAIL_TIMEOUT = 1
        yield lines
        server.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)
    for line in lines:
        line.close()
    mail._away["until"] = 0.0


def make_notice(user: User, *, about: str = "mark:1") -> Notice:
    subject = subject_of(user)
    give_consent(
        subject=subject, purpose=Consent.Purpose.NOTICES_BY_EMAIL, wording="As shown.", language="en"
    )
    return Notice.objects.create(
        subject=subject, kind="certificate_issued", about=about, params={"number": "N-1"}, url="/my/"
    )


def run_now() -> None:
    """Run what waits for later, too."""
    DBTaskResult.objects.filter(status="READY").update(run_after=clock.now() - timedelta(seconds=1))
    run_tasks()


def test_a_mail_that_could_not_be_sent_is_tried_again(
    silent_server: list[socket.socket], learner: User, settings: Any, mailoutbox: list[Any]
) -> None:
    from lms.tasks import send_notice

    notice = make_notice(learner)
    send_notice.enqueue(str(notice.pk))
    run_tasks()
    assert len(silent_server) == 1
    waiting = DBTaskResult.objects.get(status="READY")
    assert waiting.run_after > clock.now() + WAITS[0] / 2
    notice.refresh_from_db()
    assert notice.emailed_at is None

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail._away["until"] = 0.0
    run_now()
    notice.refresh_from_db()
    assert notice.emailed_at is not None
    assert len(mailoutbox) == 1
    run_now()
    assert len(mailoutbox) == 1


def test_it_is_given_up_in_the_end_and_stands_on_the_site(
    silent_server: list[socket.socket], learner: User
) -> None:
    from lms.tasks import send_notice

    notice = make_notice(learner)
    send_notice.enqueue(str(notice.pk), len(WAITS))
    run_tasks()
    assert not DBTaskResult.objects.filter(status="READY").exists()
    assert Notice.objects.filter(pk=notice.pk, emailed_at__isnull=True).exists()


def test_many_mails_wait_for_a_silent_server_once(silent_server: list[socket.socket], learner: User) -> None:
    from lms.tasks import send_notice

    for number in range(10):
        send_notice.enqueue(str(make_notice(learner, about=f"mark:{number}").pk))
    run_tasks()
    assert len(silent_server) == 1, "After the first wait the server is not asked again for a while."
    assert DBTaskResult.objects.filter(status="READY").count() == 10


def test_while_a_mail_hangs_the_notice_is_read_on_the_site(
    silent_server: list[socket.socket], learner: User, sign_in: Callable[[User], Client], settings: Any
) -> None:
    from lms.tasks import send_notice

    settings.EMAIL_TIMEOUT = 5
    notice = make_notice(learner)
    client = sign_in(learner)
    send_notice.enqueue(str(notice.pk))
    worker = threading.Thread(target=run_tasks)
    worker.start()
    deadline = time.monotonic() + 20
    while not silent_server and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    assert client.post(f"/en/my/notices/{notice.pk}/").status_code == 302
    hangs = worker.is_alive() and mail._away["until"] == 0.0
    worker.join()
    assert hangs, "The page was answered while the mail was still under way."
    notice.refresh_from_db()
    assert notice.read_at is not None


def test_who_signs_up_is_told_and_nobody_else_waits(silent_server: list[socket.socket]) -> None:
    form = {
        "name": "Nia New",
        "password1": "a-long-enough-one-7",
        "password2": "a-long-enough-one-7",
        "preferred_language": "en",
        "time_zone": "America/Toronto",
        "privacy": "on",
    }
    for number in range(3):
        answer = Client().post(
            "/en/accounts/signup/", {**form, "email": f"nia{number}@new.example"}, follow=True
        )
        assert answer.status_code == 200
        assert "could not be sent" in answer.content.decode()
    assert User.objects.filter(email__startswith="nia").count() == 3
    assert len(silent_server) == 1
