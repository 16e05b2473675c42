"""Python's garbage collector, which every process of the site lets look seldom (`config.settings`)."""

from __future__ import annotations

import gc
from typing import Final

# Drawing a page makes and forgets tens of thousands of small things; looking at them took a seventh of its time.
# What is forgotten in a circle waits a little longer.
SELDOM: Final = (20_000, 50, 50)


def spare_the_collector() -> None:
    """Keep it from looking at what is there now, which every page and task shares until the process is stopped."""
    gc.collect()
    gc.freeze()
