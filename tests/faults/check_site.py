"""Looks through a site after its faults: what was acknowledged is there exactly once, and nothing half-done is.

``python -m tests.faults.check_site < acknowledged.json`` prints a list of sentences, empty where all is well. It reads
``{"reflections": [[enrolment, client id, words]], "answers": […the same], "finished": [enrolments]}``.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any


def check_words(told: dict[str, Any]) -> Iterator[str]:
    """Reflections and answers: one row for each that was acknowledged, with its words, and no words without a row."""
    from accounts.models import PersonalText
    from assessments.models import Response
    from lms.models import LearningEvent

    events = {str(row.client_id): row for row in LearningEvent.objects.filter(verb="reflected")}
    texts = {str(text.pk): text.text for text in PersonalText.objects.filter(kind="reflection")}
    for enrolment, client_id, words in told["reflections"]:
        row = events.get(client_id)
        if row is None or str(row.enrolment_id) != enrolment:
            yield f"The reflection {client_id} was acknowledged and is not there."
        elif texts.get(row.result["text"]) != words:
            yield f"The reflection {client_id} has other words."
    kept = {row.result["text"] for row in events.values()}
    if kept != set(texts):
        yield f"{len(set(texts) - kept)} texts belong to no entry, {len(kept - set(texts))} entries lack theirs."
    # Each was sent again until it was acknowledged, so there are no others.
    if len(events) != len(told["reflections"]):
        yield f"{len(told['reflections'])} reflections were acknowledged, {len(events)} are there."

    answers = {str(row.client_id): row for row in Response.objects.all()}
    for _enrolment, client_id, choice in told["answers"]:
        found = answers.get(client_id)
        if found is None or found.value != {"choice": choice}:
            yield f"The answer {client_id} was acknowledged and is not there as it was sent."
    if len(answers) != len(told["answers"]):
        yield f"{len(told['answers'])} answers were acknowledged, {len(answers)} are there."


def check_courses(told: dict[str, Any]) -> Iterator[str]:
    """Each course that was finished: one attempt, one submission, every step complete once, one whole certificate."""
    from assessments.models import Attempt
    from certificates.models import Certificate
    from lms.models import Evidence, LearningEvent, Notice

    finished = set(told["finished"])
    verbs = Counter(
        (str(enrolment), verb)
        for enrolment, verb in LearningEvent.objects.values_list("enrolment_id", "verb")
    )
    attempts = Counter(
        str(context)
        for context in Attempt.objects.filter(submitted_at__isnull=False).values_list(
            "sitting__context", flat=True
        )
    )
    certificates = Counter(str(key) for key in Certificate.objects.values_list("enrolment_id", flat=True))
    notices = Notice.objects.filter(kind="certificate_issued").count()
    for enrolment in finished:
        found = {verb: verbs[enrolment, verb] for verb in ("completed", "attempted", "submitted")}
        if found != {"completed": 3, "attempted": 1, "submitted": 1}:
            yield f"Enrolment {enrolment}: {found}"
        if attempts[enrolment] != 1 or certificates[enrolment] != 1:
            yield (
                f"Enrolment {enrolment}: {attempts[enrolment]} attempts, {certificates[enrolment]} certificates"
            )
    if set(certificates) != finished or notices != len(finished):
        yield f"{len(finished)} finished, {len(certificates)} have certificates, {notices} were told."
    keys = Counter(
        Evidence.objects.values_list("subject_id", "edition_competency_id", "level", "kind", "source")
    )
    if any(count > 1 for count in keys.values()):
        yield "Evidence is there twice."


def check_certificates() -> Iterator[str]:
    """Every certificate verifies, and so does its PDF in each language."""
    from certificates.checks import check_certificate
    from certificates.issuer import list_credential_keys
    from certificates.models import Certificate
    from certificates.pdf_signing import verify_pdf
    from core import clock

    keys = list_credential_keys()
    for certificate in Certificate.objects.select_related("content__pdf_key"):
        content, entries = certificate.content, list(certificate.statuses.all())
        found = check_certificate(certificate, content, entries=entries, keys=keys, at=clock.now())
        if not found.stands or len(entries) != 1:
            yield f"Certificate {certificate.number} does not stand: {found.reasons}, {len(entries)} entries"
        for language in ("en", "fr"):
            file = content.pdf_in(language)
            if not file or content.pdf_key is None:
                yield f"Certificate {certificate.number} has no PDF in {language}."
                continue
            with file.open("rb") as opened:
                signature = verify_pdf(opened.read(), trusted=[content.pdf_key.public])
            if signature is None or not signature.stands:
                yield f"The PDF of {certificate.number} in {language} does not verify."


def check_queue() -> Iterator[str]:
    """Nothing failed, nothing is left."""
    from django_tasks_db.models import DBTaskResult

    for row in DBTaskResult.objects.exclude(status="SUCCESSFUL"):
        yield f"The task {row.task_path} is {row.status}: {row.traceback[-300:]}"


def mend() -> Iterator[str]:
    """Projections are what their ledgers give; `reconcile` mends what is missing, and then nothing is."""
    from django.core.management import call_command

    said = io.StringIO()
    try:
        call_command("rebuild_projections", "--check", stdout=said)
    except SystemExit:
        yield said.getvalue()
    call_command("reconcile", stdout=said)
    again = io.StringIO()
    call_command("reconcile", stdout=again)
    if "Nothing was missing." not in again.getvalue():
        yield again.getvalue()


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    told = json.load(sys.stdin)
    found = [*mend(), *check_words(told), *check_courses(told), *check_certificates(), *check_queue()]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
