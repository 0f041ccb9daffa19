"""Fixture dicom: a JPEG 2000 stream without colour transform, which the tests' own encoder cannot write, and segmented lookup
tables expanded by pydicom.

Run: python3 -m venv /tmp/dicom && /tmp/dicom/bin/pip install pydicom==3.0.2 pylibjpeg-openjpeg==2.6.0 numpy==2.4.6 && \
  /tmp/dicom/bin/python tools/golden/dicom.py
"""
import base64
import json
import pathlib

import numpy as np
import pydicom
from openjpeg.utils import encode_array
from pydicom.pixels.processing import _expand_segmented_lut

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "dicom"

pixels = np.zeros((32, 64, 3), np.uint8)
for k, colour in enumerate([(250, 10, 10), (10, 240, 20), (20, 30, 245), (200, 150, 40)]):
    pixels[:, 16 * k : 16 * k + 16] = colour
stream = encode_array(pixels, photometric_interpretation=1, use_mct=False)

# A discrete, a rising linear, an indirect (repeating those two), a falling linear and a constant linear segment. An indirect
# segment refers to its first segment by byte offset; pydicom takes it as a word offset, so that the one of 16 bits starts at 0.
eight = [0, 3, 10, 20, 35, 1, 7, 201, 2, 2, 0, 0, 0, 0, 1, 5, 3, 1, 4, 3, 0, 2, 99, 98]
sixteen = [0, 2, 1000, 65535, 1, 9, 7, 2, 2, 0, 0, 1, 6, 60000, 0, 1, 5]
tables = [
    {"bits": 8, "segments": eight, "entries": _expand_segmented_lut(tuple(eight), "<24B")},
    {"bits": 16, "segments": sixteen, "entries": _expand_segmented_lut(tuple(sixteen), "<17H")},
]
FOLDER.mkdir(parents=True, exist_ok=True)
cases = {
    "pydicom": pydicom.__version__,
    "withoutTransform": base64.b64encode(bytes(stream)).decode(),
    "palettes": tables,
}
(FOLDER / "cases.json").write_text(json.dumps(cases) + "\n")
