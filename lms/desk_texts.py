"""What the desk's screens say to instructors: of other people's work, so in the third person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lms.words import say_date, say_moment, say_percent


def say_days_ago(moment: datetime, now: datetime) -> str:
    """How long ago: “today” and “yesterday” by the reader's calendar, then whole days gone by, “6 days ago”.

    Days are counted as the rule for who is stuck counts them, so that both never disagree on a screen.
    """
    nights = (timezone.localtime(now).date() - timezone.localtime(moment).date()).days
    return say_days_gone(nights, (now - moment).days)


def say_days_gone(nights: int, days: int) -> str:
    """So many nights by the calendar, or so many times twenty-four hours: see `say_days_ago`."""
    if nights <= 0:
        return _("today")
    if nights == 1:
        return _("yesterday")
    days = max(2, days)
    return ngettext("%(days)d day ago", "%(days)d days ago", days) % {"days": days}


def say_idle(days: int) -> str:
    """“12 days without a step”."""
    days = max(1, days)
    return ngettext("%(days)d day without a step", "%(days)d days without a step", days) % {"days": days}


def say_learners(count: int, total: int) -> str:
    """“7 of 18”: a count never stands without its denominator."""
    return _("%(count)d of %(total)d") % {"count": count, "total": total}


def say_reason(code: str, params: Mapping[str, Any], *, blocker: str = "") -> str:  # noqa: PLR0912
    """One reason of `lms.rules.reasons`, said of the learner; `blocker` is the title of the step to complete first."""
    match code:
        case "not_opened":
            return _("Not opened yet.")
        case "opened_not_finished":
            return _("Read, and nothing is missing but the last press on “Complete and go on”.")
        case "check_unanswered":
            count = len(params["checks"])
            return ngettext(
                "One required question in it has no answer.",
                "%(count)d required questions in it have no answer.",
                count,
            ) % {"count": count}
        case "reflection_empty":
            count = len(params["reflections"])
            return ngettext(
                "One required reflection in it is empty.",
                "%(count)d required reflections in it are empty.",
                count,
            ) % {"count": count}
        case "attempt_not_submitted":
            if params.get("started_at") is None:
                return _("Opened, and no attempt begun.")
            return _("An attempt was begun on %(moment)s and never handed in.") % {
                "moment": say_moment(params["started_at"])
            }
        case "attempt_failed":
            return " ".join(filter(None, [say_result(params), _say_left(params["attempts_left"])]))
        case "no_attempts_left":
            return " ".join([say_result(params), _("No attempt is left. You may open one more.")])
        case "waiting_for_marking":
            if params.get("since") is None:
                return _("Handed in; it waits for you to mark it.")
            return _("Handed in on %(date)s; it waits for you to mark it.") % {
                "date": say_date(params["since"])
            }
        case "returned_for_resubmission":
            if params.get("since") is None:
                return _("Returned for another try; the learner has it.")
            return _("Returned for another try on %(date)s; the learner has it.") % {
                "date": say_date(params["since"])
            }
        case "locked_by":
            return _("Opens once “%(step)s” is complete.") % {"step": blocker}
        case "window_closed":
            return _("The course closed for this learner on %(date)s. You may extend their time.") % {
                "date": say_date(params["closed_at"])
            }
    return _("Not complete yet.")


def say_result(params: Mapping[str, Any]) -> str:
    """The best result against the pass mark, as a sentence."""
    percent, pass_mark = params.get("percent"), params.get("pass_mark")
    if percent is None:
        return _("Not passed yet.")
    if pass_mark is None:
        return _("Best result %(percent)s.") % {"percent": say_percent(percent)}
    return _("Best result %(percent)s, pass mark %(mark)s.") % {
        "percent": say_percent(percent),
        "mark": say_percent(pass_mark),
    }


def _say_left(left: int | None) -> str:
    if left is None:
        return _("They may try as often as they like.")
    return ngettext("%(count)d attempt left.", "%(count)d attempts left.", left) % {"count": left}


def say_step_state(code: str, *, locked: bool = False) -> str:
    """Where a step stands, said of the learner."""
    if code == "complete":
        return _("Complete")
    if locked:
        return _("Not open yet")
    return {
        "opened": _("Begun"),
        "waiting": _("Waiting to be marked"),
        "returned": _("Returned for another try"),
        "failed": _("Not passed yet"),
    }.get(code, _("Not begun"))
