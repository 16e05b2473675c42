"""Pages are packed for the way, but never where their size could tell a secret."""

from __future__ import annotations

import gzip

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from core.packing import MOST_PADDING, PackingMiddleware, pack

WORDS = "Prevent crime and harm in a small place. " * 100


def answer(
    path: str = "/en/learn/x/", *, accepts: str = "gzip, deflate, br", **given: object
) -> HttpResponse:
    request = RequestFactory().get(path, headers={"accept-encoding": accepts})
    return PackingMiddleware(lambda _request: HttpResponse(WORDS, **given))(request)


@given(st.binary(max_size=5_000))
def test_what_is_packed_comes_out_as_it_was(content: bytes) -> None:
    assert gzip.decompress(pack(content)) == content


def test_the_size_is_blurred() -> None:
    sizes = {len(pack(WORDS.encode())) for _ in range(200)}
    assert len(sizes) > 20
    assert max(sizes) - min(sizes) < MOST_PADDING


def test_a_page_is_packed_for_who_can_unpack_it() -> None:
    packed = answer()
    assert packed["Content-Encoding"] == "gzip"
    assert packed["Content-Length"] == str(len(packed.content))
    assert len(packed.content) < 500
    assert gzip.decompress(packed.content).decode() == WORDS
    assert "Accept-Encoding" in packed["Vary"]


@pytest.mark.parametrize("accepts", ["", "identity", "br", "gzip;q=0", "br, gzip;q=0.0"])
def test_others_get_it_whole_and_caches_are_told(accepts: str) -> None:
    whole = answer(accepts=accepts)
    assert whole.content.decode() == WORDS
    assert "Content-Encoding" not in whole
    assert "Accept-Encoding" in whole["Vary"]


def test_a_strong_mark_of_the_whole_page_becomes_a_weak_one() -> None:
    assert answer(headers={"ETag": '"abc"'})["ETag"] == 'W/"abc"'


@pytest.mark.parametrize(
    "path",
    [
        "/en/trainings/?q=what+a+stranger+chose",
        "/en/accounts/2fa/totp/activate/",
        "/fr/accounts/2fa/recovery-codes/",
        "/en/my/certificates/",
        "/certificates/0f0e0d0c-0000-4000-8000-000000000000/",
        "/admin/",
        "/api/v1/",
    ],
)
def test_a_page_with_chosen_words_or_a_lasting_secret_is_not_packed(path: str) -> None:
    assert answer(path).content.decode() == WORDS


@pytest.mark.parametrize("given", [{"status": 404}, {"content_type": "application/json"}])
def test_only_pages_that_were_found_are_packed(given: dict[str, object]) -> None:
    assert answer(**given).content.decode() == WORDS


def test_a_stream_is_left_alone() -> None:
    request: HttpRequest = RequestFactory().get("/en/", headers={"accept-encoding": "gzip"})
    middleware = PackingMiddleware(lambda _request: StreamingHttpResponse([WORDS]))  # type: ignore[arg-type, return-value]
    assert "Content-Encoding" not in middleware(request)
