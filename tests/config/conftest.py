"""What the tests of the whole site share: one world with an object of each kind, made once a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.config.routes import World, make_quiet_world


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once; whatever a request changes is taken back after it."""
    with django_db_blocker.unblock():
        yield from make_quiet_world()
