"""What a long command says while it works."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from django.utils.translation import gettext as _

EVERY_SECONDS: Final = 5.0

Say = Callable[[str], object]


def say_nothing(_text: str) -> None:
    """For whoever asked for quiet."""


class Progress:
    """Says each step, how far a long one is every five seconds, and what needs a look (also to the quiet)."""

    def __init__(self, *, say: Say = say_nothing, warn: Say = say_nothing) -> None:
        self.say = say
        self.warn = warn
        self._said_at = time.monotonic()

    def step(self, text: str) -> None:
        self._said_at = time.monotonic()
        self.say(text)

    def tick(self, done: int, *, of: int) -> None:
        """So much of a whole is done."""
        if of <= 0 or time.monotonic() - self._said_at < EVERY_SECONDS:
            return
        self._said_at = time.monotonic()
        self.say(_("  … %(percent)d %%") % {"percent": min(99, 100 * done // of)})

    def counter(self, of: int) -> Callable[[int], None]:
        """`tick` for a whole that is known."""
        return lambda done: self.tick(done, of=of)
