"""PyTorch's process of run.mjs for the masker. Arguments: size (nano or tiny), threads, folder, variant.

Makes a SAM 2 (hiera-tiny at 1024x1024, or nano) with random weights and inputs for it in the folder unless they are there.
The question `encode` runs the image encoder, a number the decoder for so many boxes. side.py has the protocol.
"""
import json
import pathlib
import sys

from side import prepare_torch, serve_torch

import torch
from safetensors.torch import load_file, save_file
from transformers import Sam2Config, Sam2Model

NANO = pathlib.Path(__file__).parent.parent / "weights" / "nano-sam2" / "config.json"
SIZES = {"nano": json.loads(NANO.read_text()), "tiny": {}}

size, threads, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
variant = sys.argv[4] if len(sys.argv) > 4 else "eager"
prepare_torch(threads)
if (folder / "model.safetensors").exists():
    model = Sam2Model.from_pretrained(folder)
else:
    model = Sam2Model(Sam2Config(**SIZES[size]))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
    model.save_pretrained(folder)
model.eval()
if (folder / "inputs.safetensors").exists():
    inputs = load_file(folder / "inputs.safetensors")
else:
    side = model.config.prompt_encoder_config.image_size
    corners = torch.rand(1, 100, 2) * 0.5 * side
    boxes = torch.cat([corners, corners + (0.05 + 0.4 * torch.rand(1, 100, 2)) * side], -1)
    inputs = dict(pixel_values=torch.randn(1, 3, side, side), input_boxes=boxes)
    save_file(inputs, folder / "inputs.safetensors")
embeddings = None


def run(question):
    global embeddings
    if question == "encode":
        embeddings = model.get_image_embeddings(inputs["pixel_values"])
        return {f"image_embeddings.{i}": embedding for i, embedding in enumerate(embeddings)}
    boxes = inputs["input_boxes"][:, : int(question)]
    out = model(image_embeddings=embeddings, input_boxes=boxes, multimask_output=False)
    return {name: out[name] for name in ("pred_masks", "iou_scores", "object_score_logits")}


serve_torch(variant, run, compiled=[model.vision_encoder, model.prompt_encoder, model.mask_decoder])
