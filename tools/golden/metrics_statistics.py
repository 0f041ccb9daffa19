"""Golden values for overlaps, ROC curves, tests and rank correlation, from scikit-learn and scipy (`pip install scikit-learn`)."""
import itertools

import numpy as np
import torch
from common import save_case
from scipy import ndimage, stats
from sklearn.metrics import f1_score, jaccard_score, roc_auc_score, roc_curve

SEED = 47
HEIGHT, WIDTH = 19, 31
rng = np.random.default_rng(SEED)


def single(values):
    """Rounded to float32, as in the file, as float64."""
    return np.asarray(values, np.float32).astype(np.float64)


# Overlaps by scikit-learn on flattened masks: empty, full and one pixel among them. Two empty masks: 1.
blob = ndimage.gaussian_filter(rng.standard_normal((HEIGHT, WIDTH)), 2) > 0.03
pixel = np.zeros((HEIGHT, WIDTH), bool)
pixel[11, 3] = True
masks = [blob, np.roll(blob, (2, 3), (0, 1)), pixel, np.zeros_like(pixel), np.ones_like(pixel), ~blob]
overlaps = [
    [f1_score(b.ravel(), a.ravel(), zero_division=1.0), jaccard_score(b.ravel(), a.ravel(), zero_division=1.0)]
    for a, b in itertools.product(masks, repeat=2)
]

# Scores with ties within and across the classes.
present = single(np.round(rng.beta(4, 2, 60), 2))
absent = single(np.round(rng.beta(2, 4, 45), 2))
labels = np.r_[np.ones(60), np.zeros(45)]
scores = np.r_[present, absent]
false_alarms, detections, thresholds = roc_curve(labels, scores, drop_intermediate=False)

# Paired values: exact without ties, exact with ties and a zero difference, approximate with and without ties.
pairs = {
    "small": (single(rng.normal(0.7, 0.2, 23)), single(rng.normal(0.6, 0.2, 23))),
    "large": (single(rng.normal(0.7, 0.2, 90)), single(rng.normal(0.66, 0.2, 90))),
    "ties": (single(rng.integers(0, 6, 12) / 4), single(rng.integers(0, 6, 12) / 4)),
    "largeties": (single(rng.integers(0, 9, 120) / 8), single(rng.integers(0, 9, 120) / 8)),
}
everything = stats.PermutationMethod(n_resamples=np.inf)
results = []
for name, (a, b) in pairs.items():
    method = {"small": "exact", "ties": everything}.get(name, "asymptotic")
    a, b = (a[a != b], b[a != b]) if name == "ties" else (a, b)
    found = stats.wilcoxon(a, b, method=method, correction=False)
    results.append([found.statistic, found.pvalue])

x = single(np.round(rng.uniform(0, 1, 40), 1))
y = single(np.round(x + rng.normal(0, 0.3, 40), 1))
ps = single([0.01, 0.04, 0.03, 0.005, 0.8])
order = np.argsort(ps)
corrected = np.empty(5)
corrected[order] = np.maximum.accumulate(np.minimum(1, (5 - np.arange(5)) * ps[order]))

tensors = {
    "in.masks": torch.from_numpy(np.stack(masks).astype(np.int32)),
    "out.overlaps": torch.tensor(overlaps).float(),
    "in.present": torch.from_numpy(present).float(), "in.absent": torch.from_numpy(absent).float(),
    "out.roc": torch.from_numpy(np.stack([false_alarms, detections], 1)).float(),
    "out.thresholds": torch.from_numpy(thresholds[1:]).float(),
    "out.auc": torch.tensor(roc_auc_score(labels, scores)).float(),
    "out.wilcoxon": torch.tensor(results).float(),
    "in.x": torch.from_numpy(x).float(), "in.y": torch.from_numpy(y).float(),
    "out.spearman": torch.tensor(stats.spearmanr(x, y).statistic).float(),
    "out.ranks": torch.from_numpy(stats.rankdata(y)).float(),
    "in.ps": torch.from_numpy(ps).float(), "out.holm": torch.from_numpy(corrected).float(),
}
for name, (a, b) in pairs.items():
    tensors |= {f"in.{name}.a": torch.from_numpy(a).float(), f"in.{name}.b": torch.from_numpy(b).float()}
assert 0.5 < tensors["out.auc"] < 1 and all(1e-6 < p < 1 for _, p in results), results
save_case("metrics-statistics", tensors, seed=SEED, tolerance=1e-6, note="Stored as float32; computed in float64 on both sides.")
