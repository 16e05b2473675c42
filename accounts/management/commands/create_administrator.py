"""The one command that makes the first administrator of an empty site."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse
from django.utils import translation

from accounts.mail import compose_mail, send_or_log
from accounts.models import Organization, Role, User
from accounts.names import clean_name
from accounts.services import grant_role, register_person
from core.extensions import site_identity
from core.models import Language


class Command(BaseCommand):
    help = (
        "Makes somebody an administrator of the site: their account where they have none, the network's organization "
        "where there is none, and the role. Asks for a password, or sends a link to choose one with --send-link."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="The e-mail address they sign in with.")
        parser.add_argument("--name", default="", help="Their name as they write it.")
        parser.add_argument("--language", choices=Language.values, default=Language.ENGLISH)
        way = parser.add_mutually_exclusive_group()
        way.add_argument(
            "--send-link",
            action="store_true",
            help="Send (and print) a link to choose a password, good for one day.",
        )
        way.add_argument(
            "--password-stdin", action="store_true", help="Read the password from standard input."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].strip().lower()
        try:
            validate_email(email)
            name = clean_name(options["name"] or email.partition("@")[0].replace(".", " ").title())
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        user = User.objects.filter(email=email).first()
        password = None
        if user is None and not options["send_link"]:
            password = self._read_password(User(email=email, name=name), from_stdin=options["password_stdin"])
        with transaction.atomic():
            if user is None:
                user = register_person(
                    email=email, name=name, password=password, language=options["language"]
                )
                self.stdout.write(f"Made an account for {email}.")
            else:
                # Whoever runs this command vouches for the address.
                EmailAddress.objects.update_or_create(
                    user=user, email=email, defaults={"verified": True, "primary": True}
                )
                self.stdout.write(f"{email} has an account already; its password stays.")
            network = self._find_network()
            grant_role(user=user, organization=network, what=Role.What.ADMINISTRATOR)
        self.stdout.write(self.style.SUCCESS(f"{user.name} is an administrator of {network.name_en}."))
        if options["send_link"]:
            self._send_link(user)
        self.stdout.write(
            f"They sign in at {settings.PUBLIC_ORIGIN}/{user.preferred_language}/accounts/login/"
        )
        if settings.STAFF_SECOND_FACTOR:
            self.stdout.write(
                "At the first sign-in they are asked to set up a second step with an authenticator app."
            )

    def _read_password(self, user: User, *, from_stdin: bool) -> str:
        if from_stdin:
            password = sys.stdin.readline().rstrip("\n")
        elif sys.stdin.isatty():
            password = getpass("Password: ")
            if password != getpass("The same password again: "):
                raise CommandError("The two passwords differ. Nothing was changed; run the command again.")
        else:
            raise CommandError(
                "There is no terminal to ask for a password. Give --send-link, or --password-stdin and the password."
            )
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(f"{' '.join(error.messages)} Nothing was changed.") from error
        return password

    def _find_network(self) -> Organization:
        network = (
            Organization.objects.filter(kind=Organization.Kind.NETWORK, is_active=True)
            .order_by("created_at")
            .first()
        )
        if network is not None:
            return network
        identity = site_identity()
        network = Organization.objects.create(
            slug="network",
            kind=Organization.Kind.NETWORK,
            name_en=identity.name["en"],
            name_fr=identity.name.get("fr", ""),
            website=identity.website,
        )
        self.stdout.write(f"Made the organization {network.name_en}.")
        return network

    def _send_link(self, user: User) -> None:
        with translation.override(user.preferred_language):
            path = reverse(
                "account_reset_password_from_key",
                kwargs={"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)},
            )
        link = settings.PUBLIC_ORIGIN + path
        message = compose_mail(
            to=user.email,
            template="account/set_password",
            context={"user": user, "email": user.email, "password_reset_url": link},
            language=user.preferred_language,
        )
        if send_or_log(message):
            self.stdout.write(f"Sent a link to choose a password to {user.email}.")
        else:
            self.stderr.write("The e-mail could not be sent. Check EMAIL_HOST and the log.")
        self.stdout.write(f"The link, good for one day: {link}")
