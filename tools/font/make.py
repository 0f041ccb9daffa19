"""Creates assets/fonts, the font of overlays: a subset of Noto Sans Medium, and its glyph widths.

Run: pip install fonttools==4.61.1 && python3 tools/font/make.py NotoSans-Medium.ttf
(from Debian's package fonts-noto-extra 20201225-1: Noto Sans 2.004)

The family is renamed, so that an installed Noto Sans cannot replace it. Kerning is dropped, so that the width of a line is the
sum of its glyphs. Outlines are CFF without hints: those of TrueType are hinted as the machine's fontconfig says, so that letters
would not look the same everywhere.
"""
import json
import pathlib
import sys

from fontTools import subset
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.ttLib import TTFont

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "assets" / "fonts"
FAMILY = "Sonoground Sans"
# Latin and its extensions, combining marks, Greek, Cyrillic, Vietnamese; punctuation, sub- and superscripts, currencies, some
# mathematics.
LETTERS = [(0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x1E00, 0x1EFF)]
SIGNS = [(0x2010, 0x2027), (0x2030, 0x203A), (0x2044, 0x2044), (0x2070, 0x209F), (0x20A0, 0x20BF), (0x2116, 0x2116)]
SIGNS += [(0x2122, 0x2122), (0x2126, 0x2126), (0x2190, 0x2193), (0x2200, 0x2265)]
# Invisible: soft hyphens and zero-width characters would make different phrases look the same.
INVISIBLE = {0xAD, 0x34F}

options = subset.Options()
options.hinting = False
options.layout_features = ["ccmp", "locl", "mark", "mkmk"]
options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 14]
options.notdef_outline = True
font = subset.load_font(sys.argv[1], options)
wanted = {code for first, last in LETTERS + SIGNS for code in range(first, last + 1)} - INVISIBLE
cutter = subset.Subsetter(options)
cutter.populate(unicodes=wanted)
cutter.subset(font)

for record in list(font["name"].names):
    text = record.toUnicode()
    if record.nameID in (1, 4, 16):
        font["name"].setName(FAMILY, record.nameID, record.platformID, record.platEncID, record.langID)
    elif record.nameID == 3:
        font["name"].setName(f"{text};subset", 3, record.platformID, record.platEncID, record.langID)
    elif record.nameID == 6:
        font["name"].setName(FAMILY.replace(" ", ""), 6, record.platformID, record.platEncID, record.langID)
font["OS/2"].usWeightClass = 400  # the only font of its family

glyphs = font.getGlyphSet()
outlines = {}
for name in font.getGlyphOrder():
    pen = T2CharStringPen(font["hmtx"].metrics[name][0], glyphs)
    glyphs[name].draw(pen)
    outlines[name] = pen.getCharString()
bar = font["glyf"][font.getBestCmap()[ord("|")]]
for table in ("glyf", "loca", "gasp"):
    del font[table]
font.sfntVersion = "OTTO"
font["maxp"].tableVersion = 0x5000
FontBuilder(font=font).setupCFF(FAMILY.replace(" ", ""), {}, outlines, {})

FOLDER.mkdir(parents=True, exist_ok=True)
path = FOLDER / "sonoground-sans.otf"
subset.save_font(font, str(path), options)

cut = TTFont(path)
cmap = cut.getBestCmap()
advances = cut["hmtx"].metrics
runs = []
for code in sorted(cmap):
    width = advances[cmap[code]][0]
    if runs and code == runs[-1][0] + len(runs[-1][1]):
        runs[-1][1].append(width)
    else:
        runs.append((code, [width]))
table = {
    "family": FAMILY,
    "unitsPerEm": font["head"].unitsPerEm,
    "capHeight": font["OS/2"].sCapHeight,
    "descent": -font["hhea"].descent,
    "barLeft": bar.xMin,
    "barTop": bar.yMax,
    "widths": {f"{code:04X}": widths for code, widths in runs},
}
lines = json.dumps(table, separators=(",", ":")).replace('],"', '],\n"').replace('{"', '{\n"', 2)
(FOLDER / "sonoground-sans.json").write_text(lines + "\n")
