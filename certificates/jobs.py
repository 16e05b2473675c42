"""What this floor does in the queue for who asked: the certificates of an offering in one go (docs/adr/0087)."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.jobs import JobKind, Outcome, Progress, register_kind
from accounts.models import Job, JobPart, Subject
from accounts.services import Request, ask_job, record_audit, split_job
from certificates.due import list_due
from certificates.models import Certificate
from certificates.pdf_signing import PdfSigningError
from certificates.services import NotEarned, issue_certificate, print_certificate
from core.batches import in_batches
from core.pdf import PdfError
from lms.models import Enrolment, Offering
from lms.texts import language

log = logging.getLogger(__name__)

DUE: Final = "certificates_due"
# Small enough that progress moves and that a worker which dies costs little; large enough not to be mostly queueing.
PART_SIZE: Final = 5


def ask_for_due(*, offering: Offering, asker: Subject, job_id: uuid.UUID) -> Job:
    """The job that issues what an offering's learners have earned and lack, and makes the missing PDFs."""
    return ask_job(
        asker=asker,
        request=Request(
            job_id=job_id,
            kind=DUE,
            about=str(offering.pk),
            title={"en": offering.title_in("en"), "fr": offering.title_in("fr")},
        ),
    )


def run(*, job: Job, progress: Progress) -> None:
    """Find what is due and cut it into parts. Logged once, with the cut."""
    keys = [str(key) for key in list_due(offering_id=uuid.UUID(job.about))]
    if split_job(job=job, parts=list(in_batches(keys, PART_SIZE))):
        record_audit(
            actor=job.asker,
            action="certificates.issued_together",
            target=Offering.objects.get(pk=job.about),
            details={"enrolments": len(keys)},
        )


def do_part(*, part: JobPart) -> Mapping[str, Any]:
    """Issue and print a few, in their order. Each is a transaction of its own, and what is there is left alone."""
    not_earned = unmade = 0
    keys = [uuid.UUID(key) for key in part.keys]
    found = Enrolment.objects.select_related("subject").in_bulk(keys)
    for enrolment in (found[key] for key in keys if key in found):
        try:
            print_certificate(certificate_id=_find_or_issue(enrolment).pk)
        except NotEarned:
            # Reopened or erased since the job was cut.
            not_earned += 1
        except (PdfError, PdfSigningError, OSError):
            log.exception("The PDF for enrolment %s could not be made.", enrolment.pk)
            unmade += 1
    return {"not_earned": not_earned, "unmade": unmade}


def _find_or_issue(enrolment: Enrolment) -> Certificate:
    """The enrolment's newest certificate, issued now where there is none."""
    newest = Certificate.objects.filter(enrolment=enrolment).order_by("-issued_at").first()
    return newest or issue_certificate(enrolment=enrolment, print_later=False)


def gather(*, job: Job, parts: Sequence[JobPart]) -> Mapping[str, Any]:
    """What is there now, not what each part says it did: a part whose worker died says nothing of what it had done."""
    keys = [key for part in parts for key in part.keys]
    found = Certificate.objects.filter(enrolment__in=keys)
    results = [part.result or {} for part in parts]
    return {
        "issued": found.filter(issued_at__gte=job.asked_at, supersedes__isnull=True).count(),
        "printed": found.exclude(content__pdf_en="").exclude(content__pdf_fr="").count(),
        "not_earned": sum(int(result.get("not_earned", 0)) for result in results),
        # What failed with a whole part is added by the job itself.
        "failed": sum(int(result.get("unmade", 0)) for result in results),
    }


def describe(job: Job) -> Outcome:
    result = job.result
    issued, printed, failed = (int(result.get(name, 0)) for name in ("issued", "printed", "failed"))
    said = [
        ngettext("%(count)d certificate was issued.", "%(count)d certificates were issued.", issued)
        % {"count": issued},
        ngettext(
            "The PDFs of %(count)d certificate are there, signed and checked.",
            "The PDFs of %(count)d certificates are there, signed and checked.",
            printed,
        )
        % {"count": printed},
    ]
    if failed:
        said.append(
            ngettext(
                "%(count)d could not be made. What was made is kept; ask again for the rest.",
                "%(count)d could not be made. What was made is kept; ask again for the rest.",
                failed,
            )
            % {"count": failed}
        )
    return Outcome(" ".join(said), url=reverse("certificates_admin:list"), label=_("All certificates"))


def register_jobs() -> None:
    register_kind(
        JobKind(
            code=DUE,
            run=run,
            part=do_part,
            gather=gather,
            name=lambda job: _("Certificates of “%(title)s”") % {"title": job.title.get(language(), "")},
            describe=describe,
            in_cms=True,
            back=lambda job: (_("Certificates that are due"), reverse("certificates_admin:due")),
        )
    )
