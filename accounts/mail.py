"""E-mails: in the person's language, as text and as HTML, in the site's name.

A mail is three templates, ``templates/email/<name>.subject.txt``, ``.txt`` and ``.html``; the last two extend
``email/base.txt`` and ``email/base.html``. The floors above send from their tasks only.
"""

from __future__ import annotations

import logging
import time
import zoneinfo
from email.utils import formataddr, parseaddr
from smtplib import SMTPConnectError, SMTPException, SMTPServerDisconnected
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import User
from core.extensions import site_identity

log = logging.getLogger(__name__)

AWAY_SECONDS: Final = 30.0
# When the mail server is asked again, by the process's own clock.
_away: dict[str, float] = {"until": 0.0}


def send_mail_to(*, user: User, template: str, context: dict[str, Any]) -> None:
    """Render a mail for this person and send it now. For tasks: an error of the mail server is raised, and retried.

    The templates know `context`, and `user`, `name`, `language`, `site`, `origin` and `profile_url`.
    """
    message = compose_mail(
        to=user.email,
        template=template,
        context={**context, "user": user},
        language=user.preferred_language,
        time_zone=user.time_zone,
    )
    deliver(message)


def compose_mail(
    *, to: str, template: str, context: dict[str, Any], language: str, time_zone: str | None = None
) -> EmailMultiAlternatives:
    """The mail, not yet sent. A line break in the subject or the sender's name cannot start another header."""
    with translation.override(language), timezone.override(_find_zone(time_zone)):
        whole = {**context, **describe_site(language)}
        subject = one_line(render_to_string(f"email/{template}.subject.txt", whole))
        text = render_to_string(f"email/{template}.txt", whole).strip() + "\n"
        html = render_to_string(f"email/{template}.html", {**whole, "subject": subject})
        sender = describe_sender(whole["site"]["short_name"])
    message = EmailMultiAlternatives(
        subject,
        text,
        sender,
        [to],
        # Vacation replies to such mails help nobody (RFC 3834).
        headers={"Auto-Submitted": "auto-generated", "Content-Language": language},
    )
    message.attach_alternative(html, "text/html")
    return message


def describe_site(language: str) -> dict[str, Any]:
    """Who sends: `site` (name, short_name, tagline, contact), `origin`, `profile_url`, `language`."""
    identity = site_identity()
    with translation.override(language):
        profile_url = settings.PUBLIC_ORIGIN + reverse("accounts:profile")
    return {
        "site": {
            "name": _pick(identity.name, language),
            "short_name": _pick(identity.short_name, language),
            "tagline": _pick(identity.tagline, language),
            "contact": identity.contact_email,
        },
        "origin": settings.PUBLIC_ORIGIN,
        "profile_url": profile_url,
        "language": language,
    }


def describe_sender(short_name: str) -> str:
    """The address of the site under the name that the person's language gives it."""
    _name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return formataddr((one_line(short_name), address))


def one_line(text: str) -> str:
    """The text without line breaks or control characters, as a header must be."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


class MailServerAway(OSError):
    """The mail server did not answer a moment ago, so it is not asked again yet."""


def deliver(message: EmailMultiAlternatives) -> None:
    """Send now. Raises SMTPException or OSError where that fails.

    A server that hangs costs one wait (`EMAIL_TIMEOUT`), not one for every mail: for half a minute afterwards this
    process does not ask it again.
    """
    if time.monotonic() < _away["until"]:
        raise MailServerAway("The mail server did not answer less than half a minute ago.")
    try:
        message.send()
    except (SMTPServerDisconnected, SMTPConnectError):
        _away["until"] = time.monotonic() + AWAY_SECONDS
        raise
    except SMTPException:
        # It answered, and refused this mail.
        raise
    except OSError:
        _away["until"] = time.monotonic() + AWAY_SECONDS
        raise


def send_or_log(message: EmailMultiAlternatives) -> bool:
    """Send now; where the mail server fails, log it and say False, so that the page can say so."""
    try:
        deliver(message)
    except (SMTPException, OSError):
        log.exception("An e-mail could not be sent.")
        return False
    return True


def _pick(words: dict[str, str], language: str) -> str:
    return words.get(language) or words.get("en") or ""


def _find_zone(name: str | None) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name or settings.TIME_ZONE)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo(settings.TIME_ZONE)
