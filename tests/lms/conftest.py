"""What most tests of the instructor's desk begin with."""

from __future__ import annotations

import pytest

from accounts.models import Organization, User
from tests.lms.desk import Desk, make_desk


@pytest.fixture
def desk(instructor: User, college: Organization) -> Desk:
    """An offering that the cast's instructor teaches; nobody is in it yet."""
    return make_desk(college)
