"""Lessons as they are rendered: nothing unclean comes through, and each block says what it is."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file

from core.errors import InvalidInput
from modules.assets import make_asset, store_asset
from modules.blocks import LessonBody
from modules.markdown import make_pieces, make_rich_text, split_blocks
from modules.pages import LessonPage
from modules.render import clean_rich_text, plain_text, render_lesson
from modules.svg import clean_svg
from standards.packs_loader import PackError
from tests.factories.modules import FIGURE, block, items, text


def render(*blocks: dict[str, Any], language: str = "en") -> Any:
    body = LessonPage(title="A", body=json.dumps(list(blocks))).body
    return render_lesson(body=body, language=language, sources={})


def html_of(*blocks: dict[str, Any], language: str = "en") -> str:
    (segment,) = render(*blocks, language=language).segments
    assert segment["type"] == "html"
    return str(segment["html"])


EVIL = '<img src=x onerror="alert(1)"><script>alert(1)</script><a href="javascript:alert(1)">x</a>'


@pytest.mark.parametrize(
    "made",
    [
        text(f"<p>{EVIL}</p>"),
        block("callout", tone="practice", title=EVIL, body=f"<p>{EVIL}</p>"),
        block("case_study", title=EVIL, place=EVIL, body=f"<p>{EVIL}</p>", questions=items([EVIL])),
        block("quotation", body=f"<p>{EVIL}</p>", attribution=EVIL, source=""),
        block("definition", term=EVIL, body=f"<p>{EVIL}</p>"),
        block("accordion", items=items([{"title": EVIL, "body": f"<p>{EVIL}</p>"}])),
        block("table", caption=EVIL, header=items([EVIL]), rows=items([items([EVIL])])),
    ],
)
def test_no_block_lets_markup_through(made: dict[str, Any]) -> None:
    html = html_of(made)
    # What was typed as text may be read, but nothing of it is an element or an attribute.
    for sign in ("<img", "<script", 'href="javascript', '" onerror'):
        assert sign not in html, sign


def test_headings_leave_no_level_out() -> None:
    callout = block("callout", tone="care", title="Mind this", body="<p>a</p>")
    assert "<h2>" in html_of(callout)
    assert "</svg> Mind this</h3>" in html_of(text("<h2>First</h2>"), callout)


def test_words_of_our_own_are_in_the_lessons_language() -> None:
    note = block("callout", tone="note", title="", body="<p>a</p>")
    assert "Note</h2>" in html_of(note)
    assert html_of(note, language="fr").startswith('<section class="callout note">')


def test_bold_and_italic_are_meant_as_stress() -> None:
    assert clean_rich_text('<p data-block-key="a1"><b>a</b> <i>b</i></p>') == (
        "<p><strong>a</strong> <em>b</em></p>"
    )


@given(st.text(max_size=200))
def test_cleaned_text_is_a_fixpoint(source: str) -> None:
    html = clean_rich_text(f"<p>{source}</p>")
    assert clean_rich_text(html) == html


def test_plain_text_keeps_words_apart() -> None:
    assert plain_text("<p>a&amp;b</p><p>c</p>") == "a&b c"


def test_two_parts_with_one_key_are_a_problem() -> None:
    lesson = render(
        block("reflection", "same", prompt="A?", help="", required=False),
        block("reflection", "same", prompt="B?", help="", required=False),
    )
    assert lesson.problems == ["Two parts have the key “same”. Give one of them another key."]


def test_a_part_without_a_key_takes_its_blocks_id() -> None:
    made = block("reflection", prompt="A?", help="", required=True)
    lesson = render(made)
    assert [part.key for part in lesson.parts] == [made["id"]]


# --- Drawings -----------------------------------------------------------------------------------------------------


def test_a_drawing_keeps_its_shape_and_loses_what_runs() -> None:
    svg = b"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
      viewBox="0 0 9 9" width="9" height="9" onload="alert(1)" style="x" aria-labelledby="t d">
      <title id="t">T</title><desc id="d">D</desc>
      <script>alert(1)</script><foreignObject><p>x</p></foreignObject><image href="http://else.example/x.png"/>
      <a href="javascript:alert(1)"><path d="M0 0"/></a><defs><linearGradient id="g"/></defs>
      <use xlink:href="#t"/><use href="http://else.example/#x"/>
      <rect fill="url(#g)" stroke="url(http://else.example)"/>
      <text>Nine <tspan>counts</tspan></text></svg>"""
    html = clean_svg(svg, prefix="figure-a")
    for sign in ("alert", "script", "foreignObject", "<image", "else.example", "style", 'width="9"', "<a "):
        assert sign not in html, sign
    assert 'id="figure-a-t"' in html
    assert 'aria-labelledby="figure-a-t figure-a-d"' in html
    assert 'href="#figure-a-t"' in html
    assert 'fill="url(#figure-a-g)"' in html
    assert "<tspan>counts</tspan>" in html
    assert clean_svg(html.encode(), prefix="b").count("figure-a") == html.count("figure-a")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"no drawing", "cannot|not an SVG file that can be read"),
        (b"<html/>", "not an SVG file"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "no viewBox"),
        (
            b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>',
            "document type",
        ),
        (b" " * (600 * 1024), "larger than 512 kB"),
    ],
)
def test_what_is_no_drawing_is_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        clean_svg(content, prefix="a")


# --- Files --------------------------------------------------------------------------------------------------------


# Wagtail leaves the spooled file of a new rendition to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.django_db
def test_figures_pictures_video_and_audio_take_their_files_along() -> None:
    documents, images = get_document_model(), get_image_model()

    def keep(name: str, content: bytes) -> int:
        return documents.objects.create(title=name, file=ContentFile(content, name=name)).pk

    picture = images.objects.create(title="Main street.png", file=get_test_image_file(filename="street.png"))
    lesson = render(
        block(
            "figure",
            "ten",
            svg=keep("ten.svg", FIGURE.encode()),
            caption="Ten years",
            equivalent=[{"type": "text", "id": str(uuid.uuid4()), "value": "<p>Nine.</p>"}],
        ),
        block("picture", image=picture.pk, alt="A street", decorative=False, caption="", credit="M. Roy"),
        block(
            "video",
            "talk",
            title="A talk",
            file=keep("talk.mp4", b"film"),
            url="",
            captions=keep("talk.vtt", b"WEBVTT"),
            transcript="<p>Words.</p>",
            minutes=3,
        ),
        block("audio", "voice", title="A voice", file=keep("voice.mp3", b"sound"), transcript="<p>Said.</p>"),
    )
    assert lesson.problems == []
    html, video, audio = lesson.segments
    assert "<svg" in html["html"]
    assert 'alt="A street"' in html["html"]
    assert 'loading="lazy"' in html["html"]
    assert "Credit: M. Roy" in html["html"]
    assert [asset.name for asset in lesson.assets] == ["main-street.png", "talk.mp4", "talk.vtt", "voice.mp3"]
    assert (video["file"], video["captions"], video["url"]) == ("talk.mp4", "talk.vtt", "")
    assert video["file_url"] == lesson.assets[1].url
    assert audio["transcript_html"] == "<p>Said.</p>"
    assert lesson.parts == []


@pytest.mark.django_db
def test_a_file_that_is_gone_is_a_problem() -> None:
    lesson = render(block("document", title="The sheet", file=None, description=""))
    assert lesson.problems == ["“The sheet” has no file any more. Choose it again, or take the block away."]


@pytest.mark.django_db
def test_files_of_editions_are_served_for_ever_and_in_parts(client: Client) -> None:
    asset = make_asset(name="talk.mp4", content=b"0123456789")
    store_asset(asset)
    store_asset(asset)
    whole = client.get(asset.url)
    assert b"".join(whole.streaming_content) == b"0123456789"
    assert "immutable" in whole["Cache-Control"]
    assert "sandbox" in whole["Content-Security-Policy"]
    part = client.get(asset.url, headers={"range": "bytes=2-4"})
    assert (part.status_code, part["Content-Range"]) == (206, "bytes 2-4/10")
    assert b"".join(part.streaming_content) == b"234"
    tail = client.get(asset.url, headers={"range": "bytes=-3"})
    assert b"".join(tail.streaming_content) == b"789"
    assert client.get(asset.url, headers={"range": "bytes=50-60"}).status_code == 416
    assert client.get("/media/editions/nothing.pdf").status_code == 404
    assert client.get("/media/editions/..%2fsecret.txt").status_code == 404
    sheet = make_asset(name="sheet.csv", content=b"a,b")
    store_asset(sheet)
    download = client.get(sheet.url)
    assert download["Content-Disposition"] == "attachment"
    download.close()
    with pytest.raises(ValueError, match=r"page\.html"):
        make_asset(name="page.html", content=b"<p>")
    assert default_storage.exists(asset.file)


# --- Pack Markdown ------------------------------------------------------------------------------------------------


def test_markdown_becomes_what_the_editor_writes() -> None:
    source = "A **bold** and *slanted*\nline.\n\n## Two\n\n- one\n- two\n\n1. a\n2. b"
    html = make_rich_text(source, place="x", headings=("h2", "h3"))
    assert html == (
        "<p>A <b>bold</b> and <i>slanted</i> line.</p><h2>Two</h2><ul><li>one</li><li>two</li></ul>"
        "<ol><li>a</li><li>b</li></ol>"
    )
    assert make_rich_text("## Two", place="x", headings=("h3",)) == "<h3>Two</h3>"


def test_a_table_in_a_text_is_a_block_of_its_own() -> None:
    pieces = make_pieces("Before.\n\n| A | B |\n| --- | --- |\n| 1 | 2 |\n\nAfter.", place="x")
    assert pieces == [
        ("text", "<p>Before.</p>"),
        ("table", {"header": ["A", "B"], "rows": [["1", "2"]]}),
        ("text", "<p>After.</p>"),
    ]


@pytest.mark.parametrize(
    "source", ["> said", "![x](y.png)", "```\nx\n```", "`x`", "***", "# One", "- a\n\n  b"]
)
def test_what_the_editor_cannot_hold_is_refused(source: str) -> None:
    with pytest.raises(PackError, match=r"^x"):
        make_rich_text(source, place="x", headings=("h2", "h3"))


def test_raw_html_is_only_text() -> None:
    assert "<script" not in make_rich_text("a <script>b</script>", place="x")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("Text.\n\n::: reflection a\nprompt: x", "f, line 9 .reflection a.*not closed"),
        ("::: reflection\nprompt: x\n:::", "f, line 7 .*needs a key"),
        ("::: callout a\ntone: note\n:::", "line of three hyphens is missing"),
        ("::: callout a\ntone: note\n---\n:::", "the text after the three hyphens is missing"),
        ("::: reflection a\nprompt: [\n:::", "cannot be read"),
        ("::: reflection a\njust text\n:::", "names and values"),
        ("::: reflection a\nprompt: x\n:::\n::: reflection a\nprompt: y\n:::", "two blocks"),
    ],
)
def test_a_broken_block_names_its_line(source: str, sentence: str) -> None:
    with pytest.raises(PackError, match=f"(?s){sentence}"):
        split_blocks(source, file="f", first_line=7)


def test_every_kind_of_block_can_be_rendered() -> None:
    from modules.render import RENDERERS

    assert set(RENDERERS) == set(LessonBody().child_blocks)
