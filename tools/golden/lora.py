"""Fixture lora-detector: a LoRA adapter written by Python's peft, and its outputs with the model of grounding-dino-four-levels.

Run after grounding_dino.py: .venv-reference/bin/python tools/golden/lora.py
"""
import json

import peft
import torch
from safetensors.torch import load_file, save_file
from transformers import GroundingDinoForObjectDetection

from common import FIXTURES, save_case

BASE = "grounding-dino-four-levels"
NAME = "lora-detector"
SEED = 51

# The paper's set at a rank that differs from alpha, with two layers of other ranks and one of another alpha.
TARGETS = (
    r"model\.(encoder\.layers\.\d+\.(deformable_layer\.(fc1|fc2)|text_enhancer_layer\.(fc1|fc2)|fusion_layer\.attn\.\w+_proj)"
    r"|decoder\.layers\.\d+\.(encoder_attn\.(sampling_offsets|attention_weights|value_proj|output_proj)"
    r"|encoder_attn_text\.(query|key|value|out_proj)|fc1|fc2)"
    r"|text_backbone\.encoder\.layer\.\d+\.(attention\.output|intermediate|output)\.dense|text_projection)"
)

model = GroundingDinoForObjectDetection.from_pretrained(FIXTURES / BASE).eval()
# Required by peft, but not defined by transformers for this model.
model.get_input_embeddings = lambda: model.model.text_backbone.embeddings.word_embeddings
config = peft.LoraConfig(
    r=3, lora_alpha=5, target_modules=TARGETS, modules_to_save=[f"bbox_embed.{i}" for i in range(len(model.bbox_embed))],
    rank_pattern={r"model\.text_projection": 2, r"decoder\.layers\.1\.fc1": 4}, alpha_pattern={r"model\.text_projection": 7},
)
wrapped = peft.inject_adapter_in_model(config, model)
generator = torch.Generator().manual_seed(SEED)
with torch.no_grad():
    for name, parameter in wrapped.named_parameters():
        if parameter.requires_grad:
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.05)
    # peft copies the shared box head once for each decoder layer: keep the copies one head.
    heads = [head.modules_to_save["default"] for head in model.bbox_embed]
    for head in heads[1:]:
        head.load_state_dict(heads[0].state_dict())
wrapped.eval()

case = load_file(FIXTURES / BASE / "case.safetensors")
inputs = {key: case[f"in.{key}"] for key in ("pixel_values", "pixel_mask", "input_ids", "attention_mask", "token_type_ids")}
with torch.no_grad():
    outputs = wrapped(**inputs)

folder = FIXTURES / NAME
folder.mkdir(parents=True, exist_ok=True)
state = peft.get_peft_model_state_dict(wrapped)
save_file({key: value.contiguous().clone() for key, value in state.items()}, folder / "adapter_model.safetensors", metadata={"format": "pt"})
settings = {key: sorted(value) if isinstance(value, set) else value for key, value in config.to_dict().items()}
(folder / "adapter_config.json").write_text(json.dumps(settings, indent=2, default=str) + "\n")
save_case(NAME, {"out.logits": outputs.logits, "out.pred_boxes": outputs.pred_boxes}, seed=SEED, tolerance=1e-3,
          note="a whole model")
