"""PyTorch's side of deformable-attention.mjs: the usual formulation by grid_sample, one timing for each line read.

Reads the sizes, then the inputs, from the file named on the command line; then answers each line "forward" or "both" with
milliseconds.
"""

import json
import sys
import time

import numpy as np
import torch
from torch.nn.functional import grid_sample

with open(sys.argv[1] + ".json") as file:
    sizes = json.load(file)
numbers = torch.from_numpy(np.fromfile(sys.argv[1], dtype=np.float32))
torch.set_num_threads(sizes["threads"])
levels, shapes = sizes["levels"], sizes["shapes"]
inputs = [part.reshape(shape) for part, shape in zip(numbers.split([int(np.prod(s)) for s in shapes]), shapes)]
value, locations, weights, gradient = inputs


def attend(value, locations, weights):
    b, s, h, d = value.shape
    _, q, _, n, p, _ = locations.shape
    grids = 2 * locations - 1
    sampled = []
    for level, part in enumerate(value.split([y * x for y, x in levels], dim=1)):
        y, x = levels[level]
        image = part.flatten(2).transpose(1, 2).reshape(b * h, d, y, x)
        grid = grids[:, :, :, level].transpose(1, 2).flatten(0, 1)  # [B * H, Q, P, 2]
        sampled.append(grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=False))
    share = weights.transpose(1, 2).reshape(b * h, 1, q, n * p)
    out = (torch.stack(sampled, dim=-2).flatten(-2) * share).sum(-1)  # [B * H, D, Q]
    return out.view(b, h * d, q).transpose(1, 2).contiguous()


def forward():
    with torch.no_grad():
        return attend(value, locations, weights)


def both():
    xs = [x.detach().requires_grad_() for x in (value, locations, weights)]
    out = attend(*xs)
    return torch.autograd.grad(out, xs, gradient)


print(f"torch {torch.__version__}", flush=True)
for line in sys.stdin:
    run = forward if line.strip() == "forward" else both
    begin = time.perf_counter()
    result = run()
    milliseconds = (time.perf_counter() - begin) * 1e3
    checks = [float(x.double().abs().mean()) for x in (result if isinstance(result, tuple) else (result,))]
    print(json.dumps({"milliseconds": milliseconds, "checks": checks}), flush=True)
