"""Jobs of the queue in tests: run what waits, fetch what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.test import Client

from accounts import jobs
from accounts.jobs import JobKind
from tests.factories.certificates import run_tasks


def fetch_made(client: Client, asked: Any) -> Any:
    """The answer with the file of the job to whose page somebody was led, once the queue is empty."""
    assert asked.status_code == 302, asked
    run_tasks()
    return client.get(f"{asked['Location']}file/")


def read_body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


@contextmanager
def kind_of_tests(**fields: Any) -> Iterator[JobKind]:
    """A kind of job that only a test knows."""
    kind = JobKind(
        **{
            "code": "tests",
            "name": lambda job: "A job of the tests",
            "describe": lambda job: jobs.Outcome("It came out well."),
            **fields,
        }
    )
    jobs.register_kind(kind)
    yield kind
    del jobs._kinds[kind.code]
