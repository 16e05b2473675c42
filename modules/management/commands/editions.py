"""Lists issued editions: `manage.py editions [--digests]`."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from assessments.models import AssessmentEdition
from modules.selectors import edition_digests as course_digests
from standards.selectors import edition_digests as framework_digests


class Command(BaseCommand):
    help = "Lists every issued edition of frameworks, assessments and courses, sorted; with --digests, their digests."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--digests", action="store_true", help="print the digest of each edition")

    def handle(self, *args: Any, **options: Any) -> None:
        for kind, name, number, digest in list_editions():
            line = f"{kind} {name} {number}"
            self.stdout.write(f"{line} {digest}" if options["digests"] else line)


def list_editions() -> list[tuple[str, str, int, str]]:
    """Kind, name, number and digest of every edition, sorted. Three queries."""
    assessments = AssessmentEdition.objects.values_list("document__key", "assessment_key", "number", "digest")
    return sorted(
        [
            *(("framework", slug, number, digest) for slug, number, digest in framework_digests()),
            *(("assessment", name or str(key), number, digest) for name, key, number, digest in assessments),
            *(("course", slug, number, digest) for slug, number, digest in course_digests()),
        ]
    )
