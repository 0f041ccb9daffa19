"""Golden values for the metrics: masks against numpy and scipy, boxes against pycocotools (`pip install pycocotools`)."""
import contextlib
import io
import itertools

import numpy as np
import torch
from common import save_case
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from scipy import ndimage

SEED = 31
HEIGHT, WIDTH = 23, 37
SPACING = (0.7, 1.3)  # height and width of a pixel
TOLERANCE = 1.5
rng = np.random.default_rng(SEED)


def blob(threshold):
    return ndimage.gaussian_filter(rng.standard_normal((HEIGHT, WIDTH)), 2.5) > threshold


def rectangle(y0, y1, x0, x1):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y0:y1, x0:x1] = True
    return mask


one_pixel = rectangle(4, 5, 30, 31)
masks = {
    "blobs": blob(0.02), "other_blobs": blob(0.05), "rectangle": rectangle(3, 17, 5, 20), "shifted": rectangle(6, 19, 9, 31),
    "pixel": one_pixel, "corner_pixel": rectangle(HEIGHT - 1, HEIGHT, 0, 1), "full": np.ones((HEIGHT, WIDTH), bool),
    "empty": np.zeros((HEIGHT, WIDTH), bool), "ring": rectangle(2, 20, 4, 30) & ~rectangle(7, 14, 10, 21),
}


def border(mask):
    return mask & ~ndimage.binary_erosion(mask)


def to_border(mask):
    """Distance of each pixel to the boundary of a non-empty mask."""
    return ndimage.distance_transform_edt(~border(mask), sampling=SPACING)


def scores(a, b):
    """dice, iou, hd95, nsd; empty masks as the library documents them."""
    both = a.sum() + b.sum()
    if both == 0:
        return [1, 1, 0, 1]
    shared = (a & b).sum()
    overlap = [2 * shared / both, shared / (a | b).sum()]
    if not a.any() or not b.any():
        return [*overlap, np.inf, 0]
    there, back = to_border(b)[border(a)], to_border(a)[border(b)]
    near = (there <= TOLERANCE).sum() + (back <= TOLERANCE).sum()
    return [*overlap, max(np.percentile(there, 95), np.percentile(back, 95)), near / (len(there) + len(back))]


names = list(masks)
pairs = list(itertools.product(range(len(names)), repeat=2))
tensors = {
    "in.masks": torch.from_numpy(np.stack([masks[n] for n in names]).astype(np.int32)),
    "in.spacing": torch.tensor(SPACING), "in.tolerance": torch.tensor(TOLERANCE),
    "out.pairs": torch.tensor(pairs, dtype=torch.int32),
    "out.scores": torch.tensor([scores(masks[names[i]], masks[names[j]]) for i, j in pairs], dtype=torch.float32),
    "out.distances": torch.from_numpy(
        np.stack([ndimage.distance_transform_edt(~m, sampling=SPACING) for m in masks.values() if m.any()]).astype(np.float32)
    ),
}
tensors["in.values"] = torch.from_numpy(rng.normal(0.7, 0.2, 41).astype(np.float32))
values = tensors["in.values"].double().numpy()
tensors["out.statistics"] = torch.tensor([values.mean(), values.std(), *np.percentile(values, [0, 2.5, 50, 95, 100])]).float()

# Boxes: three labels over six images, one image without ground-truth boxes, one without predictions, one with more than
# 100 predictions of a label, and a label that is predicted but has no ground truth.
truth, predicted = [], []
for image in range(6):
    for k in range(0 if image == 2 else int(rng.integers(1, 6))):
        x, y = rng.uniform(0, 60, 2)
        w, h = rng.uniform(8, 40, 2)
        label = int(rng.integers(0, 3))
        truth.append([image, label, x, y, x + w, y + h])
        for _ in range(0 if image == 4 else int(rng.integers(0, 4))):
            wander = rng.normal(0, 2.5, 4)
            score = rng.uniform(0.3, 1)
            seen = label if rng.uniform() < 0.85 else 3 - label
            predicted.append([image, seen, x + wander[0], y + wander[1], x + w + wander[2], y + h + wander[3], score])
    if image == 4:
        continue
    for _ in range(130 if image == 1 else 4):
        x, y = rng.uniform(0, 60, 2)
        predicted.append([image, 0 if image == 1 else int(rng.integers(0, 4)), x, y, x + 15, y + 20, rng.uniform(0, 0.6)])

# A ground-truth box that only the last of more than 100 predictions matches: too late to count.
truth.append([1, 0, 70, 70, 99, 95])
predicted.append([1, 0, 70, 70, 99, 95, 0.001])

# The file contains float32: score exactly those numbers.
truth = np.array(truth, np.float32)
predicted = np.array(predicted, np.float32)


def corner_size(row):
    x0, y0, x1, y1 = (float(v) for v in row)
    return [x0, y0, x1 - x0, y1 - y0]


coco = COCO()
coco.dataset = {
    "images": [{"id": i} for i in range(6)],
    "categories": [{"id": c} for c in range(4)],
    "annotations": [
        {"id": i + 1, "image_id": int(r[0]), "category_id": int(r[1]), "bbox": corner_size(r[2:6]), "area": 100.0, "iscrowd": 0}
        for i, r in enumerate(truth)
    ],
}
with contextlib.redirect_stdout(io.StringIO()):
    coco.createIndex()
    found = coco.loadRes([
        {"image_id": int(r[0]), "category_id": int(r[1]), "bbox": corner_size(r[2:6]), "score": float(r[6])} for r in predicted
    ])
    judge = COCOeval(coco, found, "bbox")
    # Zero or negative sizes cannot occur here; all areas count.
    judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
    judge.evaluate()
    judge.accumulate()
precision = judge.eval["precision"][:, :, :, 0, -1]  # [threshold, recall, label]
per_label = [precision[:, :, c].mean() for c in range(3)]
tensors |= {
    "in.truth": torch.from_numpy(truth), "in.predicted": torch.from_numpy(predicted),
    "out.ap": torch.tensor([np.mean(per_label), precision[0, :, :3].mean(), precision[5, :, :3].mean(), *per_label]).float(),
}
assert (precision[:, :, 3] == -1).all() and 0.2 < np.mean(per_label) < 0.9, per_label
save_case("metrics-images", tensors, seed=SEED, tolerance=1e-6, note="Stored as float32; computed in float64 on both sides.")
