"""PyTorch's process of run.mjs for the detector. Arguments: size (nano, tiny or base), image side, threads, folder, variant.

Makes a detector with random weights and inputs for it in the folder unless they are there. side.py has the protocol.
"""
import json
import pathlib
import sys

from side import prepare_torch, serve_torch

import torch
from safetensors.torch import load_file, save_file
from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

NANO = pathlib.Path(__file__).parent.parent / "weights" / "nano-grounding-dino" / "config.json"
SIZES = {
    "nano": json.loads(NANO.read_text()),
    "tiny": {},
    "base": dict(backbone_config=dict(model_type="swin", embed_dim=128, depths=[2, 2, 18, 2], num_heads=[4, 8, 16, 32],
                                      window_size=12, image_size=384, out_indices=[2, 3, 4])),
}
WORDS = [28378, 22144, 22330, 3367]

size, side, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
folder = pathlib.Path(sys.argv[4])
variant = sys.argv[5] if len(sys.argv) > 5 else "eager"
prepare_torch(threads)
if (folder / "model.safetensors").exists():
    model = GroundingDinoForObjectDetection.from_pretrained(folder)
else:
    model = GroundingDinoForObjectDetection(GroundingDinoConfig(**SIZES[size]))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
    model.save_pretrained(folder)
model.eval()
if (folder / "inputs.safetensors").exists():
    inputs = load_file(folder / "inputs.safetensors")
else:
    first, second, third, fourth = (word % model.config.text_config.vocab_size for word in WORDS)
    ids = torch.tensor([[101, first, second, 1012, third, fourth, 1012, 102]])
    inputs = dict(pixel_values=torch.randn(1, 3, side, side), input_ids=ids, attention_mask=torch.ones_like(ids),
                  token_type_ids=torch.zeros_like(ids))
    save_file(inputs, folder / "inputs.safetensors")
inputs["pixel_mask"] = torch.ones(1, side, side, dtype=torch.long)


def run(_):
    out = model(**inputs)
    return {"logits": out.logits, "pred_boxes": out.pred_boxes}


serve_torch(variant, run, compiled=[model])
