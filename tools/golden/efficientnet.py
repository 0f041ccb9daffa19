"""Fixture efficientnet: an EfficientNet-Lite of timm as Grounding DINO's backbone, its batch norms frozen by timm.

Without `freeze_batch_norm_2d`, transformers 5.18 replaces the norms itself, and loses the activations that timm's norms contain.

Needs timm with torchvision. Run: .venv-reference/bin/python tools/golden/efficientnet.py
"""
import re

import without_torchvision  # noqa: F401
import torch
from safetensors.torch import save_file
from transformers import GroundingDinoConfig, TimmBackboneConfig
from transformers.models.grounding_dino.modeling_grounding_dino import GroundingDinoConvEncoder

from common import FIXTURES, noise, perturb, save_case

# 45x38 px: odd sides, so that padding is uneven now and then. Widths and repeats of a larger one; the stages after the last output,
# which timm keeps, are left out.
CONFIG = TimmBackboneConfig(backbone="tf_efficientnet_lite2", out_indices=[1, 2], freeze_batch_norm_2d=True)
IMAGE = (2, 3, 45, 38)


def make(name, seed):
    torch.manual_seed(seed)
    encoder = GroundingDinoConvEncoder(GroundingDinoConfig(backbone_config=CONFIG))
    backbone = perturb(encoder.model, seed, std=0.05)
    generator = torch.Generator().manual_seed(seed + 9)
    for key, buffer in backbone.named_buffers():
        if key.endswith("running_var"):
            buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.5)
        else:
            buffer.add_(torch.randn(buffer.shape, generator=generator) * 0.3)
    pixels = noise(IMAGE, seed + 1)
    maps = backbone(pixels).feature_maps
    douts = [noise(m.shape, seed + 2 + i) for i, m in enumerate(maps)]
    sum((m * d).sum() for m, d in zip(maps, douts)).backward()
    tensors = {"in.pixel_values": pixels}
    tensors |= {f"out.{i}": m for i, m in enumerate(maps)} | {f"in.grad.{i}": d for i, d in enumerate(douts)}
    tensors |= {f"grad.{n}": p.grad for n, p in backbone.named_parameters() if p.grad is not None}
    folder = FIXTURES / name
    folder.mkdir(parents=True, exist_ok=True)
    CONFIG.to_json_file(folder / "config.json", use_diff=False)
    used = {k: v.contiguous() for k, v in backbone.state_dict().items() if not re.search(r"blocks\.[3-6]\.", k)}
    save_file(used, folder / "model.safetensors", metadata={"format": "pt"})
    save_case(name, tensors, seed=seed, tolerance=1e-4, note="forward of a whole backbone; gradients to 1e-3")


if __name__ == "__main__":
    make("efficientnet", 31)
