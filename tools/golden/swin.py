"""Fixtures swin-*: the Swin backbone alone, with the keys of a Grounding DINO checkpoint.

Run: .venv-reference/bin/python tools/golden/swin.py
"""
import torch
from transformers import SwinBackbone, SwinConfig

from common import noise, perturb, save_case

# In-memory names of the reference, and the names that `save_pretrained` writes.
RENAMES = [
    ("swin.embeddings.", "embeddings."),
    ("swin.encoder.", "encoder."),
    ("attention.q_proj", "attention.self.query"),
    ("attention.k_proj", "attention.self.key"),
    ("attention.v_proj", "attention.self.value"),
    ("attention.relative_position_bias.relative_position_bias_table", "attention.self.relative_position_bias_table"),
    ("attention.o_proj", "attention.output.dense"),
    ("mlp.fc1", "intermediate.dense"),
    ("mlp.fc2", "output.dense"),
]

CASES = {
    # 53x38 px: 14x10 patches; windows of 3 (shift 1); odd map sides at the second merging; outputs of two stages.
    "swin-odd": dict(
        config=dict(embed_dim=8, depths=[2, 3, 2], num_heads=[2, 4, 2], window_size=3, mlp_ratio=2.5, out_indices=[2, 3]),
        image=(2, 3, 53, 38), grad=True,
    ),
    # 21x50 px in patches of 5: 5x10; windows of 7 (shift 3) larger than every map; no biases, relu, the stem among the outputs.
    "swin-large-window": dict(
        config=dict(patch_size=5, num_channels=4, embed_dim=6, depths=[2, 2], num_heads=[3, 2], window_size=7, mlp_ratio=1.5,
                    qkv_bias=False, hidden_act="relu", layer_norm_eps=1e-3, out_features=["stem", "stage1", "stage2"]),
        image=(2, 4, 21, 50), grad=False,
    ),
    # Absolute positions for 24x16 px (6x4 patches), used at that size.
    "swin-absolute": dict(
        config=dict(image_size=[24, 16], embed_dim=4, depths=[1, 2], num_heads=[1, 2], window_size=2, use_absolute_embeddings=True,
                    out_indices=[1, 2]),
        image=(2, 3, 24, 16), grad=False,
    ),
    # The same idea for 20x20 px, interpolated to 28x36.
    "swin-interpolated": dict(
        config=dict(image_size=20, embed_dim=4, depths=[1, 2], num_heads=[1, 2], window_size=4, use_absolute_embeddings=True,
                    out_indices=[1, 2]),
        image=(2, 3, 28, 36), grad=True, interpolate_pos_encoding=True,
    ),
}


def saved_name(name):
    for old, new in RENAMES:
        name = name.replace(old, new)
    return name


def make(name, seed, config, image, grad, **kwargs):
    torch.manual_seed(seed)
    model = perturb(SwinBackbone(SwinConfig(**config)), seed, std=0.1)
    pixels = noise(image, seed + 1)
    maps = model(pixels, **kwargs).feature_maps
    tensors = {"in.pixel_values": pixels} | {f"out.{i}": m for i, m in enumerate(maps)}
    if grad:
        douts = [noise(m.shape, seed + 2 + i) for i, m in enumerate(maps)]
        tensors |= {f"in.grad.{i}": d for i, d in enumerate(douts)}
        sum((m * d).sum() for m, d in zip(maps, douts)).backward()
        tensors |= {f"grad.{saved_name(n)}": p.grad for n, p in model.named_parameters() if p.grad is not None}
    save_case(name, tensors, seed=seed, tolerance=1e-4, model=model, note="forward of whole small backbones; gradients to 1e-3")


if __name__ == "__main__":
    for i, (name, case) in enumerate(CASES.items()):
        make(name, 10 * (i + 1), **case)
