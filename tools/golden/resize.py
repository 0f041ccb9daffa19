"""Golden fixtures of separable resizing: torch's interpolate, bilinear, antialiased and bicubic, up and down at odd ratios, with gradients.

    .venv-reference/bin/python tools/golden/resize.py
"""
import torch
import torch.nn.functional as F

from common import noise, save_case

torch.set_num_threads(1)

SIZES = {"up": (11, 17), "down": (3, 4), "mixed": (9, 2), "one": (1, 13), "same": (5, 7)}

case = {"in.maps": noise((2, 3, 5, 7), 21)}
for seed, (name, size) in enumerate(SIZES.items()):
    for mode in ("bilinear", "bicubic", "antialiased"):
        maps = case["in.maps"].clone().requires_grad_()
        antialias = mode == "antialiased"
        out = F.interpolate(maps, size=size, mode="bilinear" if antialias else mode, align_corners=False, antialias=antialias)
        weights = noise(out.shape, 30 + seed)
        (out * weights).sum().backward()
        case |= {f"out.{mode}.{name}": out, f"in.d.{name}": weights, f"grad.{mode}.{name}": maps.grad}
save_case("resize-odd", case, seed=21, tolerance=1e-5, note="one op, float32 on both sides")
