"""Every planted fault finds its place: `make mutants` takes too long to tell only then that the code has moved."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from tests.mutants import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_it_can_be_planted(mutant: Mutant) -> None:
    root = Path(settings.BASE_DIR)
    assert (root / mutant.path).read_text(encoding="utf-8").count(mutant.old) == 1
    assert (root / mutant.tests[0].partition("::")[0]).exists()
