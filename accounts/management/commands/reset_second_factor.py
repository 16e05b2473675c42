"""Lets somebody in who has lost phone and recovery codes."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.mail import compose_mail, send_or_log
from accounts.models import User
from accounts.services import reset_second_factor


class Command(BaseCommand):
    help = (
        "Takes the authenticator app and the recovery codes off an account, once you know in another way that it is "
        "really them who ask. They sign in with the password alone; staff are led to set up a new second step."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="The e-mail address of the account.")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].strip().lower()).first()
        if user is None:
            raise CommandError(f"Nobody has an account with the address {options['email']}.")
        if not reset_second_factor(user=user, reset_by=None):
            self.stdout.write(f"{user.email} has no second step. Nothing was changed.")
            return
        message = compose_mail(
            to=user.email,
            template="account/second_factor_reset",
            context={"user": user},
            language=user.preferred_language,
            time_zone=user.time_zone,
        )
        told = (
            "They were told by e-mail." if send_or_log(message) else "The e-mail to them could not be sent."
        )
        self.stdout.write(self.style.SUCCESS(f"The second step of {user.email} is off. {told}"))
