"""Words for numbers, for templates of every floor."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def minutes_in_words(minutes: int | None) -> str:
    """How long something takes, as people say it: “about 6 h 20 min”; empty for nothing.

    >>> minutes_in_words(380)
    'about 6 h 20 min'
    """
    if not minutes:
        return ""
    hours, rest = divmod(int(minutes), 60)
    if not hours:
        return _("about %(minutes)d min") % {"minutes": rest}
    if not rest:
        return _("about %(hours)d h") % {"hours": hours}
    return _("about %(hours)d h %(minutes)d min") % {"hours": hours, "minutes": rest}
