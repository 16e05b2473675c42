"""Nothing that runs comes through the cleaner, by whichever of its two ways."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sanitize import clean_kept, clean_shown, strip_tags

EVIL = [
    "<img src=x onerror=alert(1)>",
    '<p onerror="alert(1)">Text</p>',
    '<p onclick="alert(1)">Text</p>',
    '<a href="javascript:alert(1)">Text</a>',
    '<a href=" java\tscript:alert(1)">Text</a>',
    '<a href="data:text/html,<script>alert(1)</script>">Text</a>',
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    '<svg><animate onbegin="alert(1)" attributeName="x"></svg>',
    '<math><mtext><table><mglyph><style><img src=x onerror="alert(1)">',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<form action="https://evil.example"><button>Text</button></form>',
    '<p style="background:url(javascript:alert(1))">Text</p>',
    '<base href="https://evil.example/">',
    '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    "<!--<img src=x onerror=alert(1)>-->",
]
# As a browser reads them: an attribute or an element, not the same letters in a sentence.
TAGS = ("<script", "<img", "<svg", "<iframe", "<form", "<base", "<meta", "<style", "<!--")
ATTRIBUTES = ("javascript:", " on", " style=")


@pytest.mark.parametrize("clean", [clean_kept, clean_shown])
@pytest.mark.parametrize("html", EVIL)
def test_what_runs_is_gone(html: str, clean: Callable[[str], str]) -> None:
    cleaned = clean(f"<p>Before</p>{html}").lower()
    assert "before" in cleaned
    tags = "".join(part.split(">")[0] for part in cleaned.split("<")[1:])
    assert not [tag for tag in TAGS if tag in cleaned], cleaned
    assert not [name for name in ATTRIBUTES if name in tags], cleaned


def test_what_authors_write_stays() -> None:
    html = '<p lang="fr">Un <strong>mot</strong> et <a href="https://example.org/">un lien</a>.</p>'
    assert clean_kept(html) == clean_shown(html) == html


@given(st.lists(st.sampled_from([*EVIL, "<p>", "</p>", "<b>", "&lt;script&gt;", "words"]), max_size=6))
def test_cleaning_again_changes_nothing(parts: list[str]) -> None:
    cleaned = clean_kept("".join(parts))
    assert clean_kept(cleaned) == cleaned


def test_words_alone() -> None:
    assert strip_tags('<p>One <b onerror="x">two</b></p><script>three</script>') == "One two"
