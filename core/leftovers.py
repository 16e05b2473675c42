"""Private files that are nobody's: no row names them, so that nothing would ever erase them.

An upload is on the disk before its row is; where the row is refused then, or the process dies, the file stays alone.
A backup does not keep such a file (`core.backup.files.Store`); here it goes after a week.
"""

from __future__ import annotations

import logging
import time
from typing import Final

from core.backup.files import PASSING, Store, find_references, list_stores, walk
from core.storage import COMING

log = logging.getLogger(__name__)

# A row is written within seconds of its file; a week leaves time to see that something is wrong with the database.
KEEP_SECONDS: Final = 7 * 86_400
# What is still coming in after a day comes from a process that is gone.
COMING_SECONDS: Final = 86_400
LOOK_EVERY_SECONDS: Final = 86_400


def delete_leftovers(*, now: float | None = None) -> int:
    """Delete private files that no row has named for a week; how many. `now` is in seconds since the epoch."""
    now = time.time() if now is None else now
    stores = list_stores()
    private = [store for store in stores if store.private]
    # Found before the rows are read: a row that is written meanwhile names its file.
    found = {
        store.alias: [
            name
            for name, state in walk(store.root)
            if now - state.st_mtime > KEEP_SECONDS and not name.startswith(PASSING)
        ]
        for store in private
    }
    named = find_references(stores) if any(found.values()) else {}
    count = 0
    for store in private:
        nobodys = [name for name in found[store.alias] if name not in named[store.alias]]
        for name in nobodys:
            (store.root / name).unlink(missing_ok=True)
        count += len(nobodys)
        count += _delete_parts(store, before=now - COMING_SECONDS)
    if count:
        log.info("%d private files that no row named were deleted.", count)
    return count


def _delete_parts(store: Store, *, before: float) -> int:
    """Delete what a process that was killed had begun to write."""
    parts = [path for path in (store.root / COMING).glob("*") if path.stat().st_mtime < before]
    for path in parts:
        path.unlink(missing_ok=True)
    return len(parts)


class DailyLook:
    """`delete_leftovers` as a chore of the workers: once a day in each, beginning with the second day."""

    def __init__(self) -> None:
        self._looked = time.monotonic()

    def __call__(self) -> int:
        if time.monotonic() - self._looked < LOOK_EVERY_SECONDS:
            return 0
        self._looked = time.monotonic()
        return delete_leftovers()
