"""Full-size parity: a Grounding DINO with random weights, run by `npm run forward` and by the reference.

    .venv-reference/bin/python tools/parity/grounding_dino.py [--size tiny|base|mm-tiny|lite0] [--form FORM] [--image 800x800] [--batch 1]

FORM is the format of the weights: `f32`, `f16` or `bf16` in one safetensors file, `sharded` safetensors, or `pth`, the authors'
format and naming. The reference uses exactly the stored values.

With random weights the order of selected queries is ambiguous where scores tie, so rows are paired one to one with the nearest
prediction. Prints the share of rows that agree within 2e-3 (boxes absolute in [0, 1], logits relative to the largest of all),
and the largest errors among them; exits with 1 if fewer than 99 % do.
"""
import argparse
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "golden"))
if "lite0" in sys.argv:  # needs timm with torchvision
    import without_torchvision  # noqa: E402, F401

import torch
from safetensors.torch import load_file, save_file
from scipy.optimize import linear_sum_assignment
from transformers import (
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    MMGroundingDinoConfig,
    MMGroundingDinoForObjectDetection,
)

from authors import in_authors_names, published_shape  # noqa: E402

SWIN_B = dict(model_type="swin", embed_dim=128, depths=[2, 2, 18, 2], num_heads=[4, 8, 16, 32], window_size=12, image_size=384,
              out_indices=[2, 3, 4])
LITE0 = dict(model_type="timm_backbone", backbone="tf_efficientnet_lite0", out_indices=[2, 3, 4], freeze_batch_norm_2d=True)
SIZES = {
    "tiny": lambda: GroundingDinoForObjectDetection(GroundingDinoConfig()),
    "base": lambda: GroundingDinoForObjectDetection(GroundingDinoConfig(backbone_config=SWIN_B)),
    "lite0": lambda: GroundingDinoForObjectDetection(GroundingDinoConfig(backbone_config=LITE0)),
    "mm-tiny": lambda: MMGroundingDinoForObjectDetection(MMGroundingDinoConfig()),
}
TOLERANCE, SHARE = 2e-3, 0.99


def store(model, form, folder):
    """Writes the weights in a format, and loads the stored values back into the model."""
    model.save_pretrained(folder, max_shard_size="200MB" if form == "sharded" else "50GB")
    file = folder / "model.safetensors"
    if form in ("f16", "bf16"):
        half = torch.float16 if form == "f16" else torch.bfloat16
        weights = {key: value.to(half) for key, value in load_file(file).items()}
        save_file(weights, file, metadata={"format": "pt"})
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(parameter.to(half).float())
    if form == "pth":
        weights = {key: value for key, value in load_file(file).items() if ".swin.layernorm." not in key}
        full = published_shape(in_authors_names(weights), copies=6)
        torch.save({"model": {f"module.{key}": value for key, value in full.items()}}, folder / "model.pth")
        file.unlink()
        return folder / "model.pth"
    return folder


def inputs_for(model, batch, height, width):
    """Images, all but the first padded, and prompts of several phrases and lengths."""
    prompts = [[101, 28378, 22144, 1012, 22330, 3367, 1012, 102], [101, 14246, 1012, 102, 0, 0, 0, 0]]
    ids = torch.tensor([prompts[i % 2] for i in range(batch)])
    mask = torch.ones(batch, height, width, dtype=torch.long)
    for i in range(1, batch):
        mask[i, height - 37 * i:] = 0
        mask[i, :, width - 59 * i:] = 0
    pixels = torch.randn(batch, 3, height, width) * mask[:, None]
    return dict(pixel_values=pixels, pixel_mask=mask, input_ids=ids, attention_mask=(ids != 0).long(),
                token_type_ids=torch.zeros_like(ids))


def compare(ours, theirs, text):
    """Pairs the rows of one image; returns the box and logit errors of each pair."""
    logits = [side["logits"][:, text] for side in (ours, theirs)]
    boxes = [side["pred_boxes"] for side in (ours, theirs)]
    scale = logits[1].abs().max()
    of_boxes = torch.cdist(*boxes, p=float("inf"))
    of_logits = torch.cdist(*[side.contiguous() for side in logits], p=float("inf")) / scale
    rows, columns = linear_sum_assignment(torch.maximum(of_boxes, of_logits).clamp(max=1).numpy())
    return of_boxes[rows, columns], of_logits[rows, columns]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument("--form", choices=["f32", "f16", "bf16", "sharded", "pth"], default="f32")
    parser.add_argument("--image", default="800x800")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    height, width = map(int, options.image.split("x"))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sonoground-parity-"))
    try:
        model = SIZES[options.size]().eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.02)
        path = store(model, options.form, folder)
        inputs = inputs_for(model, options.batch, height, width)
        save_file(inputs, folder / "inputs.safetensors")
        with torch.inference_mode():
            theirs = model(**inputs)
        del model
        begin = time.perf_counter()
        subprocess.run(["node", ROOT / "scripts" / "run.mjs", "forward", "--model", path, "--inputs", folder / "inputs.safetensors",
                        "--outputs", folder / "outputs.safetensors"], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - begin
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        ours = load_file(folder / "outputs.safetensors")
    finally:
        shutil.rmtree(folder)
    errors = []
    for i in range(options.batch):
        text = inputs["attention_mask"][i].nonzero()[:, 0]
        infinite = theirs.logits[i].isinf()
        assert torch.equal(ours["logits"][i].isinf(), infinite), "-inf stands elsewhere"
        errors.append(compare({key: value[i] for key, value in ours.items()},
                              dict(logits=theirs.logits[i], pred_boxes=theirs.pred_boxes[i]), text))
    of_boxes, of_logits = (torch.cat(part) for part in zip(*errors))
    good = (of_boxes <= TOLERANCE) & (of_logits <= TOLERANCE)
    share = good.float().mean().item()
    print(f"{options.size} {options.form} {options.batch}x{height}x{width}: {share:.2%} of {len(good)} rows within {TOLERANCE}; "
          f"among them boxes {of_boxes[good].max():.1e}, logits {of_logits[good].max():.1e}, "
          f"median {of_boxes.median():.1e}, {of_logits.median():.1e}; forward took {seconds:.1f} s, {peak:.2f} GB")
    sys.exit(0 if share >= SHARE else 1)


if __name__ == "__main__":
    main()
