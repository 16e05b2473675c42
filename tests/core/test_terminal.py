"""Which language a command speaks."""

import pytest

from core.terminal import terminal_language


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "fr_CA.UTF-8"}, "fr"),
        ({"LANG": "fr_CA.UTF-8", "LC_ALL": "en_CA.UTF-8"}, "en"),
        ({"LANG": "en_CA.UTF-8", "LC_MESSAGES": "fr_CA.UTF-8", "LC_ALL": ""}, "fr"),
    ],
)
def test_a_command_speaks_as_the_terminal_does(environ: dict[str, str], language: str) -> None:
    assert terminal_language(environ) == language
