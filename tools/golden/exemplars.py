"""Fixtures universeg, a small UniverSeg of uneven widths in the form of the published weights, and universeg-images, its inputs.

Needs a checkout of https://github.com/JJGO/UniverSeg, which no package provides, with einops and pydantic:

    PYTHONPATH=UniverSeg .venv-reference/bin/python tools/golden/exemplars.py
"""
import numpy as np
import torch
from PIL import Image
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


def make_images(name, seed):
    """A colour image and a mask as the authors' example data prepare them, then min-max as their README asks for."""
    pixels = (torch.sigmoid(noise((37, 53, 3), seed)) * 180 + 40).round().to(torch.uint8)
    mask = (noise((37, 53), seed + 1) > 0.2).to(torch.uint8)
    size = (32, 32)
    grey = Image.fromarray(pixels.numpy()).resize(size, resample=Image.BILINEAR).convert("L")
    grey = torch.from_numpy(np.array(grey).astype(np.float32))
    small = torch.from_numpy(np.array(Image.fromarray(mask.numpy()).resize(size, resample=Image.NEAREST)))
    case = {"in.image": pixels, "in.mask": mask, "out.grey": (grey - grey.min()) / (grey.max() - grey.min()), "out.mask": small}
    save_case(name, case, seed=seed, tolerance=1e-6, note="bytes on the way, one division at the end")


if __name__ == "__main__":
    make_images("universeg-images", 72)
    make("universeg", 71)
