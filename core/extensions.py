"""Questions that a floor asks and the floors above it answer.

A floor that needs something from above declares the question here; those above register answers in
their `AppConfig.ready()`. Answers are called in the order of registration, each with keyword
arguments only.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from django.http import HttpRequest

Answer = TypeVar("Answer", bound=Callable[..., Any])


class ExtensionPoint(Generic[Answer]):
    """A named list of answers. `register` is idempotent, so reloading an app registers nothing twice."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._answers: list[Answer] = []

    def register(self, answer: Answer) -> Answer:
        if answer not in self._answers:
            self._answers.append(answer)
        return answer

    def __iter__(self) -> Iterator[Answer]:
        return iter(tuple(self._answers))


@dataclass(frozen=True, slots=True)
class HomePanel:
    """One section of a signed-in person's home: a template and its context, placed by `order`."""

    template: str
    context: dict[str, Any]
    order: int = 100


class HomePanels(Protocol):
    def __call__(self, *, request: HttpRequest) -> HomePanel | None: ...


@dataclass(frozen=True, slots=True)
class Impact:
    """One sentence on who is touched by an edition, with its count, and a link to see them."""

    sentence: str
    count: int
    url: str = ""


class ImpactReport(Protocol):
    def __call__(self, *, kind: str, key: uuid.UUID) -> Sequence[Impact]: ...


@dataclass(frozen=True, slots=True)
class PersonalRecords:
    """A named part of what is held about a person; `rows` are JSON-ready.

    `labels` says what the keys of the rows mean to the person, in the order to show them: a key without a label is
    in the download, but not on the screen (where no key has one, all are shown). Each of `files` is a name and a
    `FieldFile`, or what else has an ``open("rb")``.
    """

    name: str
    title: str
    rows: Sequence[dict[str, Any]]
    retention: str
    files: Sequence[tuple[str, Any]] = field(default_factory=tuple)
    labels: Mapping[str, str] = field(default_factory=dict)


class PersonalData(Protocol):
    """Exports what a floor holds about a person, and erases what may be erased."""

    def export(self, *, subject_id: uuid.UUID, language: str) -> Sequence[PersonalRecords]: ...

    def erase(self, *, subject_id: uuid.UUID) -> None: ...


class AccessGrant(Protocol):
    """Why `viewer` may see the records of `subject_id`: a code such as `instructor_of`, or None.

    `text` narrows the question to one `PersonalText` of theirs: who may see a record need not see every word.
    """

    def __call__(self, *, viewer: Any, subject_id: uuid.UUID, text: Any | None = None) -> str | None: ...


class UsedBy(Protocol):
    """Sentences that name what uses an edited thing, so that its deletion can be refused.

    `key` is its key; of a source its short name.
    """

    def __call__(self, *, kind: str, key: Any) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class TaughtPlace:
    """Where a competency is taught or assessed: what to read there, its address, and which part of it serves."""

    title: str
    url: str
    detail: str = ""


class TaughtIn(Protocol):
    """Where competencies are taught, for all of them at once, so that a list costs a constant number of queries."""

    def __call__(
        self, *, competency_ids: Sequence[uuid.UUID], language: str
    ) -> Mapping[uuid.UUID, Sequence[TaughtPlace]]: ...


class Chore(Protocol):
    """Something that the worker does from time to time so that others need not; safe to run at any moment."""

    def __call__(self) -> Any: ...


home_panels: ExtensionPoint[HomePanels] = ExtensionPoint("home_panels")
impact_reports: ExtensionPoint[ImpactReport] = ExtensionPoint("impact_reports")
personal_data: ExtensionPoint[Any] = ExtensionPoint("personal_data")
access_grants: ExtensionPoint[AccessGrant] = ExtensionPoint("access_grants")
used_by: ExtensionPoint[UsedBy] = ExtensionPoint("used_by")
taught_in: ExtensionPoint[TaughtIn] = ExtensionPoint("taught_in")
chores: ExtensionPoint[Chore] = ExtensionPoint("chores")


def find_uses_above(kind: str, key: Any) -> list[str]:
    """What the floors say that uses an edited thing."""
    return [sentence for answer in used_by for sentence in answer(kind=kind, key=key)]


@dataclass(frozen=True, slots=True)
class WorkNote:
    """One sentence on background work that an administrator should know of, and where to look."""

    sentence: str
    url: str = ""


class WorkNotes(Protocol):
    def __call__(self) -> Sequence[WorkNote]: ...


work_notes: ExtensionPoint[WorkNotes] = ExtensionPoint("work_notes")


@dataclass(frozen=True, slots=True)
class SiteIdentity:
    """Who runs this site, as set in the CMS: names and words by language (`en`, `fr`)."""

    name: dict[str, str]
    short_name: dict[str, str]
    tagline: dict[str, str]
    about: dict[str, str]
    contact_email: str = ""
    website: str = ""
    signatory_name: str = ""
    signatory_title: dict[str, str] = field(default_factory=dict)


class SiteIdentityAnswer(Protocol):
    def __call__(self) -> SiteIdentity: ...


site_identity_answers: ExtensionPoint[SiteIdentityAnswer] = ExtensionPoint("site_identity")


def site_identity() -> SiteIdentity:
    """Who runs this site; the floor that keeps the settings answers. Fails where none does."""
    for answer in site_identity_answers:
        return answer()
    raise LookupError("No floor says who runs this site: see core.extensions.site_identity_answers.")
