"""The sentences of the certificates' screens, from codes and dates, in the language in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from certificates.checks import Check
from certificates.models import StatusEntry
from certificates.rules import Entered, Status
from certificates.wording import format_date
from lms.texts import NoticeText, language, register_notice
from lms.words import say_date, say_time

Reason = StatusEntry.Reason

AUDIT_WORDS: Final = {
    "certificates.issued_together": gettext_lazy("The certificates of an offering were issued together"),
    "certificate.opened": gettext_lazy("A certificate was opened"),
    "certificate.revoked": gettext_lazy("A certificate was revoked"),
    "certificate.reinstated": gettext_lazy("A certificate was reinstated"),
    "certificate.superseded": gettext_lazy("A certificate was corrected and reissued"),
    "certificate.attested": gettext_lazy("A certificate was countersigned"),
    "certificate.correction_asked": gettext_lazy("A correction of a certificate was asked for"),
    "certificate.correction_declined": gettext_lazy("A request for a correction was closed"),
    "certificate.cohort_listed": gettext_lazy("The certificates of a cohort were listed"),
    "certificate.key_rotated": gettext_lazy("A signing key was replaced"),
}


def say_day(day: date) -> str:
    """A calendar day: `9 October 2026`, `1er octobre 2026`."""
    return format_date(day, "fr" if language() == "fr" else "en").replace(" ", "\u00a0", 1)


def say_instant(moment: datetime) -> str:
    """A day and a time, with its zone."""
    from django.utils import timezone

    zone = timezone.localtime(moment).strftime("%Z")
    return _("%(date)s, %(time)s (%(zone)s)") % {
        "date": say_date(moment, year=True),
        "time": say_time(moment),
        "zone": say_zone(zone),
    }


def say_zone(short: str) -> str:
    """A time zone as people here call it."""
    return {
        "EST": _("Eastern time"),
        "EDT": _("Eastern time"),
        "CST": _("Central time"),
        "CDT": _("Central time"),
        "MST": _("Mountain time"),
        "MDT": _("Mountain time"),
        "PST": _("Pacific time"),
        "PDT": _("Pacific time"),
        "AST": _("Atlantic time"),
        "ADT": _("Atlantic time"),
        "NST": _("Newfoundland time"),
        "NDT": _("Newfoundland time"),
    }.get(short, short)


def say_reason(code: str) -> str:
    """Why something was entered, as a sentence for everyone."""
    return str(Reason(code).label) if code in Reason.values else ""


@dataclass(frozen=True, kw_only=True)
class Banner:
    """Whether a certificate stands: `look` chooses shape and colour of `parts/status_banner.html`."""

    look: str
    title: str
    text: str


def write_banner(check: Check, *, issuer: str) -> Banner:
    """The first thing a verifier reads."""
    since = say_date(check.status.since, year=True) if check.status.since else ""
    if not check.sound:
        return Banner(
            look="unknown",
            title=_("This certificate could not be confirmed"),
            text=_(
                "What is kept here does not agree with its signature. Do not rely on this page; write to us, and we "
                "will look into it."
            ),
        )
    match check.status.status:
        case Status.VALID:
            return Banner(
                look="stands",
                title=_("This certificate stands"),
                text=_("Signed by %(issuer)s and not changed since. Checked just now, %(moment)s.")
                % {"issuer": issuer, "moment": say_instant(check.at)},
            )
        case Status.SUPERSEDED:
            text = (
                _("It was correct when it was issued, and was replaced on %(date)s.")
                if check.status.reason == Reason.NAME_CHANGED
                else _("It was replaced on %(date)s, because a certified fact was corrected.")
            )
            return Banner(
                look="replaced", title=_("Replaced by a newer certificate"), text=text % {"date": since}
            )
        case Status.REVOKED:
            return Banner(
                look="revoked",
                title=_("Revoked. Do not rely on it"),
                text=_("%(issuer)s revoked it on %(date)s.") % {"issuer": issuer, "date": since},
            )
        case Status.EXPIRED:
            assert check.status.expires_on is not None
            return Banner(
                look="expired",
                title=_("Expired on %(date)s") % {"date": say_day(check.status.expires_on)},
                text=_("It was genuine and true while it was valid."),
            )
        case _:
            return Banner(
                look="expired",
                title=_("Withdrawn on %(date)s") % {"date": since},
                text=_(
                    "This number is genuine. The holder asked for their personal data to be erased, so what it "
                    "certified can no longer be shown or relied on."
                ),
            )


def say_status(status: str) -> str:
    """The status in a word or two."""
    return {
        Status.VALID: _("Stands"),
        Status.SUPERSEDED: pgettext("certificate", "Replaced"),
        Status.REVOKED: pgettext("certificate", "Revoked"),
        Status.EXPIRED: pgettext("certificate", "Expired"),
        Status.WITHDRAWN: pgettext("certificate", "Withdrawn"),
    }[Status(status)]


def state_of(status: str) -> str:
    """How the tag `state` draws it."""
    return {Status.VALID: "ok", Status.REVOKED: "stop"}.get(Status(status), "wait")


def say_entry(entered: str) -> str:
    """What was entered in the history."""
    return {
        Entered.ISSUED: pgettext("certificate", "Issued"),
        Entered.REVOKED: pgettext("certificate", "Revoked"),
        Entered.REINSTATED: pgettext("certificate", "Reinstated"),
        Entered.SUPERSEDED: _("Replaced by a newer certificate"),
        Entered.WITHDRAWN: pgettext("certificate", "Withdrawn"),
    }[Entered(entered)]


def say_size(size: int) -> str:
    """A file's size: `182 kB`, `1.4 MB`; in French `182 ko`."""
    if size < 1_000_000:
        return _("%(size)d kB") % {"size": max(1, round(size / 1000))}
    whole, tenth = divmod(round(size / 100_000), 10)
    point = "," if language() == "fr" else "."
    return _("%(size)s MB") % {"size": f"{whole}{point}{tenth}"}


def say_slip(number: str) -> str:
    """What does not fit in a number that has a slip in it."""
    return _(
        "You gave %(number)s. The last two characters of a number are a check on the others, and here they do not "
        "fit: at least one character is wrong. Compare it with the certificate and try again."
    ) % {"number": number}


# --- Notices --------------------------------------------------------------------------------------------------------


def _number(params: Mapping[str, Any]) -> dict[str, Any]:
    return {"number": params.get("number", "")}


def register_notices() -> None:
    """Tell the course engine how news about certificates reads."""
    register_notice(
        "certificate_issued",
        lambda params: NoticeText(
            title=_("Your certificate is here"),
            text=_(
                "Certificate %(number)s was issued. Open it to download the PDF and to choose who may see it."
            )
            % _number(params),
        ),
    )
    register_notice(
        "certificate_replaced",
        lambda params: NoticeText(
            title=_("Your certificate was corrected"),
            text=_(
                "Certificate %(number)s replaces your earlier one. Choose again who may see it: your earlier choice "
                "was for the earlier certificate."
            )
            % _number(params),
        ),
    )
    register_notice(
        "certificate_revoked",
        lambda params: NoticeText(
            title=_("Your certificate was revoked"),
            text=_(
                "Certificate %(number)s is not to be relied on any more. Open it to read why, and write to us if you "
                "think this is wrong."
            )
            % _number(params),
        ),
    )
    register_notice(
        "certificate_reinstated",
        lambda params: NoticeText(
            title=_("Your certificate stands again"),
            text=_("The revocation of certificate %(number)s was taken back.") % _number(params),
        ),
    )
    register_notice(
        "certificate_not_corrected",
        lambda params: NoticeText(
            title=_("Your certificate stays as it is"),
            text=_(
                "We looked at your request to correct certificate %(number)s and did not reissue it. Write to us if "
                "you have a question."
            )
            % _number(params),
        ),
    )
