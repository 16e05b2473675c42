"""The printed certificate says everything on one page, in type that travels with it, under a signature that stands."""

from __future__ import annotations

import base64
import datetime as dt
import io
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.utils import translation
from PIL import Image, ImageChops
from pypdf import PdfReader

from certificates import keys, pdf_signing
from certificates import pdf as pdf_module
from certificates.facts import Bilingual, CertificateFacts, Language
from certificates.pdf import (
    LAYOUTS,
    find_first,
    measure_bold,
    render_certificate_html,
    render_certificate_pdf,
)
from certificates.wording import describe_level, format_date, format_minutes
from core.pdf import PdfError, count_pages, find_unprintable, lay_under, make_font_css, render_pdf
from tests.certificates.examples import make_competencies, make_facts, make_partner

LONG_NAME = "Marie-Françoise-Élisabeth Łukasiewicz-Đorđević de la Bretonnière-Beauharnois"
LONG_TITLE = Bilingual(
    "Crime Prevention Program Implementation, Practice and Collaborative Decision-Making in Rural, Remote and "
    "Northern Communities",
    "Mise en œuvre de programmes de prévention de la criminalité, pratique et prise de décision en collaboration en "
    "milieu rural, éloigné et nordique",
)
CASES: dict[str, tuple[CertificateFacts, Language]] = {
    "fr, partner": (make_facts(partner=make_partner()), "fr"),
    "en, no partner": (make_facts(), "en"),
    "few competencies, expiry": (
        make_facts(
            competencies=make_competencies(5), expires_on=dt.date(2029, 10, 9), starting_content=False
        ),
        "en",
    ),
    "twenty": (make_facts(competencies=make_competencies(20), partner=make_partner()), "en"),
    "twenty long ones": (
        make_facts(
            competencies=make_competencies(20, long=True),
            holder_name=LONG_NAME,
            course_title=LONG_TITLE,
            partner=make_partner(),
        ),
        "fr",
    ),
    "no competency": (make_facts(competencies=()), "fr"),
}


@pytest.fixture(scope="module")
def identity() -> keys.PdfIdentity:
    return make_identity()


def make_identity() -> keys.PdfIdentity:
    return keys.generate_pdf_identity(
        common_name="Certificates",
        organization="Réseau d’essai",
        url="https://learn.example",
        now=dt.datetime.now(dt.UTC),
    )


def read_text(pdf: bytes) -> str:
    """The words of a PDF with single spaces, as a program reads them."""
    text = PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
    return " ".join(text.replace("\u00a0", " ").split())


def squeeze(text: str) -> str:
    """Without any space, since a line may break within what is searched for."""
    return "".join(text.split())


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


# -- What is printed --------------------------------------------------------------------------------------------------


def test_the_first_place_that_fits_is_found_by_few_tries() -> None:
    for count in range(1, 9):
        for first in range(count + 1):
            for guess in range(count):
                tried: list[int] = []

                def fits(place: int, first: int = first, tried: list[int] = tried) -> bool:
                    tried.append(place)
                    return place >= first

                assert find_first(fits, count=count, guess=guess) == first
                assert len(tried) == len(set(tried)) <= 5
                if guess == first:
                    assert len(tried) <= 2


def test_a_layout_is_looked_for_once_for_all_of_one_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    plain = pdf_module.render_certificate_html

    def note(**given: Any) -> str:
        drawn.append(LAYOUTS.index(given["layout"]))
        return plain(**given)

    def draw_for(facts: CertificateFacts, language: Language) -> list[int]:
        """The layouts that were tried, the one that was kept last."""
        drawn.clear()
        assert count_pages(render_certificate_pdf(facts=facts, language=language)) == 1
        kept = pdf_module._first_fit.find((pdf_module._shape_of(facts), language))
        return [*sorted({*drawn} - {kept}), kept]

    monkeypatch.setattr(pdf_module, "render_certificate_html", note)
    pdf_module._first_fit.forget()
    pdf_module._draw_form.cache_clear()
    facts = make_facts(competencies=make_competencies(26))
    *tried, kept = draw_for(facts, "fr")
    assert kept - 1 in tried, "There is none before it that fits."
    assert draw_for(replace(facts, holder_name="Ana Li", number="2026-000000-00"), "fr") == [kept]
    assert draw_for(facts, "en") == [kept - 1, kept], "In English it is looked for where French found it."
    assert len(draw_for(replace(facts, holder_name=LONG_NAME), "fr")) > 1, "A longer name is another shape."


def draw(pdf: bytes) -> Image.Image:
    """The first page as a picture, two dots a point."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return document[0].render(scale=2).to_pil().convert("RGB")
    finally:
        document.close()


@pytest.mark.parametrize(
    "name", ["Jo Li", "Élise Cormier-Roy", "Bartholomew Alexander Montgomery-Featherstonehaugh"]
)
@pytest.mark.parametrize("case", [name for name in CASES if name != "twenty long ones"])
def test_laid_over_its_form_it_looks_as_if_it_were_drawn_whole(case: str, name: str) -> None:
    facts, language = CASES[case]
    facts = replace(facts, holder_name=name)
    drawn = render_certificate_pdf(facts=facts, language=language)
    layout = LAYOUTS[pdf_module._first_fit.find((pdf_module._shape_of(facts), language))]
    whole = render_pdf(html=render_certificate_html(facts=facts, language=language, layout=layout))
    assert ImageChops.difference(draw(whole), draw(drawn)).getbbox() is None


def test_a_form_is_drawn_once_and_says_nothing_of_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    pdf_module._draw_form.cache_clear()
    drawn: list[str] = []
    monkeypatch.setattr(pdf_module, "render_pdf", lambda *, html: drawn.append(html) or render_pdf(html=html))
    one = make_facts(holder_name="Jo Li", number="2026-000001-00")
    other = replace(
        one,
        holder_name="Ana Roy",
        number="2026-000002-00",
        completed_on=dt.date(2026, 9, 30),
        verification_url="https://learn.example/certificates/0198a3f0-0000-7b2a-9d11-3f2b8c5e7a10/",
    )
    texts = [read_text(render_certificate_pdf(facts=facts, language="en")) for facts in (one, other)]
    form, *people = drawn
    assert len(people) == 2
    for facts in (one, other):
        for personal in (facts.holder_name, facts.number, facts.verification_url, "data:image/png;base64,iV"):
            assert personal not in form.replace(facts.issuer.appearance.mark, "")
    assert [("Jo Li" in text, "Ana Roy" in text) for text in texts] == [(True, False), (False, True)]
    drawn.clear()
    later = replace(other, issued_on=dt.date(2026, 10, 10))
    text = read_text(render_certificate_pdf(facts=later, language="en"))
    assert squeeze(format_date(later.issued_on, "en")) in squeeze(text)
    assert len(drawn) == 2, "Another day of issue is another form."


def test_only_a_single_page_is_laid_under_a_single_page() -> None:
    one = render_pdf(html=wrap("<p>text</p>"))
    two = render_pdf(html=wrap("<p>text</p>" * 200))
    assert read_text(lay_under(one, under=render_pdf(html=wrap("<p>below</p>")))) == "below text"
    for upper, lower in ((one, two), (two, one)):
        with pytest.raises(PdfError):
            lay_under(upper, under=lower)


def test_it_is_the_same_whatever_language_is_in_force() -> None:
    """A worker prints for whoever asked: where that language writes commas, sizes are numbers with points still."""
    html = [
        render_certificate_html(facts=make_facts(holder_name=LONG_NAME), language="en")
        for code in ("en", "fr")
        if translation.activate(code) is None
    ]
    translation.deactivate()
    assert html[0] == html[1]


@pytest.mark.parametrize("case", CASES)
def test_every_certified_fact_is_on_one_letter_page(case: str) -> None:
    facts, language = CASES[case]
    pdf = render_certificate_pdf(facts=facts, language=language)
    page = PdfReader(io.BytesIO(pdf)).pages[0]
    assert count_pages(pdf) == 1
    assert (float(page.mediabox.width), float(page.mediabox.height)) == (792, 612)
    text = squeeze(read_text(pdf))
    printed = [
        facts.number,
        facts.holder_name,
        facts.course_title.en,
        facts.course_title.fr,
        facts.issuer.name.en,
        facts.issuer.name.fr,
        facts.issuer.signatory.name,
        facts.issuer.signatory.title.in_(language),
        *([facts.framework_title.in_(language)] if facts.competencies else []),
        format_date(facts.issued_on, language),
        format_date(facts.completed_on, language),
        format_minutes(facts.minutes, language),
        "learn.example",
    ]
    if facts.expires_on:
        printed.append(format_date(facts.expires_on, language))
    if facts.partner:
        printed += [facts.partner.officer, facts.partner.name.fr, "1,5" if language == "fr" else "1.5"]
    for competency in facts.competencies:
        printed += [competency.code, competency.title.in_(language)]
        printed.append(describe_level(competency.level).in_(language).lower())
    for fact in printed:
        assert squeeze(fact.replace("\u00a0", " ")) in text, fact
    notice = "Contenu de départ" if language == "fr" else "Starting content"
    assert (squeeze(notice) in text) is facts.starting_content


def test_a_certificate_without_a_partner_has_one_signature_block() -> None:
    assert "Contresigné" not in read_text(render_certificate_pdf(facts=make_facts(), language="fr"))
    text = read_text(render_certificate_pdf(facts=make_facts(partner=make_partner()), language="fr"))
    assert "Contresigné électroniquement" in text


def test_both_languages_stand_on_it_and_the_chosen_one_first() -> None:
    french = read_text(render_certificate_pdf(facts=make_facts(), language="fr"))
    english = read_text(render_certificate_pdf(facts=make_facts(), language="en"))
    assert french.index("décerné à") < french.index("awarded to")
    assert english.index("awarded to") < english.index("décerné à")
    assert "Lire ce certificat dans une page Web accessible" in french
    assert "Read this certificate as an accessible web page" in english


def test_a_title_that_is_the_same_in_both_languages_is_printed_once() -> None:
    facts = make_facts(course_title=Bilingual("Formation unique", "Formation unique"))
    assert read_text(render_certificate_pdf(facts=facts, language="fr")).count("Formation unique") == 1


def test_more_than_can_be_printed_is_named_by_code_and_level() -> None:
    facts = make_facts(competencies=make_competencies(40, long=True), course_title=LONG_TITLE)
    pdf = render_certificate_pdf(facts=facts, language="en")
    assert count_pages(pdf) == 1
    text = read_text(pdf)
    assert "The full statements are on the verification page." in text
    assert all(competency.code in text for competency in facts.competencies)


def test_the_layouts_go_from_generous_to_close() -> None:
    sizes = [layout.row for layout in LAYOUTS if not layout.codes_only]
    assert sizes == sorted(sizes, reverse=True)
    assert min(sizes) >= 6.5


def test_the_document_says_its_language_title_and_author_and_links_to_its_page() -> None:
    facts = make_facts()
    reader = PdfReader(io.BytesIO(render_certificate_pdf(facts=facts, language="fr")))
    assert reader.trailer["/Root"]["/Lang"] == "fr"
    assert reader.metadata is not None
    assert facts.number in (reader.metadata.title or "")
    assert reader.metadata.author == facts.issuer.name.fr
    links = [annotation.get_object()["/A"]["/URI"] for annotation in reader.pages[0]["/Annots"]]
    assert set(links) == {facts.verification_url}


# -- Type -------------------------------------------------------------------------------------------------------------


def find_faces(pdf: bytes) -> dict[str, bool]:
    """The faces that letters are drawn in, and whether each is in the file."""
    faces: dict[str, bool] = {}

    def look(text: str, _matrix: Any, _line: Any, font: Any, _size: Any) -> None:
        if text.strip() and font:
            descriptor = font.get("/FontDescriptor")
            faces[str(font["/BaseFont"])] = bool(descriptor and "/FontFile2" in descriptor.get_object())

    PdfReader(io.BytesIO(pdf)).pages[0].extract_text(visitor_text=look)
    return faces


def test_every_letter_is_drawn_in_a_face_that_is_in_the_file() -> None:
    faces = find_faces(render_certificate_pdf(facts=make_facts(holder_name=LONG_NAME), language="fr"))
    assert len(faces) == 3
    assert all("AtkinsonHyperlegibleNext" in name for name in faces)
    assert all(faces.values())


@pytest.mark.parametrize(
    "name", ["Sahaiʔa May Talbot", "ᐋᓂ ᐃᓄᒃ", "Ŋa Ḵwəlíʔ", "Łucja Đorđević", "Ταξίαρχος Иванова"]
)
def test_names_of_many_peoples_are_printed_whole(name: str) -> None:
    assert find_unprintable(name) == ""
    pdf = render_certificate_pdf(facts=make_facts(holder_name=name), language="en")
    assert squeeze(name) in squeeze(read_text(pdf))
    assert all(find_faces(pdf).values())


def test_a_character_that_cannot_be_drawn_is_an_error_and_not_a_box() -> None:
    assert find_unprintable("Li 李 Wei 偉 李") == "李偉"
    with pytest.raises(PdfError) as caught:
        render_certificate_pdf(facts=make_facts(holder_name="Li 李"), language="en")
    assert "李" in str(caught.value)


def test_only_the_faces_a_text_needs_are_read() -> None:
    assert "NotoSans" not in make_font_css("Élise Đorđević")
    assert "NotoSans-Regular" in make_font_css("Sahaiʔa")
    assert "CanadianAboriginal" not in make_font_css("Sahaiʔa")
    assert "CanadianAboriginal" in make_font_css("ᐃᓄᒃ")


def test_a_long_name_is_measured_wider() -> None:
    assert measure_bold("Élise Cormier-Roy") < measure_bold(LONG_NAME)


# -- The generic renderer ---------------------------------------------------------------------------------------------


def wrap(body: str, css: str = "") -> str:
    fonts = make_font_css("plain")
    return (
        f"<html lang='en'><head><title>t</title><style>{fonts} {css}</style></head><body>{body}</body></html>"
    )


@pytest.mark.parametrize(
    "html",
    [
        wrap(
            "<p>text</p>",
            '@font-face { font-family: "Lost"; src: url("lost.ttf"); } p { font-family: "Lost"; }',
        ),
        wrap('<p style="font-family: Nowhere">text</p>'),
        wrap('<p>text <img src="lost.png"></p>'),
        wrap('<p>text <img src="data:image/png;base64,AAAA"></p>'),
        wrap('<p>text <img src="https://pictures.example/one.png"></p>'),
        wrap('<p>text <img src="http://127.0.0.1/one.png"></p>'),
        wrap('<p>text <img src="/etc/hostname"></p>'),
        wrap('<p>text <img src="file:///etc/hostname"></p>'),
        wrap('<p>text <img src="../../../../etc/hostname"></p>'),
        wrap("<p>\U0001f600</p>"),
    ],
)
def test_what_cannot_be_drawn_as_asked_is_an_error(html: str) -> None:
    with pytest.raises(PdfError) as caught:
        render_pdf(html=html)
    assert caught.value.problems


def test_a_worksheet_of_several_pages_may_take_pictures_from_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (40, 20), "#0F5A92").save(tmp_path / "pictures" / "map.png")
    html = wrap('<p>Carte</p><img src="pictures/map.png" alt="Carte">' + "<p>Que voyez-vous ?</p>" * 120)
    pdf = render_pdf(html=html, base_dir=tmp_path)
    assert count_pages(pdf) > 1
    assert len(PdfReader(io.BytesIO(pdf)).pages[0].images) == 1
    outside = tmp_path.parent / f"{tmp_path.name}-outside.png"
    Image.new("RGB", (4, 4)).save(outside)
    with pytest.raises(PdfError):
        render_pdf(html=wrap(f'<img src="../{outside.name}">'), base_dir=tmp_path)


def test_a_failed_document_leaves_nothing_behind_for_the_next() -> None:
    with pytest.raises(PdfError):
        render_pdf(html=wrap('<img src="lost.png">'))
    assert render_pdf(html=wrap("<p>text</p>")).startswith(b"%PDF")


# -- The signature ----------------------------------------------------------------------------------------------------


def sign(pdf: bytes, identity: keys.PdfIdentity) -> bytes:
    return pdf_signing.sign_pdf(
        pdf, identity=identity, reason="Certificate 2026-0418-7K", signer_name="Réseau d’essai"
    )


@pytest.fixture(scope="module")
def signed(identity: keys.PdfIdentity) -> bytes:
    return sign(render_certificate_pdf(facts=make_facts(partner=make_partner()), language="fr"), identity)


def test_a_signed_certificate_stands_for_who_trusts_its_signer(
    signed: bytes, identity: keys.PdfIdentity
) -> None:
    found = pdf_signing.verify_pdf(signed, trusted=[identity.certificate_pem])
    assert found is not None
    assert found.stands
    assert found.signer == "Certificates"
    assert count_pages(signed) == 1


def test_another_signer_a_change_and_an_addition_are_noticed(
    signed: bytes, identity: keys.PdfIdentity
) -> None:
    trusted = [identity.certificate_pem]
    stranger = pdf_signing.verify_pdf(signed, trusted=[make_identity().certificate_pem])
    assert stranger is not None
    assert stranger.intact
    assert not stranger.trusted
    assert not stranger.stands
    place = signed.index(b"stream") + 20
    changed = pdf_signing.verify_pdf(
        signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :], trusted=trusted
    )
    assert changed is not None
    assert not changed.intact
    longer = pdf_signing.verify_pdf(signed + b"\n% a remark\n", trusted=trusted)
    assert longer is not None
    assert not longer.covers_whole_file
    assert not longer.stands


def test_an_unsigned_file_has_no_signature_and_rubbish_is_no_pdf(identity: keys.PdfIdentity) -> None:
    plain = render_pdf(html=wrap("<p>text</p>"))
    assert pdf_signing.verify_pdf(plain, trusted=[identity.certificate_pem]) is None
    with pytest.raises(pdf_signing.PdfSigningError):
        pdf_signing.verify_pdf(b"rubbish", trusted=[])


def test_signing_fails_aloud(signed: bytes, identity: keys.PdfIdentity) -> None:
    with pytest.raises(pdf_signing.PdfSigningError):
        sign(b"rubbish", identity)
    with pytest.raises(pdf_signing.PdfSigningError):
        # A certifying signature is the first and only one of a file.
        sign(signed, identity)


def test_a_signature_that_does_not_verify_is_never_returned() -> None:
    expired = keys.generate_pdf_identity(
        common_name="Old",
        organization="Old",
        url="https://old.example",
        now=dt.datetime(2001, 1, 1, tzinfo=dt.UTC),
    )
    with pytest.raises(pdf_signing.PdfSigningError, match="does not verify"):
        sign(render_pdf(html=wrap("<p>text</p>")), expired)


# -- As other programs see it -----------------------------------------------------------------------------------------


@pytest.mark.needs("pdfsig")
def test_poppler_verifies_the_signature(signed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "certificate.pdf"
    path.write_bytes(signed)
    report = run("pdfsig", str(path))
    assert "Signature is Valid." in report
    assert "Total document signed" in report
    assert "ETSI.CAdES.detached" in report


@pytest.mark.needs("qpdf")
def test_qpdf_finds_the_file_sound(signed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "certificate.pdf"
    path.write_bytes(signed)
    assert "No syntax or stream encoding errors found" in run("qpdf", "--check", str(path))


@pytest.mark.needs("pdftotext")
def test_poppler_reads_the_text_and_finds_the_type_in_the_file(signed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "certificate.pdf"
    path.write_bytes(signed)
    text = run("pdftotext", str(path), "-")
    for words in ["Élise Cormier-Roy", "2026-0418-7K", "Compétences attestées", "Théo Vaillancourt-Ng"]:
        assert words in text
    fonts = run("pdffonts", str(path)).splitlines()[2:]
    # ReportLab names Helvetica in every file it begins; no letter is drawn in it (see above).
    ours = [line for line in fonts if not line.startswith("Helvetica")]
    # Three faces, for the form and for what is laid over it, under names that no program confuses.
    assert len({line.split()[0] for line in ours}) == len(ours) == 6
    assert all(" yes yes yes " in line for line in ours)


@pytest.mark.needs("pdftoppm")
def test_the_drawn_page_has_its_band_its_code_and_its_text(signed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "certificate.pdf"
    path.write_bytes(signed)
    run("pdftoppm", "-r", "72", "-png", str(path), str(tmp_path / "page"))
    pictures = sorted(tmp_path.glob("page*.png"))
    assert len(pictures) == 1
    picture = Image.open(pictures[0]).convert("RGB")
    assert picture.size == (792, 612)
    frame = (0x10, 0x36, 0x2D)
    corners = [picture.getpixel(point) for point in [(2, 2), (180, 2), (2, 609), (180, 609)]]
    assert corners == [frame] * 4
    assert all(picture.getpixel(point) == (255, 255, 255) for point in [(188, 2), (789, 2), (789, 609)])
    mark = picture.crop((32, 40, 114, 122))
    assert sum(count for count, colour in mark.getcolors(10_000) or [] if colour != frame) > 1500
    code = picture.crop((32, 418, 119, 505)).convert("L")
    dark = sum(code.histogram()[:80])
    assert 0.2 < dark / (87 * 87) < 0.6
    text = picture.crop((230, 40, 746, 440)).convert("L")
    assert 0.02 < sum(text.histogram()[:128]) / (516 * 400) < 0.2


def test_issuers_colours_mark_and_signature_come_from_the_facts(tmp_path: Path) -> None:
    from dataclasses import replace

    picture = io.BytesIO()
    Image.new("RGB", (120, 40), "#204080").save(picture, "PNG")
    data = "data:image/png;base64," + base64.b64encode(picture.getvalue()).decode("ascii")
    facts = make_facts()
    issuer = replace(
        facts.issuer,
        name=Bilingual("Another Network", "Un autre réseau"),
        appearance=replace(facts.issuer.appearance, frame="#402010", mark=data),
        signatory=replace(facts.issuer.signatory, signature=data),
    )
    pdf = render_certificate_pdf(facts=make_facts(issuer=issuer), language="en")
    text = read_text(pdf)
    assert "Another Network" in text
    assert "Canadian Municipal" not in text
    assert "Signed electronically" not in text
    assert len(PdfReader(io.BytesIO(pdf)).pages[0].images) >= 1
