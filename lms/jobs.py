"""What this floor does in the queue for who asked: a roster as a table, a later closing, a newer edition."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.jobs import JobKind, Outcome, Progress, register_kind
from accounts.models import Job, JobPart, Subject
from accounts.second_factor import is_unprotected
from accounts.services import Request, ask_job, discard_job_files, finish_job, record_audit, split_job
from core.batches import in_batches
from core.errors import NotFound
from lms import texts
from lms.models import Enrolment, Offering
from lms.permissions import may_teach
from lms.selectors.desk_export import write_csv
from lms.services.moving import (
    MOVING,
    count_moved,
    find_behind_edition,
    move_learner,
    sort_followers,
)
from lms.services.offerings import CLOSING, extend_with_offering, find_behind
from modules.selectors import kept_edition

ROSTER: Final = "offering_roster"
PART_SIZE: Final = 20


def ask_roster(*, offering: Offering, asker: Subject, job_id: uuid.UUID) -> Job:
    """The job that writes the roster of an offering with progress and marks, in the language in force."""
    return ask_job(
        asker=asker,
        request=Request(
            job_id=job_id,
            kind=ROSTER,
            about=str(offering.pk),
            title={"en": offering.title_in("en"), "fr": offering.title_in("fr")},
            params={"slug": offering.slug},
        ),
    )


def write_roster(*, job: Job, progress: Progress) -> None:
    """Write the table. Logged in the transaction that keeps it: it leaves the site."""
    offering = Offering.objects.select_related("edition", "organization").filter(pk=job.about).first()
    if offering is None:
        raise NotFound(_("The offering is not there any more, so there is nothing to write."))
    content, count = write_csv(offering, report=partial(progress, doing="rows"))
    with transaction.atomic():
        kept = finish_job(
            job=job,
            result={"learners": count},
            content=content,
            name=_("learners-%(offering)s.csv") % {"offering": offering.slug},
            content_type="text/csv; charset=utf-8",
        )
        if kept:
            record_audit(
                actor=job.asker, action="offering.exported", target=offering, details={"learners": count}
            )


def may_fetch_roster(user: Any, job: Job) -> bool:
    """Who asked, as long as they teach the offering: a role may have ended since."""
    if job.asker.user_id != user.pk or is_unprotected(user):
        return False
    offering = Offering.objects.filter(pk=job.about).first()
    return offering is not None and may_teach(user, offering)


def describe_roster(job: Job) -> Outcome:
    count = int(job.result.get("learners", 0))
    return Outcome(
        ngettext(
            "The table is ready: %(count)d learner, with progress and marks.",
            "The table is ready: %(count)d learners, with progress and marks.",
            count,
        )
        % {"count": count}
    )


def name_roster(job: Job) -> str:
    return _("Progress and marks of “%(title)s”, CSV") % {"title": job.title.get(texts.language(), "")}


def discard_rosters_with(*, subject_id: uuid.UUID) -> None:
    """Delete the tables in which this person may stand, because they are erased."""
    offerings = Enrolment.objects.filter(subject_id=subject_id).values_list("offering_id", flat=True)
    discard_job_files(kind=ROSTER, about=[str(key) for key in offerings])


# --- A later closing ----------------------------------------------------------------------------------------------


def cut_closing(*, job: Job, progress: Progress) -> None:
    """Everyone who closes before the offering does, a few at a time."""
    offering = Offering.objects.filter(pk=job.params["offering"]).first()
    if offering is None:
        raise NotFound(_("The offering is not there any more, so nobody’s last day was moved."))
    keys = [str(key) for key in find_behind(offering).order_by("pk").values_list("pk", flat=True)]
    split_job(job=job, parts=list(in_batches(keys, PART_SIZE)))


def extend_part(*, part: JobPart) -> Mapping[str, Any]:
    """Extend a few, each once and in a transaction of its own; each is told."""
    offering = Offering.objects.get(pk=part.job.params["offering"])
    behind = find_behind(offering).filter(pk__in=part.keys)
    for enrolment in behind:
        extend_with_offering(enrolment=enrolment, offering=offering, actor=part.job.asker)
    return {}


def describe_closing(job: Job) -> Outcome:
    count = job.total - int(job.result.get("failed", 0))
    return Outcome(
        ngettext(
            "%(count)d learner has the later last day, and is told.",
            "%(count)d learners have the later last day, and are told.",
            count,
        )
        % {"count": count}
    )


# --- A newer edition ----------------------------------------------------------------------------------------------


def cut_moving(*, job: Job, progress: Progress) -> None:
    """Everyone who can go along, a few at a time."""
    offering = Offering.objects.filter(pk=job.params["offering"]).first()
    if offering is None:
        raise NotFound(_("The offering is not there any more, so nobody was moved."))
    edition = kept_edition(uuid.UUID(job.params["edition"]))
    keys = [str(key) for key in sort_followers(find_behind_edition(offering, edition), edition).going]
    split_job(job=job, parts=list(in_batches(keys, PART_SIZE)))


def move_part(*, part: JobPart) -> Mapping[str, Any]:
    """Take a few along, each once and in a transaction of its own; each is told."""
    edition = kept_edition(uuid.UUID(part.job.params["edition"]))
    for key in part.keys:
        move_learner(enrolment_id=uuid.UUID(key), edition=edition, actor=part.job.asker)
    return {}


def gather_moved(*, job: Job, parts: Sequence[JobPart]) -> Mapping[str, Any]:
    """By the ledger: a part whose worker died says nothing of what it had done."""
    keys = [uuid.UUID(key) for part in parts for key in part.keys]
    return {"moved": count_moved(keys, job.params["edition"])}


def describe_moving(job: Job) -> Outcome:
    count = int(job.result.get("moved", 0))
    said = _("Whoever enrols from now on gets edition %(number)d.") % {"number": job.params["number"]}
    moved = ngettext(
        "%(count)d learner went along to it, and is told.",
        "%(count)d learners went along to it, and are told.",
        count,
    ) % {"count": count}
    return Outcome(f"{said} {moved}")


def lead_to_offering(job: Job) -> tuple[str, str]:
    """The way back to an offering in the CMS: its title and its address."""
    return job.title.get(texts.language(), ""), reverse("offerings:edit", args=[job.params["offering"]])


def register_jobs() -> None:
    register_kind(
        JobKind(
            code=MOVING,
            run=cut_moving,
            part=move_part,
            gather=gather_moved,
            name=lambda job: (
                _("Edition %(number)d for “%(title)s”")
                % {"number": job.params["number"], "title": job.title.get(texts.language(), "")}
            ),
            describe=describe_moving,
            in_cms=True,
            back=lead_to_offering,
        )
    )
    register_kind(
        JobKind(
            code=CLOSING,
            run=cut_closing,
            part=extend_part,
            name=lambda job: (
                _("A later last day for everyone in “%(title)s”")
                % {"title": job.title.get(texts.language(), "")}
            ),
            describe=describe_closing,
            in_cms=True,
            back=lead_to_offering,
        )
    )
    register_kind(
        JobKind(
            code=ROSTER,
            run=write_roster,
            name=name_roster,
            describe=describe_roster,
            may_fetch=may_fetch_roster,
            steps={"rows": gettext_lazy("Writing the table")},
            back=lambda job: (
                job.title.get(texts.language(), ""),
                reverse("lms:offering", args=[job.params["slug"]]),
            ),
        )
    )
