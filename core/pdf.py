"""HTML to PDF, for every floor that prints.

xhtml2pdf draws a document even where it could not read a font or a picture, and only logs it. Here that is an error:
a PDF that this module returns has everything it was asked for. It reads files below the given folder (and the
typefaces), data URIs, and nothing else; no address is ever fetched.

Rendering holds one lock for the process, since the library keeps its fonts in module globals. A page takes 0.05 to
0.2 s: render in workers, and keep the result under the digest of what went in.

The libraries that draw are imported where they are used: they take a third of a second, and most processes draw
nothing.
"""

from __future__ import annotations

import io
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyhanko.pdf_utils.generic import DictionaryObject
    from pyhanko.pdf_utils.reader import PdfFileReader

FONTS_DIR: Final = Path(__file__).resolve().parent.parent / "static" / "fonts" / "pdf"

# In the order in which a character looks for a face that has it. The first family is always declared, the others only
# where a text needs them, because reading a large font takes longer than drawing a page.
_FAMILIES: Final[tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]] = (
    (
        "Atkinson",
        (
            ("AtkinsonHyperlegibleNext-Regular.ttf", "normal", "normal"),
            ("AtkinsonHyperlegibleNext-Bold.ttf", "bold", "normal"),
            ("AtkinsonHyperlegibleNext-Italic.ttf", "normal", "italic"),
        ),
    ),
    ("NotoSans", (("NotoSans-Regular.ttf", "normal", "normal"), ("NotoSans-Bold.ttf", "bold", "normal"))),
    (
        "NotoSyllabics",
        (
            ("NotoSansCanadianAboriginal-Regular.ttf", "normal", "normal"),
            ("NotoSansCanadianAboriginal-Bold.ttf", "bold", "normal"),
        ),
    ),
)

_render_lock = threading.RLock()


class PdfError(Exception):
    """The document cannot be printed as it stands; `problems` says why, one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@cache
def _characters(file_name: str) -> frozenset[int]:
    from reportlab.pdfbase.ttfonts import TTFontFile

    return frozenset(TTFontFile(str(FONTS_DIR / file_name), validate=0).charToGlyph)


def find_unprintable(text: str) -> str:
    """The characters of a text that no typeface here can draw, each once; empty for a text that prints whole.

    Ask before a name is frozen into a certificate: rendering refuses such a text.
    """
    missing = dict.fromkeys(
        character
        for character in dict.fromkeys(text)
        if not character.isspace()
        and not any(ord(character) in _characters(faces[0][0]) for _family, faces in _FAMILIES)
    )
    return "".join(missing)


def make_font_css(text: str) -> str:
    """The `@font-face` rules that a document with this text needs, and the rule that uses them.

    Raises PdfError for characters that no typeface has.
    """
    unprintable = find_unprintable(text)
    if unprintable:
        raise PdfError([f"No typeface here has the characters {' '.join(unprintable)}."])
    rules, names = [], []
    remaining = {ord(character) for character in text if not character.isspace()}
    for place, (family, faces) in enumerate(_FAMILIES):
        has = _characters(faces[0][0])
        if place and not remaining & has:
            continue
        remaining -= has
        names.append(family)
        rules += [
            f'@font-face {{ font-family: "{family}"; src: url("{(FONTS_DIR / file).as_posix()}"); '
            f"font-weight: {weight}; font-style: {style}; }}"
            for file, weight, style in faces
        ]
    rules.append("html, title, body { font-family: " + ", ".join(f'"{name}"' for name in names) + "; }")
    return "\n".join(rules)


def render_pdf(*, html: str, base_dir: Path | None = None) -> bytes:
    """The PDF of an HTML document (pages, fonts and all its styles inside it).

    `base_dir` is the folder its pictures may come from; without one, only data URIs. Raises PdfError if anything that
    the document asks for was not drawn as asked: a font, a picture, a character, a style.
    """
    from reportlab import rl_config
    from xhtml2pdf import pisa
    from xhtml2pdf.config.resources import RenderLimitError, ResourceAccessError, ResourceAccessPolicy

    # Streams stay as they are compressed: coding them as text makes a file a quarter larger and costs a tenth of the
    # time.
    rl_config.useA85 = 0
    policy = ResourceAccessPolicy.server(
        base_dir or FONTS_DIR,
        extra_roots=(FONTS_DIR,),
        allow_remote=False,
        # Against a small document that describes an endless one; a worksheet takes well under a second.
        max_render_seconds=20,
    )
    output = io.BytesIO()
    with _render_lock, _collect_complaints() as complaints:
        try:
            result = pisa.CreatePDF(
                html,
                dest=output,
                encoding="utf-8",
                path=f"{base_dir or FONTS_DIR}/document.html",
                resource_policy=policy,
            )
        except (ResourceAccessError, RenderLimitError, ValueError, LookupError, OSError) as error:
            raise PdfError([f"{type(error).__name__}: {error}", *complaints]) from error
    if result.err or result.warn or complaints:
        raise PdfError(complaints or [f"{result.err} errors and {result.warn} warnings while rendering"])
    return output.getvalue()


def count_pages(pdf: bytes) -> int:
    """How many pages a PDF has."""
    from pypdf import PdfReader

    return len(PdfReader(io.BytesIO(pdf)).pages)


def lay_under(pdf: bytes, *, under: bytes) -> bytes:
    """The single page of a PDF with the single page of another beneath it.

    Title, language and links are those of the upper one. Raises PdfError where either has more than one page.
    """
    from pyhanko.pdf_utils.generic import DictionaryObject, StreamObject, pdf_name
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    # What is there already stays as it was written: only what is added is read and written.
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    upper = writer.prev
    with _render_lock:
        # What was read of the lower page is kept in its reader for the next time.
        lower = _read_kept(under)
        if any(reader.root["/Pages"]["/Count"] != 1 for reader in (upper, lower)):
            raise PdfError(["Only a single page can be laid under another."])
        page = writer.import_page_as_xobject(lower)
    _rename_subsets(page.get_object()["/Resources"])
    resources = DictionaryObject({pdf_name("/XObject"): DictionaryObject({pdf_name("/Under"): page})})
    drawn = writer.add_object(StreamObject(stream_data=b"q /Under Do Q\n"))
    writer.add_stream_to_page(0, drawn, resources=resources, prepend=True)
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def _rename_subsets(resources: DictionaryObject) -> None:
    """Give the subsets of the lower page's typefaces names of their own: in every file that is drawn they are AAAAAA.

    ISO 32000-1, 9.6.4: two subsets of one face have different tags, or a program takes one for the other.
    """
    from pyhanko.pdf_utils.generic import NameObject

    if "/Font" not in resources:
        return
    # What stands behind a reference is found by its key alone, not by `get` or `values`.
    fonts = resources["/Font"]
    for font in (fonts[name] for name in fonts):
        named = [(font, "/BaseFont")]
        if "/FontDescriptor" in font:
            named.append((font["/FontDescriptor"], "/FontName"))
        for holder, key in named:
            if re.match(r"/[A-Z]{6}\+", holder[key]):
                holder[NameObject(key)] = NameObject("/U" + holder[key][2:])


@lru_cache(maxsize=16)
def _read_kept(pdf: bytes) -> PdfFileReader:
    from pyhanko.pdf_utils.reader import PdfFileReader

    return PdfFileReader(io.BytesIO(pdf))


class _Collector(logging.Handler):
    def __init__(self, complaints: list[str]) -> None:
        super().__init__(level=logging.WARNING)
        self.complaints = complaints
        self.thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        # Another thread that logs meanwhile is not rendering, since the lock is ours.
        if record.thread == self.thread:
            self.complaints.append(record.getMessage())


@contextmanager
def _collect_complaints() -> Iterator[list[str]]:
    """What the libraries that draw log as a warning or worse, collected instead of printed."""
    complaints: list[str] = []
    collector = _Collector(complaints)
    loggers = [logging.getLogger(name) for name in ("xhtml2pdf", "svglib", "reportlab")]
    before = [(logger, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(collector)
        logger.propagate = False
    try:
        yield complaints
    finally:
        for logger, propagate in before:
            logger.removeHandler(collector)
            logger.propagate = propagate
