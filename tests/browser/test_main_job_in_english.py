"""The main job in English at a desk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.main_job import DESKTOP, do_the_main_job


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)])
@pytest.mark.needs("pdfsig", "pdftotext")
def test_the_main_job(
    seeded_site: None, make_page: Callable[..., Any], tmp_path: Path, mailoutbox: list[Any], whole: bool
) -> None:
    do_the_main_job(make_page, folder=tmp_path, language="en", screen=DESKTOP, whole=whole)
