"""Python's garbage collector, for processes that serve pages or run tasks until they are stopped."""

from __future__ import annotations

import gc
from typing import Final

SELDOM: Final = (20_000, 50, 50)


def spare_the_collector() -> None:
    """Let it look more seldom, and not at what every page and task shares.

    Drawing a page makes and forgets tens of thousands of small things; looking at them takes a seventh of its time.
    What is forgotten in a circle waits a little longer.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SELDOM)
