"""Full-size parity of SAM 2's memory with the PyTorch reference: two objects, boxes on the first frame.

Creates a model with random weights, runs the reference's own loop and this project's tracker over the same frames, and prints the largest
difference of the logits on each frame relative to their largest value, and the processor seconds a frame of both.

    .venv-reference/bin/python tools/parity/sam2_video.py tiny base-plus [--frames 30]
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import Sam2HieraDetConfig, Sam2VideoConfig, Sam2VideoModel, Sam2VisionConfig
from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

from maskers import HIERA, ROOT

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
BOXES = {1: [150, 200, 500, 520], 2: [560, 500, 900, 880]}


def build(size):
    torch.manual_seed(0)
    backbone = Sam2HieraDetConfig(**HIERA[size])
    vision = Sam2VisionConfig(backbone_config=backbone, backbone_channel_list=list(backbone.embed_dim_per_stage)[::-1])
    model = Sam2VideoModel(Sam2VideoConfig(vision_config=vision)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
        places = torch.randn(2, 128)  # same range as published ones
        model.shared_image_embedding.positional_embedding.copy_(places)
        model.prompt_encoder.shared_embedding.positional_embedding.copy_(places)
        # Logits of the size of trained ones, and objects that are visible: otherwise all masks are the same constant.
        for network in model.mask_decoder.output_hypernetworks_mlps:
            network.proj_out.weight.mul_(30)
        model.mask_decoder.pred_obj_score_head.proj_out.bias.add_(5)
    return model


def clip(frames, side=1024):
    """Speckle with two blobs that move. [F, H, W, 3] uint8."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side]
    images = []
    for t in range(frames):
        image = generator.rayleigh(30, (side, side))
        image += 120 * (((x - 320 - 8 * t) / 150) ** 2 + ((y - 360) / 120) ** 2 < 1)
        image += 160 * (((x - 730) / 130) ** 2 + ((y - 690 + 6 * t) / 150) ** 2 < 1)
        images.append(np.repeat(image.clip(0, 255).astype(np.uint8)[..., None], 3, -1))
    return torch.from_numpy(np.stack(images))


def reference(model, images):
    """Logits by frame, [objects, 256, 256], and the processor seconds of each frame."""
    pixels = ((images / 255 - MEAN) / STD).permute(0, 3, 1, 2).float()
    session = Sam2VideoInferenceSession(video=pixels, video_height=images.shape[1], video_width=images.shape[2], dtype=torch.float32)
    for obj, box in BOXES.items():
        session.add_point_inputs(session.obj_id_to_idx(obj), 0, {
            "point_coords": torch.tensor(box, dtype=torch.float32).reshape(1, 1, 2, 2), "point_labels": torch.tensor([[[2, 3]]])})
    session.obj_with_new_inputs = list(BOXES)
    model(session, frame_idx=0)
    logits, seconds, start = [], [], time.process_time()
    for out in model.propagate_in_video_iterator(session):
        logits.append(out.pred_masks[:, 0])
        seconds.append(time.process_time() - start)
        start = time.process_time()
    return logits, seconds


def compare(size, frames):
    model, images = build(size), clip(frames)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model.save_pretrained(folder)
        (folder / "frames.bin").write_bytes(images.numpy().tobytes())
        (folder / "clip.json").write_text(json.dumps({"frames": frames, "side": images.shape[1], "boxes": BOXES}))
        subprocess.run(["node", ROOT / "tools" / "parity" / "track-clip.mjs", folder], check=True)
        got = load_file(folder / "out.safetensors")
        ours = json.loads((folder / "seconds.json").read_text())
    expected, theirs = reference(model, images)
    errors = []
    for t, wanted in enumerate(expected):
        found = torch.stack([got[f"{t}.{obj}"] for obj in BOXES])
        errors.append(((found - wanted).abs().max() / wanted.abs().max()).item())
    assert min(wanted.min() for wanted in expected) > -1024, "an object was not visible"
    settled = slice(min(7, frames - 2), None)
    print(f"{size}: {frames} frames, two objects: relative error of logits {errors[-1]:.1e} on the last frame, {max(errors):.1e} at most")
    print(f"  {np.median(ours[settled]):.2f} processor seconds a frame, the reference {np.median(theirs[settled]):.2f}", flush=True)
    return errors[-1]


parser = argparse.ArgumentParser()
parser.add_argument("sizes", nargs="+", choices=list(HIERA))
parser.add_argument("--frames", type=int, default=30)
arguments = parser.parse_args()
sys.exit(max([compare(one, arguments.frames) for one in arguments.sizes]) > 1e-3)
