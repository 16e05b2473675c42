"""The worker does the floors' chores from time to time."""

from __future__ import annotations

import threading

import pytest

from core import extensions
from core.management.commands.work import LeaseKeeper
from core.tasks import SignOfLife, make_worker_id, release_expired_tasks


@pytest.mark.django_db(transaction=True)
def test_the_worker_does_the_chores(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()

    def chore() -> None:
        release_expired_tasks()
        done.set()

    monkeypatch.setattr(extensions.chores, "_answers", [chore])
    monkeypatch.setattr("core.management.commands.work.LOOK_EVERY_SECONDS", 0.01)
    sign = SignOfLife(make_worker_id())
    keeper = LeaseKeeper(sign)
    keeper.start()
    try:
        assert done.wait(60)
    finally:
        keeper.finished.set()
        keeper.join()
        sign.hide()
