"""Make the fonts in ``static/fonts`` from the published Atkinson Hyperlegible Next files.

Needs ``fonttools`` and ``brotli``, and three npm packages unpacked under one folder:
``@fontsource-variable/atkinson-hyperlegible-next`` (variable, split by script) as ``variable`` and
``@expo-google-fonts/atkinson-hyperlegible-next`` (static, whole) as ``static``. Run as
``python docs/design/make_fonts.py FOLDER static/fonts``.

What is changed, and why: the slashed zero, which in running figures ("1,850", "2026") reads as a mark of
its own, becomes a plain zero; the slashed one stays in the file and comes back for record numbers with
``font-variant-numeric: slashed-zero``. U+2011 and U+202F, which the face lacks, are mapped. The weight axis
is cut to 400-700 and the glyphs to what English, French and the names in them need; other Latin letters
(Łutselk'e, Tłı̨chǫ) load from a second file only on a page that has them.
"""

import sys
from copy import deepcopy
from io import BytesIO
from pathlib import Path

from fontTools.otlLib.builder import buildLookup, buildSingleSubstSubtable
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables import otTables
from fontTools.ttLib.tables._g_l_y_f import Glyph, GlyphCoordinates
from fontTools.varLib.instancer import instantiateVariableFont

BASIC = [
    *range(0x20, 0x7F),
    *range(0xA0, 0x100),
    *[0x131, 0x152, 0x153, 0x2009, 0x2011, 0x202F, 0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D],
    *[0x2022, 0x2026, 0x2039, 0x203A, 0x2122, 0x2212],
]
# The italic sets titles of works and words of another language: English and French letters are enough.
FRENCH = [ord(letter) for letter in "ÀÂÆÇÈÉÊËÎÏÔÙÛÜàâæçèéêëîïôöùûüÿñáíóúŒœ «»·©®°’‘“”–—…‑\u202f\u2009"]
ITALIC = [*range(0x20, 0x7F), *FRENCH]
# Spacing accents, currency and fractions no text here uses.
DROPPED = {0xA4, 0xA6, 0xA8, 0xAC, 0xAF, 0xB4, 0xB5, 0xB8, 0xB9, 0xAA, 0xBA, 0xAD, 0xA5, 0x131}
# The two halves of the counter, joined without the four points where the slash cuts it.
PLAIN_COUNTER = {
    39: [16, 17, 18, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 21, 22, 23, 24, 25, 26],
    44: [20, 21, 22, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 25, 26, 27, 28, 29, 30, 31],
}


def plain_zero(font: TTFont, *, keep_slashed: bool) -> None:
    """Give ``zero`` an open counter; keep the published glyph behind the ``zero`` feature if asked."""
    for tag in set(font.keys()) - {"GlyphOrder"}:
        font[tag]  # read while the glyph order is still the file's own
    if "gvar" in font:
        font["gvar"].variations = {name: list(font["gvar"].variations[name]) for name in font.getGlyphOrder()}
    glyf = font["glyf"]
    published = glyf["zero"]
    points, ends, flags = published.getCoordinates(glyf)
    outer = list(range(ends[0] + 1))
    order = outer + PLAIN_COUNTER[len(points)]
    plain = Glyph()
    plain.numberOfContours = 2
    plain.coordinates = GlyphCoordinates([points[i] for i in order])
    plain.flags = bytearray(flags[i] & 1 for i in order)
    plain.endPtsOfContours = [len(outer) - 1, len(order) - 1]
    plain.program = deepcopy(published.program) if hasattr(published, "program") else None
    if plain.program is not None:
        plain.program.fromBytecode(b"")
    if keep_slashed:
        slashed = deepcopy(published)
        font.setGlyphOrder([*font.getGlyphOrder(), "zero.slash"])
        glyf["zero.slash"] = slashed
        font["hmtx"]["zero.slash"] = font["hmtx"]["zero"]
    glyf["zero"] = plain
    plain.recalcBounds(glyf)
    if "gvar" in font:
        variations = font["gvar"].variations
        if keep_slashed:
            variations["zero.slash"] = deepcopy(variations["zero"])
        for variation in variations["zero"]:
            deltas = variation.coordinates
            variation.coordinates = [deltas[i] for i in order] + deltas[-4:]
    if "HVAR" in font:
        # Advance widths are then read from the phantom points, which hold the same numbers.
        del font["HVAR"]


def map_missing(font: TTFont) -> None:
    """Map the non-breaking hyphen to the hyphen and the narrow no-break space to the thin space."""
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap.setdefault(0x2011, table.cmap[0x2D])
            table.cmap.setdefault(0x202F, table.cmap.get(0x2009, table.cmap[0x20]))


def reopen(font: TTFont) -> TTFont:
    """Write and read again, so that tables changed by hand are whole before they are subset."""
    file = BytesIO()
    font.flavor = None
    font.save(file)
    file.seek(0)
    return TTFont(file, recalcTimestamp=False)


def subset(font: TTFont, *, unicodes: list[int], features: list[str]) -> None:
    options = Options()
    options.layout_features = features
    options.hinting = False
    options.name_IDs = [0, 1, 2, 13, 14]
    options.notdef_outline = True
    options.glyph_names = False
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=unicodes)
    subsetter.subset(font)


def main(source: Path, target: Path) -> None:
    variable = source / "variable" / "files"
    for style, name in (("normal", "atkinson-next"), ("italic", "atkinson-next-italic")):
        font = TTFont(
            variable / f"atkinson-hyperlegible-next-latin-wght-{style}.woff2", recalcTimestamp=False
        )
        plain_zero(font, keep_slashed=style == "normal")
        if style == "normal":
            instantiateVariableFont(font, {"wght": (400, 400, 700)}, inplace=True)
            add_zero_feature(font)
        else:
            instantiateVariableFont(font, {"wght": 400}, inplace=True)
        map_missing(font)
        font = reopen(font)
        codes = [code for code in BASIC if code not in DROPPED] if style == "normal" else ITALIC
        subset(font, unicodes=codes, features=["tnum", "zero", *(["kern"] if style == "normal" else [])])
        font.flavor = "woff2"
        font.save(target / f"{name}.woff2")
    font = TTFont(variable / "atkinson-hyperlegible-next-latin-ext-wght-normal.woff2", recalcTimestamp=False)
    instantiateVariableFont(font, {"wght": (400, 400, 700)}, inplace=True)
    font = reopen(font)
    codes = [code for code in font.getBestCmap() if code not in BASIC]
    subset(font, unicodes=codes, features=["kern", "mark"])
    font.flavor = "woff2"
    font.save(target / "atkinson-next-ext.woff2")
    for folder, name in (
        ("400Regular", "AtkinsonHyperlegibleNext-Regular"),
        ("700Bold", "AtkinsonHyperlegibleNext-Bold"),
        ("400Regular_Italic", "AtkinsonHyperlegibleNext-Italic"),
    ):
        (file,) = (source / "static" / folder).glob("*.ttf")
        font = TTFont(file, recalcTimestamp=False)
        plain_zero(font, keep_slashed=False)
        map_missing(font)
        font.save(target / "pdf" / f"{name}.ttf")


def add_zero_feature(font: TTFont) -> None:
    """Append one single-substitution lookup under the ``zero`` feature to the font's own GSUB."""
    table = font["GSUB"].table
    lookup = buildLookup([buildSingleSubstSubtable({"zero": "zero.slash", "zero.tf": "zero.slash"})])
    table.LookupList.Lookup.append(lookup)
    table.LookupList.LookupCount = len(table.LookupList.Lookup)
    feature = otTables.Feature()
    feature.FeatureParams = None
    feature.LookupListIndex = [len(table.LookupList.Lookup) - 1]
    feature.LookupCount = 1
    record = otTables.FeatureRecord()
    record.FeatureTag = "zero"
    record.Feature = feature
    table.FeatureList.FeatureRecord.append(record)
    index = len(table.FeatureList.FeatureRecord) - 1
    table.FeatureList.FeatureCount = index + 1
    for script in table.ScriptList.ScriptRecord:
        systems = [script.Script.DefaultLangSys, *[r.LangSys for r in script.Script.LangSysRecord]]
        for system in filter(None, systems):
            system.FeatureIndex.append(index)
            system.FeatureCount = len(system.FeatureIndex)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
