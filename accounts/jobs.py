"""What can be asked of the queue, and how its progress is shown: see docs/adr/0085.

A floor says in `AppConfig.ready()` what it does (`register_kind`), and asks with `accounts.services.ask_job`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from django.db import DatabaseError, connection, connections

from accounts.models import Job, JobPart

EVERY_SECONDS: Final = 1.0


class Progress:
    """How far a job is, for whoever watches: written beside the transaction that does the work.

    Call it as often as you like: it writes at most once a second (0.3 ms), waits for nobody, and a failure to write is
    no failure of the work. Where a transaction is open it has a connection of its own, since what is written inside
    would be seen only afterwards.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self._written = 0.0
        self._link: Any = None

    def __call__(self, *, done: int = 0, total: int = 0, doing: str = "") -> None:
        now = time.monotonic()
        if now - self._written < EVERY_SECONDS:
            return
        self._written = now
        try:
            with self._find_link().cursor() as cursor:
                cursor.execute(
                    "UPDATE accounts_job SET done = %s, total = %s, doing = %s WHERE id = ("
                    "SELECT id FROM accounts_job WHERE id = %s AND finished_at IS NULL FOR UPDATE SKIP LOCKED)",
                    [done, total, doing, self.job.pk],
                )
        except DatabaseError:
            if not connection.in_atomic_block:
                raise
            self.close()

    def _find_link(self) -> Any:
        if not connection.in_atomic_block:
            return connection
        if self._link is None:
            self._link = connections["default"].copy()
        return self._link

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job, in the language in force: a sentence, and where to look."""

    sentence: str
    url: str = ""
    label: str = ""


class Run(Protocol):
    def __call__(self, *, job: Job, progress: Progress) -> None: ...


class RunPart(Protocol):
    def __call__(self, *, part: JobPart) -> Mapping[str, Any]: ...


class Gather(Protocol):
    def __call__(self, *, job: Job, parts: Sequence[JobPart]) -> Mapping[str, Any]: ...


def _nobody(user: Any, job: Job) -> bool:
    return False


def _nothing(*, job: Job, parts: Sequence[JobPart]) -> Mapping[str, Any]:
    return {}


def _no_part(*, part: JobPart) -> Mapping[str, Any]:
    raise NotImplementedError("This kind of job has no parts.")


@dataclass(frozen=True, kw_only=True)
class JobKind:
    """One thing that can be asked of the queue.

    `run` does it and calls `finish_job` in the transaction of what it does, or `split_job`. It may run twice: a worker
    that dies in the middle is followed by another. `part` does a part, and says what came of it. `name` and `describe`
    are called in the reader's language. `may_fetch`: whether a person may still have the file.
    `steps`: words for what `progress(doing=…)` names. `in_cms`: its page stands in the CMS.
    """

    code: str
    run: Run
    name: Callable[[Job], str]
    describe: Callable[[Job], Outcome]
    part: RunPart = _no_part
    gather: Gather = _nothing
    may_fetch: Callable[[Any, Job], bool] = _nobody
    steps: Mapping[str, Any] = field(default_factory=dict)
    in_cms: bool = False
    back: Callable[[Job], tuple[str, str]] | None = None


_kinds: dict[str, JobKind] = {}


def register_kind(kind: JobKind) -> JobKind:
    """Let this be asked of the queue; again is no different."""
    _kinds[kind.code] = kind
    return kind


def find_kind(code: str) -> JobKind:
    """The kind of that code. Raises LookupError where no floor knows it (any more)."""
    return _kinds[code]
