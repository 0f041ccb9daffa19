"""Fixture universeg: a small UniverSeg of uneven widths, in the form of the published weights.

Needs a checkout of https://github.com/JJGO/UniverSeg, which no package provides, with einops and pydantic:

    PYTHONPATH=UniverSeg .venv-reference/bin/python tools/golden/exemplars.py
"""
import torch
from universeg import UniverSeg

from common import FIXTURES, noise, perturb, save_case

torch.set_num_threads(1)

BATCH, SUPPORTS, HEIGHT, WIDTH = 2, 3, 16, 24


def make(name, seed):
    torch.manual_seed(seed)
    model = perturb(UniverSeg(encoder_blocks=[(4, 6), (5, 7), (8, 9)], decoder_blocks=[(6, 5), (7, 4)]), seed)
    target = torch.sigmoid(noise((BATCH, 1, HEIGHT, WIDTH), seed + 1))
    images = torch.sigmoid(noise((BATCH, SUPPORTS, 1, HEIGHT, WIDTH), seed + 2))
    masks = (noise(images.shape, seed + 3) > 0.3).float()
    blocks = {}
    hooks = [
        block.register_forward_hook(lambda _m, _i, output, key=f"mid.{key}.{i}.target": blocks.update({key: output[0][:, 0]}))
        for key in ("enc_blocks", "dec_blocks") for i, block in enumerate(getattr(model, key))
    ]
    logits = model(target, images, masks)
    for hook in hooks:
        hook.remove()
    weight = noise(logits.shape, seed + 4)
    (logits * weight).sum().backward()
    case = {"in.target": target, "in.support_images": images, "in.support_masks": masks, "in.d": weight, "out.logits": logits}
    # Alone, with its first support: what holds for one support must hold for several, and the reverse.
    with torch.no_grad():
        case["out.single"] = model(target[:1], images[:1, :1], masks[:1, :1])
    case |= blocks
    case |= {f"grad.{key}": p.grad for key, p in model.named_parameters() if p.grad is not None}
    (FIXTURES / name).mkdir(exist_ok=True)
    torch.save(model.state_dict(), FIXTURES / name / "published.pt")
    save_case(name, case, seed=seed, tolerance=1e-4, note="whole model, float32 on both sides; gradients to 1e-3")


if __name__ == "__main__":
    make("universeg", 71)
