"""One look for a word instead of twenty-five.

Django keeps the catalogue of each app apart, since it compares a plural rule with a function and never finds them
equal, and goes through all of them for every word: in English, where nearly nothing is found, to the very end. A page
asks for dozens of words. Here the catalogues of a language are laid over each other once a process, in Django's order.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import trans_real


class FlatCatalog(trans_real.TranslationCatalog):
    """Django's catalogue, with one mapping for words and one set that says which have a plural."""

    def __init__(self, catalogue: Any) -> None:
        self._catalogs = catalogue._catalogs
        self._plurals = catalogue._plurals
        self._flat: dict[Any, str] = {}
        for one in reversed(self._catalogs):
            self._flat.update(one)
        self._numbered = {key[0] for key in self._flat if isinstance(key, tuple)}

    def __getitem__(self, key: Any) -> str:
        return self._flat[key]

    def __contains__(self, key: Any) -> bool:
        return key in self._flat

    def get(self, key: Any, default: Any = None) -> Any:
        return self._flat.get(key, default)

    def plural(self, msgid: str, num: int) -> Any:
        if msgid not in self._numbered:
            raise KeyError(msgid)
        return super().plural(msgid, num)


def flatten_catalogues(language: str) -> None:
    """Lay the catalogues of a language over each other, where that was not done yet. Costs one comparison then."""
    translation: Any = trans_real.translation(language)
    while translation is not None:
        catalogue = getattr(translation, "_catalog", None)
        if isinstance(catalogue, FlatCatalog):
            return
        if isinstance(catalogue, trans_real.TranslationCatalog):
            translation._catalog = FlatCatalog(catalogue)
        translation = getattr(translation, "_fallback", None)
