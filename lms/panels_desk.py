"""What the desk says on a person's own home: the offerings they teach and what waits there."""

from __future__ import annotations

from django.http import HttpRequest

from core.extensions import HomePanel
from lms.permissions import offerings_taught_by
from lms.selectors.desk import list_offerings, read_cards

# Before the panels of a learner: whoever teaches is here for others first.
ORDER = 5
SHOWN = 5


def show_offerings(*, request: HttpRequest) -> HomePanel | None:
    """The offerings that the person teaches and that run. One query for who does not teach, else eight."""
    offerings = list_offerings(offerings_taught_by(request.user)).filter(is_over=False)  # type: ignore[misc]
    found = list(offerings[: SHOWN + 1])
    if not found:
        return None
    more = offerings.count() - SHOWN if len(found) > SHOWN else 0
    return HomePanel(
        template="lms/desk/panel.html",
        context={"cards": read_cards(found[:SHOWN]), "more": more},
        order=ORDER,
    )
