"""The pure rules of courses: no database, no clock, no settings.

:mod:`changes` compares two editions, :mod:`structure` a translation with its source, :mod:`reading` estimates
how long a lesson takes.
"""

from modules.rules.changes import Change, ChangeCode, diff_outlines
from modules.rules.reading import count_words, estimate_minutes
from modules.rules.structure import BlockShape, check_structure

__all__ = [
    "BlockShape",
    "Change",
    "ChangeCode",
    "check_structure",
    "count_words",
    "diff_outlines",
    "estimate_minutes",
]
