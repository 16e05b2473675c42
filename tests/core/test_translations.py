"""The catalogues laid over each other say what Django's own say."""

from __future__ import annotations

from copy import copy
from typing import Any

import pytest
from django.utils.translation import trans_real

from core.translations import FlatCatalog, flatten_catalogues


def catalogue_of(language: str) -> Any:
    translation: Any = trans_real.DjangoTranslation(language)
    return translation._catalog


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_word_is_the_same(language: str) -> None:
    own = catalogue_of(language)
    flat = FlatCatalog(own)
    keys = set(own.keys())
    assert len(keys) > 10 or language == "en"
    assert {key: flat.get(key) for key in keys} == {key: own.get(key) for key in keys}
    assert all(key in flat and flat[key] == own[key] for key in keys)
    assert flat.get("no such word", "default") == "default"
    for word in {key[0] for key in keys if isinstance(key, tuple)}:
        for number in (0, 1, 2, 5, 1_000_000):
            assert flat.plural(word, number) == own.plural(word, number)
    with pytest.raises(KeyError):
        flat.plural("no such word", 2)


def test_it_is_done_once_and_through_the_fallbacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trans_real, "_translations", copy(trans_real._translations))
    trans_real._translations.pop("fr", None)
    flatten_catalogues("fr")
    made: Any = trans_real.translation("fr")
    assert isinstance(made._catalog, FlatCatalog)
    first = made._catalog
    flatten_catalogues("fr")
    assert made._catalog is first
    assert made.gettext("Complete") != ""
