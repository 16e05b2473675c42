"""What the tests of the whole site share: one world with an object of each kind, made once a file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from tests.config.routes import World, make_world


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once; whatever a request changes is taken back after it."""
    logging.disable(logging.CRITICAL)
    with (
        django_db_blocker.unblock(),
        override_settings(STAFF_SECOND_FACTOR=True),
        transaction.atomic(),
    ):
        made = make_world()
        for client in made.clients.values():
            client.raise_request_exception = False
        yield made
        transaction.set_rollback(True)
    logging.disable(logging.NOTSET)
