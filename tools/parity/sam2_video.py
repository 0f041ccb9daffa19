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

from maskers import HIERA, ROOT
from video_reference import BOXES, build, clip, session_of


def reference(model, images):
    """Logits by frame, [objects, 256, 256], and the processor seconds of each frame."""
    session = session_of(model, images)
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
        ours = subprocess.Popen(["node", ROOT / "tools" / "parity" / "track-clip.mjs", folder])
        expected, theirs = reference(model, images)
        if ours.wait() != 0:
            sys.exit("the tracker failed")
        got = load_file(folder / "out.safetensors")
        ours = json.loads((folder / "seconds.json").read_text())
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
