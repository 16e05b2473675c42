"""Where everyone in an offering is: by module or, in a short course, by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from core.kept import Kept
from lms import texts
from lms.desk_texts import say_learners
from lms.rules.roster import DONE
from lms.selectors.desk_board import Board
from modules.selectors import outline_of

# More than this, and one dot stands for several people.
MOST_DOTS = 150


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of the dot plot: a module or a step, and how many are there."""

    title: str
    whole_title: str
    count: int
    stuck: int
    total: int
    each: int

    @property
    def text(self) -> str:
        return say_learners(self.count, self.total)

    @property
    def stuck_text(self) -> str:
        if not self.stuck:
            return ""
        return ngettext("%(count)d stuck", "%(count)d stuck", self.stuck) % {"count": self.stuck}

    @property
    def dots(self) -> list[str]:
        """Those who move below, those who are stuck above."""
        stuck = -(-self.stuck // self.each)
        return ["moving"] * (-(-self.count // self.each) - stuck) + ["stuck"] * stuck


@dataclass(frozen=True, kw_only=True, eq=False)
class DotPlot:
    """Where everyone is: by module or, in a short course, by step.

    The process keeps one for all who are to see the same, so it is equal to itself only.
    """

    columns: tuple[Column, ...]
    each: int
    total: int

    @property
    def sentence(self) -> str:
        each = (
            _("One dot is one learner, placed at the step they last worked on.")
            if self.each == 1
            else _("One dot is up to %(each)d learners, placed at the step they last worked on.")
            % {"each": self.each}
        )
        total = ngettext("%(count)d learner.", "%(count)d learners.", self.total) % {"count": self.total}
        return f"{each} {total}"


# Numbers alone, each under all that it was made of.
_plots: Final[Kept[tuple[Hashable, ...], DotPlot]] = Kept(64)


def plot_board(board: Board) -> DotPlot:
    """Where everyone is who is enrolled. No query."""
    places = tuple((place, there, stuck) for place, (there, stuck) in board.tally.places.items())
    key = (board.edition.pk, texts.language(), board.total, *places)
    return _plots.read(key, lambda: _plot(board))


def _plot(board: Board) -> DotPlot:
    outline = outline_of(board.edition)
    language = texts.language()
    by_module = len(outline.modules) > 2
    places: dict[str, str] = {DONE: DONE}
    before = pgettext("of a course", "Not begun")
    titles: dict[str, tuple[str, str]] = {"": (before, before)}
    for number, module in enumerate(outline.modules, start=1):
        for place, step in enumerate(module.steps, start=1):
            code = str(number) if by_module else f"{number}.{place}"
            places[step.key.hex] = code
            whole = f"{code} {texts.say(module.title, language) if by_module else step.title_in(language)}"
            titles.setdefault(
                code, (_("Module %(number)d") % {"number": number} if by_module else code, whole)
            )
    done = pgettext("of a course", "Complete")
    titles[DONE] = (done, done)
    counts: Counter[str] = Counter()
    stuck: Counter[str] = Counter()
    for where, (there, stuck_there) in board.tally.places.items():
        # A step that only another edition has stands with those who have not begun in this one.
        code = places.get(where, "")
        counts[code] += there
        stuck[code] += stuck_there
    each = 1
    while board.total > MOST_DOTS * each:
        each *= 10
    if not counts[""]:
        del titles[""]
    columns = tuple(
        Column(
            title=short,
            whole_title=whole,
            count=counts[code],
            stuck=stuck[code],
            total=board.total,
            each=each,
        )
        for code, (short, whole) in titles.items()
    )
    return DotPlot(columns=columns, each=each, total=board.total)
