"""One lesson in one language: from the blocks that an author edits to the segments that a reader gets.

Everything an author typed is escaped or cleaned here, piece by piece, and put into markup of our own; so the
whole is safe to serve as it stands. The same renderer makes the preview of a page and the text of an edition,
so an author sees what a learner will.
"""

from __future__ import annotations

import html as html_module
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from django.utils import translation
from django.utils.formats import number_format
from django.utils.html import escape
from django.utils.text import slugify
from django.utils.translation import gettext as _
from wagtail.rich_text import expand_db_html

from core.errors import DomainError
from core.sanitize import clean_kept
from modules.assets import Asset, make_asset
from modules.blocks import INTERACTIVE_KINDS
from modules.citations import Citations, find_citations
from modules.documents import Part
from modules.svg import clean_svg
from standards.models import Source

PICTURE_SIZE: Final = "max-1360x1360"
# Drawn into the text, since the address of a sprite changes with each release and an edition does not.
_ICONS: Final = {
    "download": "M8.9 2h2.2v7.3l2.8-2.8 1.5 1.6-5.4 5.4-5.4-5.4 1.5-1.6 2.8 2.8ZM3 15.8h14V18H3Z",
    "practice": "M10 19V9.5C4.5 9.5 2 6.5 2 2c5 0 7.6 2 8.2 5.4C11 5 13.5 4 18 4c0 4.5-2.5 7-6 7v8Z",
    "note": "M10 0a10 10 0 1 1 0 20 10 10 0 0 1 0-20ZM8.9 4.5v2.3h2.2V4.5Zm0 4v7h2.2v-7Z",
    "care": "M10 1 20 19H0Zm-1.1 6v6h2.2V7Zm0 7.4v2.2h2.2v-2.2Z",
}
_TAGS = re.compile(r"<[^>]*>")
_STRESS = re.compile(r"<(/?)(b|i)>")
_SPACES = re.compile(r"\s+")


@dataclass
class RenderedLesson:
    """What a lesson became: `StepContent`'s fields, the parts a learner fills in, files and problems."""

    segments: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, Any] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    shapes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sources: list[dict[str, Any]] = field(default_factory=list)
    assets: list[Asset] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The words alone, for search."""
        return " ".join(filter(None, (_words_of(segment) for segment in self.segments)))


def draw_icon(name: str) -> str:
    """A small drawing beside a text; a screen reader passes over it."""
    return (
        '<svg class="icon" aria-hidden="true" viewBox="0 0 20 20">'
        f'<path fill-rule="evenodd" d="{_ICONS[name]}"/></svg>'
    )


def plain_text(html: str) -> str:
    """The words of an HTML text, one space between."""
    return _SPACES.sub(" ", html_module.unescape(_TAGS.sub(" ", html))).strip()


def _words_of(segment: Mapping[str, Any]) -> str:
    match segment["type"]:
        case "html":
            return plain_text(segment["html"])
        case "check":
            return " ".join([segment["prompt"], *(option["text"] for option in segment["options"])])
        case "worksheet":
            fields = " ".join(f"{entry['label']} {entry['help']}" for entry in segment["fields"])
            return f"{segment['title']} {segment['intro']} {fields}"
        case "video" | "audio":
            return f"{segment['title']} {plain_text(segment['transcript_html'])}"
    return f"{segment['prompt']} {segment['help']}"


def cited_in(body: Any) -> set[str]:
    """Every short name cited in a lesson's body. No query."""
    found: set[str] = set()

    def search(value: Any) -> None:
        if isinstance(value, str):
            found.update(find_citations(value))
        elif isinstance(value, Mapping):
            found.update(filter(None, [value.get("source")] if isinstance(value.get("source"), str) else []))
            for entry in value.values():
                search(entry)
        elif isinstance(value, list | tuple):
            for entry in value:
                search(entry)

    search(body.get_prep_value())
    return found


def clean_rich_text(value: Any) -> str:
    """An author's rich text as it is kept in an edition: links resolved, cleaned, bold and italic meant as stress."""
    source = getattr(value, "source", value) or ""
    html = clean_kept(expand_db_html(source)) if source else ""
    return _STRESS.sub(lambda found: f"<{found[1]}{'strong' if found[2] == 'b' else 'em'}>", html)


def render_lesson(*, body: Any, language: str, sources: Mapping[str, Source]) -> RenderedLesson:
    """Renders a lesson's body. Queries: those of the files and pictures that it shows, no other.

    What is wrong is gathered in `problems`, as sentences in the language of whoever asks.
    """
    return LessonRenderer(language=language, sources=sources).render(body)


def part_key(block: Any, number: int) -> str:
    """The key of a block: its own, or else its id. A block that was never saved has its place."""
    own = block.value.get("key") if isinstance(block.value, Mapping) else ""
    return str(own or block.id or f"block-{number}")


def item_key(entry: Any, number: int) -> str:
    """The key of an option or a field: its own, or else the id of its place in the list."""
    return str(entry.value.get("key") or entry.id or number)


class LessonRenderer:
    """Renders the blocks of one lesson in one language."""

    def __init__(self, *, language: str, sources: Mapping[str, Source]) -> None:
        self.asked_in = translation.get_language() or language
        self.language = language
        self.citations = Citations(language, sources)
        self.lesson = RenderedLesson()
        self.saw_h2 = False

    def render(self, body: Any) -> RenderedLesson:
        with translation.override(self.language):
            for number, block in enumerate(body):
                kind = block.block_type
                key = part_key(block, number)
                try:
                    result = RENDERERS[kind](self, block.value, key)
                except DomainError as error:
                    self._complain(str(error))
                    continue
                if isinstance(result, str):
                    self._add_html(result)
                else:
                    self.lesson.segments.append(result)
                if kind in INTERACTIVE_KINDS:
                    self._add_part(kind, key, block.value)
            self.lesson.sources = self.citations.describe()
        for slug in self.citations.unknown:
            self._complain_about("unknown_source", slug=slug)
        return self.lesson

    def _complain(self, sentence: str) -> None:
        if sentence not in self.lesson.problems:
            self.lesson.problems.append(sentence)

    def _complain_about(self, code: str, **params: Any) -> None:
        with translation.override(self.asked_in):
            sentences = {
                "unknown_source": _(
                    "The source “%(slug)s” is cited, but there is none with that short name. "
                    "Add it to the sources, or mend the name."
                ),
                "same_key": _("Two parts have the key “%(key)s”. Give one of them another key."),
                "no_file": _("“%(title)s” has no file any more. Choose it again, or take the block away."),
                "file_kind": _("“%(name)s” is not a kind of file that a lesson can hold."),
                "cited_in_question": _(
                    "A source is cited inside the question “%(key)s”, where it cannot be a link. "
                    "Cite it in the text beside it."
                ),
            }
            self._complain(sentences[code] % params)

    def _add_html(self, html: str) -> None:
        segments = self.lesson.segments
        if segments and segments[-1]["type"] == "html":
            segments[-1]["html"] += "\n" + html
        elif html:
            segments.append({"type": "html", "html": html})

    def _add_part(self, kind: str, key: str, value: Any) -> None:
        if any(part.key == key for part in self.lesson.parts):
            self._complain_about("same_key", key=key)
            return
        self.lesson.parts.append(Part(key=key, kind=kind, required=bool(value.get("required"))))
        segment = self.lesson.segments[-1]
        entries = segment.get("options") or segment.get("fields") or []
        self.lesson.shapes[key] = tuple(entry["key"] for entry in entries)
        if "[^" in _words_of(segment):
            self._complain_about("cited_in_question", key=key)

    # --- Files ------------------------------------------------------------------------------------------------

    def _read(self, opened: Any, title: str) -> Asset | None:
        """Copies a stored file into the edition, under a name made from its title: storage may have changed its own."""
        extension = PurePosixPath(opened.name).suffix.lower()
        name = f"{slugify(PurePosixPath(title).stem) or 'file'}{extension}"
        try:
            with opened.open("rb") as stream:
                content = stream.read()
        except FileNotFoundError:
            self._complain_about("no_file", title=name)
            return None
        try:
            asset = make_asset(name=name, content=content)
        except ValueError:
            self._complain_about("file_kind", name=name)
            return None
        if all(kept.file != asset.file for kept in self.lesson.assets):
            self.lesson.assets.append(asset)
        return asset

    def _read_document(self, document: Any, title: str) -> Asset | None:
        if document is None:
            self._complain_about("no_file", title=title)
            return None
        return self._read(document.file, document.title)

    # --- Pieces -----------------------------------------------------------------------------------------------

    def _rich(self, value: Any) -> str:
        return self.citations.link(clean_rich_text(value))

    def _plain(self, text: str | None) -> str:
        return self.citations.link_text(text or "")

    def _heading(self, text: str, *, icon: str = "") -> str:
        """A heading one deeper than the lesson's own, so that no level is left out."""
        level = 3 if self.saw_h2 else 2
        drawn = f"{draw_icon(icon)} " if icon else ""
        return f"<h{level}>{drawn}{self._plain(text)}</h{level}>"

    def _table(self, value: Mapping[str, Any], caption: str) -> str:
        label = plain_text(caption) or _("Table")
        head = "".join(f'<th scope="col">{self._plain(cell)}</th>' for cell in value["header"])
        rows = "".join(
            "<tr>"
            + "".join(
                f'<th scope="row">{self._plain(cell)}</th>' if place == 0 else f"<td>{self._plain(cell)}</td>"
                for place, cell in enumerate(row)
            )
            + "</tr>"
            for row in value["rows"]
        )
        said = f"<caption>{caption}</caption>" if caption else ""
        return (
            f'<div class="table-scroll" role="region" tabindex="0" aria-label="{escape(label)}"><table>{said}'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        )

    # --- Blocks that are read ---------------------------------------------------------------------------------

    def render_text(self, value: Any, key: str) -> str:
        html = self._rich(value)
        self.saw_h2 = self.saw_h2 or "<h2" in html
        return html

    def render_callout(self, value: Any, key: str) -> str:
        tone = value["tone"]
        title = (
            value["title"]
            or {"practice": _("From practice"), "note": _("Note"), "care": _("Take care")}[tone]
        )
        heading = self._heading(title, icon=tone)
        return f'<section class="callout {escape(tone)}">{heading}{self._rich(value["body"])}</section>'

    def render_case_study(self, value: Any, key: str) -> str:
        # Words of our own stand outside the f-strings, where the tools that gather messages find them.
        kind, think = escape(_("Case study")), escape(_("To think through"))
        kicker = f'<p class="kicker">{kind} · {self._plain(value["place"])}</p>'
        questions = "".join(f"<li>{self._plain(question)}</li>" for question in value["questions"])
        asked = f"<p><b>{think}</b></p><ol>{questions}</ol>" if questions else ""
        told = f"{self._heading(value['title'])}{self._rich(value['body'])}{asked}"
        return f'<section class="case">{kicker}{told}</section>'

    def render_quotation(self, value: Any, key: str) -> str:
        said_by = self._plain(value["attribution"]) + self.citations.cite(value["source"])
        return (
            f'<figure class="quote"><blockquote>{self._rich(value["body"])}</blockquote>'
            f"<figcaption>{said_by}</figcaption></figure>"
        )

    def render_definition(self, value: Any, key: str) -> str:
        return (
            f'<dl class="definition"><dt>{self._plain(value["term"])}</dt>'
            f"<dd>{self._rich(value['body'])}</dd></dl>"
        )

    def render_accordion(self, value: Any, key: str) -> str:
        return "".join(
            f'<details class="fold"><summary><span>{self._plain(entry["title"])}</span></summary>'
            f'<div class="prose">{self._rich(entry["body"])}</div></details>'
            for entry in value["items"]
        )

    def render_table(self, value: Any, key: str) -> str:
        return self._table(value, self._plain(value["caption"]))

    def render_picture(self, value: Any, key: str) -> str:
        image = value["image"]
        if image is None:
            self._complain_about("no_file", title=value["caption"] or _("Picture"))
            return ""
        rendition = image.get_rendition(PICTURE_SIZE)
        asset = self._read(rendition.file, image.title)
        if asset is None:
            return ""
        alt = "" if value["decorative"] else escape(value["alt"])
        credited = escape(_("Credit:"))
        credit = f" <small>{credited} {self._plain(value['credit'])}</small>" if value["credit"] else ""
        caption = self._plain(value["caption"]) + credit
        said = f"<figcaption>{caption}</figcaption>" if caption else ""
        return (
            f'<figure><img src="{asset.url}" alt="{alt}" width="{rendition.width}" height="{rendition.height}"'
            f' loading="lazy" decoding="async">{said}</figure>'
        )

    def render_figure(self, value: Any, key: str) -> str:
        document = value["svg"]
        if document is None:
            self._complain_about("no_file", title=value["caption"])
            return ""
        with document.file.open("rb") as stream:
            content = stream.read()
        with translation.override(self.asked_in):
            drawing = clean_svg(content, prefix=f"figure-{slugify(key)}", label=value["caption"])
        equivalent = "".join(
            self._table(block.value, "") if block.block_type == "table" else self._rich(block.value)
            for block in value["equivalent"]
        )
        invitation = escape(_("Read it in words"))
        return (
            f'<figure class="ruled">{drawing}<figcaption>{self._plain(value["caption"])}</figcaption>'
            f'<details class="fold"><summary><span>{invitation}</span></summary>'
            f'<div class="prose">{equivalent}</div></details></figure>'
        )

    def render_document(self, value: Any, key: str) -> str:
        asset = self._read_document(value["file"], value["title"])
        if asset is None:
            return ""
        about = escape(f"{asset.extension.upper()}, {format_size(asset.size)}")
        described = f" {self._plain(value['description'])}" if value["description"] else ""
        return (
            f'<p class="download">{draw_icon("download")}<a href="{asset.url}" download="{escape(asset.name)}">'
            f"{self._plain(value['title'])}</a><small>{about}.{described}</small></p>"
        )

    # --- Blocks that are watched, heard or filled in ----------------------------------------------------------

    def render_video(self, value: Any, key: str) -> dict[str, Any]:
        file = self._read_document(value["file"], value["title"]) if not value["url"] else None
        captions = self._read_document(value["captions"], value["title"]) if value["captions"] else None
        return {
            "type": "video",
            "key": key,
            "title": value["title"],
            "url": value["url"] or "",
            "file": file.name if file else "",
            "file_url": file.url if file else "",
            "captions": captions.name if captions else "",
            "captions_url": captions.url if captions else "",
            "transcript_html": self._rich(value["transcript"]),
            "minutes": value["minutes"],
        }

    def render_audio(self, value: Any, key: str) -> dict[str, Any]:
        file = self._read_document(value["file"], value["title"])
        return {
            "type": "audio",
            "key": key,
            "title": value["title"],
            "file": file.name if file else "",
            "file_url": file.url if file else "",
            "transcript_html": self._rich(value["transcript"]),
        }

    def render_reflection(self, value: Any, key: str) -> dict[str, Any]:
        return {
            "type": "reflection",
            "key": key,
            "prompt": value["prompt"],
            "help": value["help"] or "",
            "required": bool(value["required"]),
        }

    def render_check(self, value: Any, key: str) -> dict[str, Any]:
        options = [
            (item_key(entry, place), entry.value) for place, entry in enumerate(value["options"].bound_blocks)
        ]
        self.lesson.keys[key] = {
            "correct": [name for name, option in options if option["correct"]],
            "feedback": {name: option["feedback"] or "" for name, option in options},
        }
        return {
            "type": "check",
            "key": key,
            "prompt": value["prompt"],
            "kind": value["kind"],
            "required": bool(value["required"]),
            "options": [{"key": name, "text": option["text"]} for name, option in options],
        }

    def render_worksheet(self, value: Any, key: str) -> dict[str, Any]:
        return {
            "type": "worksheet",
            "key": key,
            "title": value["title"],
            "intro": value["intro"] or "",
            "fields": [
                {
                    "key": item_key(entry, place),
                    "label": entry.value["label"],
                    "help": entry.value["help"] or "",
                    "rows": entry.value["rows"] or 3,
                }
                for place, entry in enumerate(value["fields"].bound_blocks)
            ],
        }


Renderer = Callable[[LessonRenderer, Any, str], "str | dict[str, Any]"]
RENDERERS: Final[Mapping[str, Renderer]] = {
    "text": LessonRenderer.render_text,
    "picture": LessonRenderer.render_picture,
    "figure": LessonRenderer.render_figure,
    "video": LessonRenderer.render_video,
    "audio": LessonRenderer.render_audio,
    "document": LessonRenderer.render_document,
    "table": LessonRenderer.render_table,
    "quotation": LessonRenderer.render_quotation,
    "callout": LessonRenderer.render_callout,
    "accordion": LessonRenderer.render_accordion,
    "definition": LessonRenderer.render_definition,
    "case_study": LessonRenderer.render_case_study,
    "reflection": LessonRenderer.render_reflection,
    "check": LessonRenderer.render_check,
    "worksheet": LessonRenderer.render_worksheet,
}


def format_size(size: int) -> str:
    """A file's size for a person, in the language in force."""
    if size >= 1024 * 1024:
        return _("%(size)s MB") % {"size": number_format(size / 1024 / 1024, 1)}
    return _("%(size)d kB") % {"size": max(1, round(size / 1024))}
