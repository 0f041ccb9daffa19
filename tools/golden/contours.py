"""Fixture outer-contours: OpenCV's bounding boxes and areas for the outer contours of masks, in its order.

Run: python3 -m venv /tmp/cv && /tmp/cv/bin/pip install opencv-python-headless==5.0.0.93 && /tmp/cv/bin/python tools/golden/contours.py
(the result is the same for any OpenCV from 4 on)
"""
import json
import pathlib

import cv2
import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "outer-contours"

rng = np.random.default_rng(5)


def nested():
    """Nested rings, diagonal neighbours, single pixels, the edges."""
    mask = np.zeros((23, 31), np.uint8)
    mask[2:20, 3:24] = 1
    mask[4:18, 5:22] = 0
    mask[6:16, 7:20] = 1
    mask[8:14, 9:18] = 0
    mask[10:12, 12:14] = 1
    mask[0, 30] = mask[22, 0] = mask[21, 28] = mask[20, 29] = mask[19, 28] = 1
    return mask


def ring_open():
    """A ring whose hole is connected to the outside only diagonally: for the 4-connected background it is closed."""
    mask = np.zeros((12, 14), np.uint8)
    mask[2:10, 2:12] = 1
    mask[4:8, 4:10] = 0
    mask[2:4, 2:4] = 0
    mask[5:7, 6:8] = 1
    return mask


masks = [nested(), ring_open(), np.ones((5, 7), np.uint8), np.zeros((5, 7), np.uint8)]
for density in (0.05, 0.2, 0.45, 0.7):
    masks.append((rng.random((18, 26)) < density).astype(np.uint8))
cases = []
for mask in masks:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cases.append({
        "width": mask.shape[1],
        "height": mask.shape[0],
        "rows": ["".join(map(str, row)) for row in mask.tolist()],
        "boxes": [list(cv2.boundingRect(contour)) for contour in contours],
        "areas": [cv2.contourArea(contour) for contour in contours],
    })
FOLDER.mkdir(parents=True, exist_ok=True)
(FOLDER / "cases.json").write_text(json.dumps({"opencv": cv2.__version__, "cases": cases}) + "\n")
