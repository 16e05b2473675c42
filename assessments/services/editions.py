"""Assessment editions: issued from the CMS, immutable, kept by the process."""

from __future__ import annotations

import uuid
from functools import lru_cache
from typing import Final

from django.db import connection, transaction
from django.db.models import Max

from assessments.compile import compile_assessment
from assessments.documents import AssessmentDocument
from assessments.models import Assessment, AssessmentEdition
from core.canonical import digest
from core.kept import Kept
from standards.models import FrameworkEdition

_editions: Final[Kept[uuid.UUID, AssessmentEdition]] = Kept(64)


def kept_edition(edition_id: uuid.UUID) -> AssessmentEdition:
    """An edition by its key, without its document. At most one query, mostly none.

    It is one object for the whole process: nothing may be set on it. What it says is read by `document_of`.
    """
    return _editions.read(edition_id, lambda: AssessmentEdition.objects.defer("document").get(pk=edition_id))


@lru_cache(maxsize=256)
def _read_document(edition_id: uuid.UUID, text_digest: str) -> AssessmentDocument:
    return AssessmentDocument.from_json(
        AssessmentEdition.objects.values_list("document", flat=True).get(pk=edition_id, digest=text_digest)
    )


def document_of(edition: AssessmentEdition) -> AssessmentDocument:
    """The parsed document of an edition, kept by the process: an edition never changes. At most one query."""
    return _read_document(edition.pk, edition.digest)


@transaction.atomic
def issue_assessment_edition(
    *, assessment: Assessment, framework_edition: FrameworkEdition
) -> AssessmentEdition:
    """Compile an assessment in all languages into an immutable edition; the same text gives the same edition."""
    document = compile_assessment(assessment=assessment, framework_edition=framework_edition)
    content = document.to_json()
    text = digest(content)
    key = assessment.translation_key
    with connection.cursor() as cursor:
        # Two authors who issue at once would take the same number.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key.int % (2**63)])
    found = AssessmentEdition.objects.filter(assessment_key=key, digest=text).first()
    if found:
        return found
    last = AssessmentEdition.objects.filter(assessment_key=key).aggregate(last=Max("number"))["last"] or 0
    return AssessmentEdition.objects.create(
        assessment_key=key, number=last + 1, kind=document.kind, document=content, digest=text
    )
