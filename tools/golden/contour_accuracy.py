"""Golden values for the contour accuracy F of DAVIS, with numpy and scipy alone.

After `davis2017/metrics.py` of davis2017-evaluation (Pont-Tuset et al. 2017), whose dilation by OpenCV is the one of scipy here.
With its folder as an argument, the values are compared with that code first (it needs opencv-python and scikit-image).
"""
import json
import pathlib
import sys

import numpy as np
from scipy import ndimage

SEED = 41
rng = np.random.default_rng(SEED)


def boundary(mask):
    """Pixels that differ from their neighbour to the right, below, or below on the right."""
    e, s, se = np.zeros_like(mask), np.zeros_like(mask), np.zeros_like(mask)
    e[:, :-1], s[:-1, :], se[:-1, :-1] = mask[:, 1:], mask[1:, :], mask[1:, 1:]
    out = (mask ^ e) | (mask ^ s) | (mask ^ se)
    out[-1, :], out[:, -1] = mask[-1, :] ^ e[-1, :], mask[:, -1] ^ s[:, -1]
    out[-1, -1] = False
    return out


def contour_accuracy(predicted, truth):
    radius = int(np.ceil(0.008 * np.linalg.norm(truth.shape)))
    y, x = np.mgrid[-radius:radius + 1, -radius:radius + 1]
    disk = x * x + y * y <= radius * radius
    a, b = boundary(predicted), boundary(truth)
    if a.sum() == 0 or b.sum() == 0:
        return 1.0 if a.sum() == b.sum() else 0.0
    precision = (a & ndimage.binary_dilation(b, disk)).sum() / a.sum()
    recall = (b & ndimage.binary_dilation(a, disk)).sum() / b.sum()
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def blob(shape, sigma, threshold):
    return ndimage.gaussian_filter(rng.standard_normal(shape), sigma) > threshold


pairs = []
for shape in [(23, 37), (96, 130), (180, 240)]:
    one, other = blob(shape, shape[0] / 9, 0.01), blob(shape, shape[0] / 9, 0.01)
    empty, full = np.zeros(shape, bool), np.ones(shape, bool)
    pairs += [(one, one), (one, np.roll(one, 1, 1)), (one, np.roll(one, 3, 0)), (one, other), (other, one)]
    pairs += [(empty, empty), (one, empty), (empty, one), (full, one), (full, empty)]
    pairs.append((ndimage.binary_dilation(one, iterations=2), one))

if len(sys.argv) > 1:
    sys.path.insert(0, sys.argv[1])
    from davis2017.metrics import f_measure

    for predicted, truth in pairs:
        assert abs(f_measure(predicted, truth) - contour_accuracy(predicted, truth)) < 1e-12

masks, cases = [], []
for pair in pairs:
    indices = []
    for mask in pair:
        # Column-major runs that begin with zeros, as COCO's.
        flat = np.concatenate([[False], mask.flatten(order="F"), [False]])
        edges = np.flatnonzero(np.diff(flat)).tolist()
        runs = np.diff([0, *edges, mask.size]).tolist() if edges and edges[-1] != mask.size else np.diff([0, *edges] or [0, mask.size]).tolist()
        masks.append({"height": mask.shape[0], "width": mask.shape[1], "runs": runs or [mask.size]})
        indices.append(len(masks) - 1)
    cases.append([*indices, contour_accuracy(*pair)])

folder = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "contour-accuracy"
folder.mkdir(parents=True, exist_ok=True)
(folder / "case.json").write_text(json.dumps({"seed": SEED, "masks": masks, "cases": cases}) + "\n")
print(len(cases), "cases", (folder / "case.json").stat().st_size, "bytes")
