"""Fixture lora-authors: an adapter in the format of the published training script, in the authors' naming.

Run after grounding_dino.py: .venv-reference/bin/python tools/golden/lora_authors.py

The published set: adapters with rank = alpha, including some in the shared box head, whose last layer is trained in full. The
outputs are those of transformers with the same matrices in each of its separate heads.
"""
import argparse
import collections
import re

import peft
import torch
from safetensors.torch import load_file
from transformers import GroundingDinoForObjectDetection

from authors import authors_name
from common import FIXTURES, save_case

BASE, NAME, SEED, RANK = "grounding-dino-four-levels", "lora-authors", 61, 3
TARGETS = (
    r"model\.text_projection"
    r"|model\.encoder\.layers\.\d+\.(deformable_layer\.fc[12]|text_enhancer_layer\.(fc[12]|self_attn\.out_proj))"
    r"|model\.decoder\.layers\.\d+\.(encoder_attn\.(sampling_offsets|attention_weights|value_proj|output_proj)"
    r"|(encoder_attn_text|self_attn)\.out_proj|fc[12])"
    r"|model\.decoder\.bbox_embed\.\d+\.layers\.[01]"
)

model = GroundingDinoForObjectDetection.from_pretrained(FIXTURES / BASE).eval()
model.get_input_embeddings = lambda: model.model.text_backbone.embeddings.word_embeddings  # required by peft
peft.inject_adapter_in_model(peft.LoraConfig(r=RANK, lora_alpha=RANK, target_modules=TARGETS), model)
generator = torch.Generator().manual_seed(SEED)
last = model.bbox_embed[0].layers[2]
with torch.no_grad():
    for name, parameter in model.named_parameters():
        if "lora_" in name or parameter is last.weight or parameter is last.bias:
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.05)
    for head in model.bbox_embed[1:]:
        for layer, first in zip(head.layers[:2], model.bbox_embed[0].layers[:2]):
            layer.lora_A.default.weight.copy_(first.lora_A.default.weight)
            layer.lora_B.default.weight.copy_(first.lora_B.default.weight)
case = load_file(FIXTURES / BASE / "case.safetensors")
inputs = {key: case[f"in.{key}"] for key in ("pixel_values", "pixel_mask", "input_ids", "attention_mask", "token_type_ids")}
with torch.no_grad():
    outputs = model(**inputs)

state = collections.OrderedDict()
for key, value in model.state_dict().items():
    found = re.fullmatch(r"(.+)\.lora_([AB])\.default\.weight", key)
    if found and not key.startswith("bbox_embed."):
        name = authors_name(f"{found[1]}.weight").removesuffix(".weight")
        # The script filters the whole state by name, so that it contains both copies of the shared head.
        state[f"base_model.model.{name}.lora_{found[2]}.weight"] = value.clone()
        if "transformer.decoder.bbox_embed" in name:
            state[f"base_model.model.{name.removeprefix('transformer.decoder.')}.lora_{found[2]}.weight"] = value.clone()
for head in range(len(model.bbox_embed)):
    for kind, value in (("weight", last.weight), ("bias", last.bias)):
        state[f"base_model.model.transformer.decoder.bbox_embed.{head}.layers.2.{kind}"] = value.detach().clone()
folder = FIXTURES / NAME
folder.mkdir(exist_ok=True)
checkpoint = {"epoch": 7, "model": state, "optimizer_state_dict": {"state": {}, "param_groups": [{"lr": 5e-4}]},
              "loss": 1.5, "args": argparse.Namespace(lr=5e-4)}
torch.save(checkpoint, folder / "best_model.pth")
save_case(NAME, {"out.logits": outputs.logits, "out.pred_boxes": outputs.pred_boxes}, seed=SEED, tolerance=1e-3,
          note="a whole model")
