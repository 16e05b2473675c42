"""How much is too much, each with its reason."""

from __future__ import annotations

from typing import Final

FEWEST_WORDS: Final = 400
"""Words of a lesson, its blocks included. Below this a lesson is a remark, and belongs into another."""
MOST_WORDS: Final = {"en": 1000, "fr": 1200}
"""A lesson fits between two other duties of a working day. French takes about a fifth more words for the same."""

GRADES: Final = (3.0, 10.0)
"""Flesch–Kincaid grade of a lesson's English. Plain language for the public is grade 8 to 10 at most; below grade 3 the
sentences are fragments, and the reasons between them go missing."""
LIX: Final = (25.0, 50.0)
"""LIX of a lesson's French: below 25 stand books for small children, 30–40 is easy prose, 40–50 that of newspapers,
above 50 that of offices."""
WORDS_TO_MEASURE: Final = 150
"""The formulas were made for samples of 100 words and more; below that one long name decides."""

SEQUENCE: Final = 8
"""Words in a row. Eight agree by chance only in set phrases."""
MOST_SHARED: Final = 0.2
"""Share of the shorter lesson's sequences that another lesson may have too: room for a care note, not for a copy."""

FEWEST_QUIZ_ITEMS: Final = 8
"""With fewer, one slip moves the result by more than an eighth."""
FEWEST_QUIZ_KINDS: Final = 4
"""Choosing, ticking, judging, calculating, naming: four of them, so that no one habit of answering is enough."""
FINAL_ITEMS: Final = 20
"""Items of a final assessment as drawn."""
FEWEST_BANK_ITEMS: Final = 60
"""Three times what is drawn: a second attempt is mostly new."""

LARGEST_TOLERANCE: Final = 0.1
"""Of the answer. A wider one would take another method's result for right."""
FEWEST_FEEDBACK_WORDS: Final = 4
"""“Correct.” says what the mark has said already; feedback says why."""

WIDEST_DRAWING: Final = 656
"""Units of an SVG's viewBox: the text column of a lesson in pixels, so that a unit is a pixel there."""
SMALLEST_LETTERS: Final = 8.5
"""Pixels of a drawing's letters on a screen 320 pixels wide, where it is scaled down with its viewBox."""
