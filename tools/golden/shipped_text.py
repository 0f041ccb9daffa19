"""Fixture shipped-text: tokens and hidden states of the shipped detector's text backbone, by the reference's tokenizer and BERT.

Run: .venv-reference/bin/python tools/golden/shipped_text.py
"""
from pathlib import Path
import json

import torch
from safetensors.torch import load_file
from transformers import BertConfig, BertModel, BertTokenizerFast
from transformers.models.grounding_dino.modeling_grounding_dino import generate_masks_with_special_tokens_and_transfer_map

from common import save_case

FOLDER = Path("weights/ultrasound-detector")
PROMPTS = ["breast lesion. neck artery.", "space-occupying mass in the breast. skull of the fetus."]
PREFIX = "model.text_backbone."

config = json.loads((FOLDER / "config.json").read_text())["text_config"]
weights = load_file(FOLDER / "model.safetensors")
model = BertModel(BertConfig(**config), add_pooling_layer=False).eval()
text = {name.removeprefix(PREFIX): value.float() for name, value in weights.items() if name.startswith(PREFIX)}
missing, unexpected = model.load_state_dict(text, strict=False)
assert not unexpected and all("position_ids" in name for name in missing), (missing, unexpected)
tokenizer = BertTokenizerFast.from_pretrained(FOLDER)
ids = tokenizer(PROMPTS, padding=True, return_tensors="pt").input_ids
mask, positions = generate_masks_with_special_tokens_and_transfer_map(ids)
with torch.no_grad():
    states = model(ids, mask[:, None], torch.zeros_like(ids), positions).last_hidden_state
tensors = {
    "in.input_ids": ids.int(), "in.attention_mask": mask.int(), "in.token_type_ids": torch.zeros_like(ids).int(),
    "in.position_ids": positions.int(), "out.last_hidden_state": states,
}
save_case("shipped-text", tensors, seed=0, tolerance=1e-4, note="five layers of 384 channels; " + " | ".join(PROMPTS))
