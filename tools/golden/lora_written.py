"""Second half of the fixture lora-written: what Python's peft makes of the adapters that this project wrote.

Run after write-adapter.mjs: .venv-reference/bin/python tools/golden/lora_written.py
"""
import peft
import torch
from safetensors.torch import load_file
from transformers import GroundingDinoForObjectDetection

from common import FIXTURES, save_case

BASE = "grounding-dino-four-levels"
case = load_file(FIXTURES / BASE / "case.safetensors")
inputs = {key: case[f"in.{key}"] for key in ("pixel_values", "pixel_mask", "input_ids", "attention_mask", "token_type_ids")}

for name in ("paper", "paper-code"):
    folder = FIXTURES / "lora-written" / name
    model = GroundingDinoForObjectDetection.from_pretrained(FIXTURES / BASE).eval()
    model.get_input_embeddings = lambda: model.model.text_backbone.embeddings.word_embeddings  # peft asks for it
    with torch.no_grad():
        before = model(**inputs)
    peft.inject_adapter_in_model(peft.LoraConfig.from_pretrained(folder), model)
    state = load_file(folder / "adapter_model.safetensors")
    result = peft.set_peft_model_state_dict(model, state)
    assert not result.unexpected_keys, result.unexpected_keys
    # `bbox_embed` is a second name of the heads in `model.decoder`.
    missing = [key for key in result.missing_keys if "lora_" in key and not key.startswith("bbox_embed.")]
    assert not missing, missing
    model.eval()
    with torch.no_grad():
        after = model(**inputs)
    moved = (after.pred_boxes - before.pred_boxes).abs().max().item()
    print(f"{name}: {len(state)} arrays, boxes moved by up to {moved:.3f}")
    save_case(f"lora-written/{name}", {"out.logits": after.logits, "out.pred_boxes": after.pred_boxes}, seed=71, tolerance=1e-3,
              note="a whole model")
