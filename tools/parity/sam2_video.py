"""Full-size parity of SAM 2's memory with the PyTorch reference: two objects, boxes on the first frame.

Creates a model with random weights, runs the reference's own loop and this project's tracker side by side over the same frames, and
prints for each frame, as soon as both have it, the largest difference of the logits relative to their largest value; last the processor
seconds a frame of both.

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
    """Yields the logits of each frame, [objects, 256, 256], and the processor seconds that it took."""
    session = session_of(model, images)
    start = time.process_time()
    for out in model.propagate_in_video_iterator(session):
        yield out.pred_masks[:, 0], time.process_time() - start
        start = time.process_time()


def awaited(file, tracker):
    """A frame of the tracker, once it is written."""
    while not file.exists():
        if tracker.poll() is not None and not file.exists():
            sys.exit("the tracker failed")
        time.sleep(0.1)
    return load_file(file)


def compare(size, frames):
    model, images = build(size), clip(frames)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model.save_pretrained(folder)
        (folder / "frames.bin").write_bytes(images.numpy().tobytes())
        (folder / "clip.json").write_text(json.dumps({"frames": frames, "side": images.shape[1], "boxes": BOXES}))
        tracker = subprocess.Popen(["node", ROOT / "tools" / "parity" / "track-clip.mjs", folder])
        errors, ours, theirs = [], [], []
        for t, (wanted, seconds) in enumerate(reference(model, images)):
            assert wanted.min() > -1024, "an object was not visible"
            got = awaited(folder / f"{t}.safetensors", tracker)
            found = torch.stack([got[str(obj)] for obj in BOXES])
            errors.append(((found - wanted).abs().max() / wanted.abs().max()).item())
            ours.append(got["seconds"].item())
            theirs.append(seconds)
            print(f"  {size}, frame {t}: {errors[-1]:.1e}; {ours[-1]:.2f} processor seconds, the reference {seconds:.2f}", flush=True)
        if tracker.wait() != 0:
            sys.exit("the tracker failed")
    settled = slice(min(7, frames - 2), None)
    print(f"{size}: {frames} frames, two objects: relative error of logits {errors[-1]:.1e} on the last frame, {max(errors):.1e} at most")
    print(f"  {np.median(ours[settled]):.2f} processor seconds a frame, the reference {np.median(theirs[settled]):.2f}", flush=True)
    return errors[-1]


parser = argparse.ArgumentParser()
parser.add_argument("sizes", nargs="+", choices=list(HIERA))
parser.add_argument("--frames", type=int, default=30)
arguments = parser.parse_args()
sys.exit(max([compare(one, arguments.frames) for one in arguments.sizes]) > 1e-3)
