"""The API answers as its own document says, whoever asks and whatever is asked: no failure, nothing undocumented.

Requests are made from the document by Schemathesis, the same ones in every run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests import conftest
from tests.config.routes import ROLES, World

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# A tenth of what a property gets: there are hundreds of operations and roles.
EXAMPLES: Final = max(1, conftest.EXAMPLES // 10)


@pytest.fixture
def operations(_nothing_stays: None) -> dict[str, Any]:
    """Every operation of the document, by method and path."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/", get_wsgi_application())
    found = [result.ok() for result in schema.get_all_operations()]
    return {f"{operation.method.upper()} {operation.path}": operation for operation in found}


@pytest.fixture(autouse=True)
def _nothing_stays(world: World) -> Iterator[None]:
    # A server leaves no transaction open between requests; these tests do, and take back what was done.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_the_document_has_every_address_of_the_api(operations: dict[str, Any]) -> None:
    from config.api import urlpatterns

    names = {pattern.name for pattern in urlpatterns} - {"api_schema", "api_unknown"}
    assert len(operations) == len(names)


@pytest.mark.parametrize("code", ROLES)
def test_every_answer_is_one_that_the_document_knows(
    world: World, operations: dict[str, Any], code: str
) -> None:
    client = world.clients[code]
    known = _known_values(world)
    for operation in operations.values():
        headers = {"Accept-Language": "fr" if code in ("lrn", "reg") else "en"}
        cookies = {name: morsel.value for name, morsel in client.cookies.items()}

        _ask_often(operation, headers=headers, cookies=cookies)
        # And once with what is really there.
        case = operation.Case(path_parameters={**known.get(operation.path, {})})
        if operation.method == "post":
            case.body, case.media_type = {"numbers": [world.keys["number"], "2026-1"]}, "application/json"
        answer = case.call_and_validate(checks=CHECKS, headers=headers, cookies=cookies)
        if operation.path.endswith("/learners/"):
            # So that it is known that it was asked as this person.
            assert (answer.status_code == 200) == (code in ("ins", "adm"))


def _ask_often(operation: Any, **how: Any) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        cache.clear()
        case.call_and_validate(checks=CHECKS, **how)

    ask()


def _known_values(world: World) -> dict[str, dict[str, str]]:
    return {
        "/api/v1/courses/{slug}/": {"slug": world.keys["course"]},
        "/api/v1/offerings/{slug}/learners/": {"slug": world.keys["offering"]},
        "/api/v1/certificates/{reference}/": {"reference": world.keys["number"]},
    }
