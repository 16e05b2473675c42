"""Erases a person at the operator's hand."""

from __future__ import annotations

import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Subject, User
from accounts.services import erase_person, subject_of
from core.errors import DomainError


class Command(BaseCommand):
    help = (
        "Erases a person for good: account, words, files, and what a certificate says about them. The ledgers keep "
        "codes, numbers and times under a key that names nobody. Refused while a legal hold stands."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("person", help="Their e-mail address, or the key of their subject.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")
        parser.add_argument(
            "--by", default="", help="The e-mail address of whoever decided it, for the record."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        subject = self._find_subject(options["person"])
        if subject.erased_at is not None:
            self.stdout.write(f"The person with the key {subject.pk} is erased already.")
            return
        requested_by = None
        if options["by"]:
            decider = User.objects.filter(email=options["by"].strip().lower()).first()
            if decider is None:
                raise CommandError(f"Nobody has an account with the address {options['by']}.")
            requested_by = subject_of(decider)
        if not options["yes"]:
            name = subject.user or subject.pk
            answer = input(f"Erase {name} for good? This cannot be undone. Type “erase” to go on: ")
            if answer.strip().lower() not in {"erase", "effacer"}:
                raise CommandError("Nothing was changed.")
        try:
            record = erase_person(subject=subject, requested_by=requested_by)
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"Erased. The records keep the key {record.subject_key}."))

    def _find_subject(self, person: str) -> Subject:
        try:
            key = uuid.UUID(person)
        except ValueError:
            user = User.objects.filter(email=person.strip().lower()).first()
            if user is None:
                raise CommandError(f"Nobody has an account with the address {person}.") from None
            return subject_of(user)
        subject = Subject.objects.filter(pk=key).first()
        if subject is None:
            raise CommandError(f"There is no subject with the key {key}.")
        return subject
