"""The printed certificate: one landscape page, made from the frozen facts and from nothing else.

The page is drawn generously where there is room and more closely where there is not: `LAYOUTS` are tried in order, and
the first that fits on one page is kept. The last one prints the competencies by code and level alone and says where
their statements are, so that there is always a certificate and never one that leaves a competency out.

What the certificates of a cohort have in common, their *form*, is most of what there is to draw. It is drawn once and
laid under what differs from person to person (docs/adr/0112).

xhtml2pdf writes no tagged PDF. The accessible form of a certificate is its verification page; the PDF links to it.
"""

from __future__ import annotations

import base64
import io
from bisect import bisect_left
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import segno
from django.template.loader import render_to_string

from certificates.facts import LANGUAGES, Bilingual, CertificateFacts, CompetencyFact, Language
from certificates.wording import WORDS, describe_level, format_date, format_minutes
from core.kept import Kept
from core.pdf import FONTS_DIR, PdfError, count_pages, lay_under, make_font_css, render_pdf

if TYPE_CHECKING:
    from reportlab.pdfbase.ttfonts import TTFontFile

TEMPLATE: Final = "certificates/pdf.html"
_TEXT_WIDTH = 516
_SMALLEST_NAME: Final = 18
# Which fonts a page needs is known once it is written.
_PLACE_OF_FONTS: Final = "/*\ue000*/"


# Which layout was the first to fit, by the shape of a certificate and the language: a cohort's have one shape.
_first_fit: Final[Kept[tuple[Hashable, Language], int]] = Kept(256)

Layer = Literal["form", "person"]
WHOLE: Final[frozenset[Layer]] = frozenset({"form", "person"})
FORM: Final[frozenset[Layer]] = frozenset({"form"})
PERSON: Final[frozenset[Layer]] = frozenset({"person"})


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes of the page in points, and what is printed of each competency."""

    top: float = 46
    signatures_top: float = 448
    lead: float = 10
    second: float = 9
    gap: float = 21
    name: float = 36
    course: float = 18
    row: float = 8.5
    pad: float = 4.5
    level_inline: bool = False
    codes_only: bool = False

    @property
    def height(self) -> float:
        """The main text ends a little above the signatures."""
        return self.signatures_top - 8 - self.top


LAYOUTS: Final = (
    Layout(),
    Layout(gap=16, pad=3.5, row=8.5),
    Layout(top=40, gap=12, name=32, course=16, pad=2.6, row=8),
    Layout(top=36, lead=9.5, second=8.5, gap=9, name=28, course=15, pad=1.9, row=7.5),
    Layout(top=32, lead=9, second=8, gap=7, name=26, course=14, pad=1.2, row=7),
    Layout(top=30, lead=9, second=8, gap=7, name=24, course=13, pad=1.2, row=7, level_inline=True),
    Layout(top=28, lead=8.5, second=7.5, gap=5, name=22, course=12, pad=0.8, row=6.5, level_inline=True),
    Layout(top=32, lead=9, second=8, gap=7, name=26, course=14, pad=3, row=8, codes_only=True),
)


@dataclass(frozen=True, slots=True)
class _Pair:
    """A text in the page's language, and in the other one if it differs."""

    first: str
    second: str


def render_certificate_pdf(*, facts: CertificateFacts, language: Language) -> bytes:
    """The certificate as an unsigned PDF of one letter page, that language first and the other beside it.

    Raises PdfError if a character of the facts cannot be drawn, or if even the closest layout does not fit.
    """
    drawn: dict[int, bytes | None] = {}

    def fits(place: int) -> bool:
        if place not in drawn:
            drawn[place] = _draw(facts, language, LAYOUTS[place])
        return drawn[place] is not None

    shape = _shape_of(facts)
    place = _first_fit.find((shape, language))
    if place is None or not fits(place):
        # The other language mostly takes as much room.
        other = next(one for one in LANGUAGES if one != language)
        place = find_first(fits, count=len(LAYOUTS), guess=_first_fit.find((shape, other)) or 0)
        if place == len(LAYOUTS):
            raise PdfError(["The certificate does not fit on one page; shorten the title of the course."])
        _first_fit.keep((shape, language), place)
    pdf = drawn[place]
    assert pdf is not None
    return pdf


def find_first(fits: Callable[[int], bool], *, count: int, guess: int) -> int:
    """The first of so many places that fits, where each after it does too; `count` where none does.

    The guess and the place before it are tried first; else the rest is halved, since what does not fit takes longest.
    """
    if not fits(guess):
        return bisect_left(range(count), True, lo=guess + 1, key=fits)
    if guess == 0 or not fits(guess - 1):
        return guess
    return bisect_left(range(guess - 1), True, key=fits)


def _draw(facts: CertificateFacts, language: Language, layout: Layout) -> bytes | None:
    """The page in that layout; None where it does not fit."""
    if not _is_one_line(facts.holder_name):
        return _on_one_page(render_certificate_html(facts=facts, language=language, layout=layout))
    form = _draw_form(_without_person(facts), language, layout, _size_name(facts, layout))
    if form is None:
        return None
    person = render_certificate_html(facts=facts, language=language, layout=layout, layers=PERSON)
    return lay_under(render_pdf(html=person), under=form)


# By all that it is drawn from, so that a form which says anything else is another form.
@lru_cache(maxsize=64)
def _draw_form(facts: CertificateFacts, language: Language, layout: Layout, name_size: float) -> bytes | None:
    return _on_one_page(
        render_certificate_html(
            facts=facts, language=language, layout=layout, layers=FORM, name_size=name_size
        )
    )


def _without_person(facts: CertificateFacts) -> CertificateFacts:
    """What all certificates of a cohort have in common. A form is drawn from nothing else: it cannot name anybody."""
    return replace(
        facts,
        number="",
        # Facts name somebody.
        holder_name="-",
        competencies=tuple(replace(item, evidence=Bilingual("", "")) for item in facts.competencies),
        completed_on=facts.issued_on,
        completed_in="en",
        expires_on=None,
        verification_url="",
    )


def _on_one_page(html: str) -> bytes | None:
    pdf = render_pdf(html=html)
    return pdf if count_pages(pdf) == 1 else None


def _is_one_line(name: str) -> bool:
    """Whether a name surely takes one line, so that the form knows its room. Other faces are measured roughly."""
    known = _bold().charWidths
    return (
        all(ord(character) in known for character in name)
        and measure_bold(name) * _SMALLEST_NAME <= _TEXT_WIDTH - 4
    )


def _shape_of(facts: CertificateFacts) -> Hashable:
    """What decides how much room a certificate takes: everything but the number, the days and a name of one line."""
    return (
        tuple((item.code, item.title, item.level) for item in facts.competencies),
        (facts.course_title, facts.course_edition, facts.framework_title, facts.framework_edition),
        (facts.issuer, facts.partner, facts.delivered_by, facts.starting_content, facts.expires_on is None),
        # A name that is as large as it may be in every layout takes as much room as any other such.
        facts.holder_name if measure_bold(facts.holder_name) * LAYOUTS[0].name > _TEXT_WIDTH - 4 else "",
    )


def render_certificate_html(
    *,
    facts: CertificateFacts,
    language: Language,
    layout: Layout = LAYOUTS[0],
    layers: frozenset[Layer] = WHOLE,
    name_size: float | None = None,
) -> str:
    """The HTML that is drawn, whole or one of its layers; it is no web page. A form is told the size of the name that
    it leaves room for, in points.
    """
    context = _build_context(facts, language, layout)
    context |= {layer: layer in layers for layer in WHOLE}
    if name_size is not None:
        context["name_size"] = name_size
    text = render_to_string(TEMPLATE, {**context, "font_css": _PLACE_OF_FONTS})
    plain = _without_data(text, facts).replace(_PLACE_OF_FONTS, "")
    return text.replace(_PLACE_OF_FONTS, make_font_css(plain), 1)


def _without_data(text: str, facts: CertificateFacts) -> str:
    # Pictures inside the page are long and hold nothing that is set in type.
    pictures = (facts.issuer.appearance.mark, facts.issuer.signatory.signature)
    for picture in (*pictures, facts.partner.signature if facts.partner else ""):
        if picture:
            text = text.replace(picture, "")
    return text


def _build_context(facts: CertificateFacts, language: Language, layout: Layout) -> dict[str, Any]:
    def pair(text: Bilingual) -> _Pair:
        first, second = text.in_(language), text.other(language)
        return _Pair(first, "" if second == first else second)

    issuer, course, signatory = pair(facts.issuer.name), pair(facts.course_title), facts.issuer.signatory
    on_date = WORDS["on_date"].in_(language)
    return {
        "facts": facts,
        "layout": layout,
        "language": language,
        "other": "en" if language == "fr" else "fr",
        "words": {name: pair(words) for name, words in WORDS.items()},
        "look": facts.issuer.appearance,
        "issuer": issuer,
        "issuer_size": 13 if len(issuer.first) <= 60 else 11,
        "course": course,
        "course_size": _fit(course.first, layout.course, smallest=12),
        "name_size": _size_name(facts, layout),
        "host": urlsplit(facts.verification_url).netloc,
        "qr": make_qr(facts.verification_url),
        "qr_alt": WORDS["qr"].in_(language).format(url=facts.verification_url),
        "mark_alt": WORDS["mark"].in_(language).format(name=issuer.first),
        "signatory_alt": WORDS["signature_of"].in_(language).format(name=signatory.name),
        # Where nobody is named, the issuer answers by its own name.
        "signatory_name": signatory.name or issuer.first,
        "signatory_title": signatory.title.in_(language),
        "who_size": _size_signatures(facts, language),
        "issued_by": on_date.format(date=format_date(facts.issued_on, language)),
        "officer_alt": WORDS["signature_of"].in_(language).format(name=facts.partner.officer)
        if facts.partner
        else "",
        "partner": _describe_partner(facts, language),
        "delivered_by": facts.delivered_by.in_(language) if facts.delivered_by else "",
        "framework": f"{facts.framework_title.in_(language)}, "
        f"{WORDS['edition'].in_(language).lower()} {facts.framework_edition}",
        "rows": _arrange_competencies(facts.competencies, language, layout),
        "details": _list_details(facts, language),
    }


def _size_name(facts: CertificateFacts, layout: Layout) -> float:
    return _fit(facts.holder_name, layout.name, smallest=_SMALLEST_NAME)


def _size_signatures(facts: CertificateFacts, language: Language) -> float:
    """The size of type at which the longest line below the signatures takes at most three lines."""
    partner, signatory = facts.partner, facts.issuer.signatory
    lengths = [len(f"{signatory.name or facts.issuer.name.in_(language)}, {signatory.title.in_(language)}")]
    if partner is not None:
        lengths.append(len(f"{partner.officer}, {partner.name.in_(language)}"))
    elif facts.delivered_by is not None:
        lengths.append(len(facts.delivered_by.in_(language)))
    return next((size for most, size in ((95, 8.5), (130, 7.5)) if max(lengths) <= most), 5.5)


def _describe_partner(facts: CertificateFacts, language: Language) -> dict[str, str] | None:
    partner = facts.partner
    if partner is None:
        return None
    number = partner.credits.replace(".", ",") if language == "fr" else partner.credits
    return {
        "name": partner.name.in_(language),
        "date": WORDS["on_date"].in_(language).format(date=format_date(partner.date, language)),
        "credits": WORDS["credits"].in_(language).format(number=number) if number else "",
    }


def _list_details(facts: CertificateFacts, language: Language) -> list[dict[str, Any]]:
    edition = WORDS["edition"].in_(language)
    completed = WORDS[f"completed_in_{facts.completed_in}"].in_(language)
    validity = (
        WORDS["until"].in_(language).format(date=format_date(facts.expires_on, language))
        if facts.expires_on
        else WORDS["no_expiry"].in_(language)
    )
    time = f", {format_minutes(facts.minutes, language)}" if facts.minutes else ""
    columns = [
        ("number", facts.number, "", 100),
        ("course", f"{edition} {facts.course_edition}{time}", "", 110),
        *([("standards", f"{edition} {facts.framework_edition}", "", 70)] if facts.competencies else []),
        (
            "issued",
            format_date(facts.issued_on, language),
            completed.format(date=format_date(facts.completed_on, language)),
            150,
        ),
        ("validity", validity[:1].upper() + validity[1:], "", 100),
    ]
    return [
        {"label": WORDS[name].in_(language), "value": value, "more": more, "width": width}
        for name, value, more, width in columns
    ]


# -- Competencies -----------------------------------------------------------------------------------------------------


def _arrange_competencies(
    competencies: tuple[CompetencyFact, ...], language: Language, layout: Layout
) -> list[list[dict[str, Any]]]:
    """Rows of cells. Few competencies stand in one column, in both languages; many in two; codes alone in four."""
    if layout.codes_only:
        return _in_columns(competencies, 4, lambda item: _cells(item, language, (28, 0, 91)), 13)
    if layout.level_inline:
        return _in_columns(competencies, 2, lambda item: _cells_with_level(item, language), 18)
    if len(competencies) <= 7:
        return [_cells_in_both(item, language) for item in competencies]
    return _in_columns(competencies, 2, lambda item: _cells(item, language, (22, 172, 55)), 18)


def _cells(item: CompetencyFact, language: Language, widths: tuple[int, int, int]) -> list[dict[str, Any]]:
    code, title, level = widths
    cells = [_cell("code", item.code, code)]
    if title:
        cells.append(_cell("title", item.title.in_(language), title))
    return [*cells, _level_cell(item, language, level)]


def _cells_in_both(item: CompetencyFact, language: Language) -> list[dict[str, Any]]:
    second = item.title.other(language)
    return [
        _cell("code", item.code, 24),
        _cell("title", item.title.in_(language), 222),
        _cell("other", second if second != item.title.in_(language) else "", 206),
        _level_cell(item, language, 64),
    ]


def _cells_with_level(item: CompetencyFact, language: Language) -> list[dict[str, Any]]:
    level = describe_level(item.level).in_(language).lower()
    return [_cell("code", item.code, 22), {**_cell("title", item.title.in_(language), 227), "level": level}]


def _level_cell(item: CompetencyFact, language: Language, width: int) -> dict[str, Any]:
    # The first level is the rule; what goes beyond it stands out.
    kind = "level" if item.level == "foundational" else "strong"
    return _cell(kind, describe_level(item.level).in_(language).lower(), width)


def _cell(kind: str, text: str, width: int) -> dict[str, Any]:
    return {"kind": kind, "text": text, "width": width, "level": ""}


def _in_columns(
    competencies: tuple[CompetencyFact, ...],
    count: int,
    make: Callable[[CompetencyFact], list[dict[str, Any]]],
    gap: int,
) -> list[list[dict[str, Any]]]:
    """Reads down each column; the last column may be shorter, and its empty cells have no rule."""
    height = -(-len(competencies) // count)
    rows = []
    for place in range(height):
        row: list[dict[str, Any]] = []
        for column in range(count):
            if column:
                row.append(_cell("gap", "", gap))
            index = column * height + place
            if index < len(competencies):
                row += make(competencies[index])
            else:
                row += [_cell("gap", "", cell["width"]) for cell in make(competencies[0])]
        rows.append(row)
    return rows


# -- Measures and pictures --------------------------------------------------------------------------------------------


@cache
def _bold() -> TTFontFile:
    # See `core.pdf`: most processes draw nothing.
    from reportlab.pdfbase.ttfonts import TTFontFile

    return TTFontFile(str(FONTS_DIR / "AtkinsonHyperlegibleNext-Bold.ttf"), validate=0)


def measure_bold(text: str) -> float:
    """The width of a text in bold, in points for a type of one point; rough for characters of other faces."""
    font = _bold()
    return sum(font.charWidths.get(ord(character), font.defaultWidth) for character in text) / 1000


def _fit(text: str, largest: float, *, smallest: float) -> float:
    """The size at which a text fills one line, within these bounds; at the smallest it may take two."""
    width = measure_bold(text)
    return largest if not width else round(max(smallest, min(largest, (_TEXT_WIDTH - 4) / width)), 1)


@lru_cache(maxsize=64)
def make_qr(address: str) -> str:
    """The QR code of an address as a data URI: black on white, with its quiet zone. Kept for the other language.

    A picture of whole dots: as a drawing it took a fifth of the page's time.
    """
    output = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        output, kind="png", scale=6, border=4, dark="#000000", light="#FFFFFF"
    )
    return "data:image/png;base64," + base64.b64encode(output.getvalue()).decode("ascii")
