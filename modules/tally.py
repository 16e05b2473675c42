"""What one load did, and whether it may: the one rule by which an editor's change is seen and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from core.canonical import digest


@dataclass
class Tally:
    """Counts what a load made, changed, found as it was and kept as edited; reports what is worth knowing."""

    report: Callable[[str], None]
    replace: bool = False
    made: int = 0
    changed: int = 0
    same: int = 0
    edited: int = 0

    def may_write(self, *, label: str, wanted: Any, current: Any, loaded: str) -> bool:
        """Whether the file's text is to be written over what stands there; says so where an editor's change is kept.

        `loaded` is the digest of what the loader wrote last: where the current text is no longer that, an editor has
        changed it.
        """
        new, now = digest(wanted), digest(current)
        if new == now:
            self.same += 1
            return False
        if now != loaded and not self.replace:
            self.edited += 1
            self.report(
                _("%(label)s: an editor's change was kept.") % {"label": label}
                if new == loaded
                else _("%(label)s: an editor changed it, so the file's new words were not taken.")
                % {"label": label}
            )
            return False
        self.changed += 1
        self.report(_("%(label)s: the file's words were taken.") % {"label": label})
        return True
