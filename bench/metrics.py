"""The other side of metrics.mjs: the same scores of the same masks by scipy, on whole images as libraries do."""
import json
import sys
import time

import numpy as np
from scipy import ndimage

size, runs = int(sys.argv[1]), int(sys.argv[2])
y, x = np.mgrid[:size, :size].astype(float)


def blob(cx, cy, rx, ry):
    angle = np.arctan2((y - cy) / ry, (x - cx) / rx)
    return np.hypot((x - cx) / rx, (y - cy) / ry) < 1 + 0.1 * np.sin(7 * angle)


def border(mask):
    return mask & ~ndimage.binary_erosion(mask)


def scores(a, b, tolerance):
    shared = (a & b).sum()
    dsc, iou = 2 * shared / (a.sum() + b.sum()), shared / (a | b).sum()
    edge_a, edge_b = border(a), border(b)
    there, back = ndimage.distance_transform_edt(~edge_b)[edge_a], ndimage.distance_transform_edt(~edge_a)[edge_b]
    near = (there <= tolerance).sum() + (back <= tolerance).sum()
    return dsc, iou, max(np.percentile(there, 95), np.percentile(back, 95)), near / (len(there) + len(back))


a, b = blob(500, 480, 220, 150), blob(520, 500, 200, 170)
times = []
for run in range(runs + 1):
    start = time.perf_counter()
    _, _, hd95, nsd = scores(a, b, 2)
    if run > 0:
        times.append(time.perf_counter() - start)
print(json.dumps({"ms": 1000 * float(np.median(times)), "hd95": float(hd95), "nsd": float(nsd)}))
