"""Full-size parity of SAM 2's memory with the PyTorch reference: two objects, boxes on the first frame.

Creates a model with random weights, runs the reference's own loop and then this project's tracker over the same frames, and prints for
each frame the largest difference of the logits relative to their largest value; last the processor seconds a frame of both.

    .venv-reference/bin/python tools/parity/sam2_video.py tiny base-plus [--frames 30] [--keep FOLDER [--seconds 540]]

With --keep, the folder holds the model, the clip and the logits of both sides; frames that the reference has done there are not computed
again. With --seconds, the reference stops after that time, and the same command continues it.
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
from safetensors.torch import load_file, save_file

from maskers import HIERA, ROOT
from video_reference import BOXES, build, clip, session_of


def prepare(size, frames, folder):
    """The model, saved in the folder as well, beside the clip."""
    model, images = build(size), clip(frames)
    model.save_pretrained(folder)
    (folder / "frames.bin").write_bytes(images.numpy().tobytes())
    (folder / "clip.json").write_text(json.dumps({"frames": frames, "side": images.shape[1], "boxes": BOXES}))
    return model, images


def refer(model, images, folder, seconds):
    """Writes the reference's logits of each frame. Returns whether all frames are done."""
    files = [folder / "reference" / f"{t}.safetensors" for t in range(len(images))]
    stopped, begin = folder / "reference" / "session.pt", time.monotonic()
    done = sum(file.exists() for file in files)
    if done == len(files):
        return True
    files[0].parent.mkdir(exist_ok=True)
    session = torch.load(stopped, weights_only=False) if stopped.exists() else session_of(model, images)
    start = time.process_time()
    for out in model.propagate_in_video_iterator(session, start_frame_idx=done if stopped.exists() else 0):
        logits = out.pred_masks[:, 0]
        assert logits.min() > -1024, "an object was not visible"
        save_file({"logits": logits.clone(), "seconds": torch.tensor([time.process_time() - start])}, files[out.frame_idx])
        print(f"  the reference: frame {out.frame_idx}", flush=True)
        if time.monotonic() - begin > seconds and out.frame_idx + 1 < len(files):
            torch.save(session, stopped)
            return False
        start = time.process_time()
    return True


def compare(size, frames, folder, seconds):
    model, images = prepare(size, frames, folder)
    if not refer(model, images, folder, seconds):
        print("stopped; the same command continues")
        return 0
    subprocess.run(["node", ROOT / "tools" / "parity" / "track-clip.mjs", folder], check=True)
    errors, ours, theirs = [], [], []
    for t in range(frames):
        reference, got = (load_file(folder / side / f"{t}.safetensors") for side in ("reference", "tracked"))
        found, wanted = torch.stack([got[str(obj)] for obj in BOXES]), reference["logits"]
        errors.append(((found - wanted).abs().max() / wanted.abs().max()).item())
        ours.append(got["seconds"].item())
        theirs.append(reference["seconds"].item())
        print(f"  {size}, frame {t}: {errors[-1]:.1e}; {ours[-1]:.2f} processor seconds, the reference {theirs[-1]:.2f}", flush=True)
    settled = slice(min(7, frames - 2), None)
    print(f"{size}: {frames} frames, two objects: relative error of logits {errors[-1]:.1e} on the last frame, {max(errors):.1e} at most")
    print(f"  {np.median(ours[settled]):.2f} processor seconds a frame, the reference {np.median(theirs[settled]):.2f}", flush=True)
    return errors[-1]


parser = argparse.ArgumentParser()
parser.add_argument("sizes", nargs="+", choices=list(HIERA))
parser.add_argument("--frames", type=int, default=30)
parser.add_argument("--keep", type=pathlib.Path)
parser.add_argument("--seconds", type=float, default=float("inf"))
arguments = parser.parse_args()
worst = 0
for one in arguments.sizes:
    with tempfile.TemporaryDirectory() as name:
        place = (arguments.keep or pathlib.Path(name)) / f"{one}-{arguments.frames}"
        place.mkdir(parents=True, exist_ok=True)
        worst = max(worst, compare(one, arguments.frames, place, arguments.seconds))
sys.exit(worst > 1e-3)
