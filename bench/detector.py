"""PyTorch's process of run.mjs for the detector. Arguments: size (nano, tiny or base), image side, threads, folder, variant.

Makes a detector with random weights and inputs for it in the folder unless they are there. side.py has the protocol.
"""
import pathlib
import sys

from random_detector import random_detector, random_inputs
from side import prepare_torch, serve_torch

size, side, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
folder = pathlib.Path(sys.argv[4])
variant = sys.argv[5] if len(sys.argv) > 5 else "eager"
prepare_torch(threads)
model = random_detector(folder, size)
model.eval()
inputs = random_inputs(folder, model, side)


def run(_):
    out = model(**inputs)
    return {"logits": out.logits, "pred_boxes": out.pred_boxes}


serve_torch(variant, run, compiled=[model])
