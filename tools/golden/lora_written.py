"""Second half of the fixture lora-written: outputs of Python's peft for the adapters written by this project.

Run after write-adapter.mjs: .venv-reference/bin/python tools/golden/lora_written.py
"""
import peft
import torch
from safetensors.torch import load_file
from transformers import GroundingDinoForObjectDetection, Sam2Model

from common import FIXTURES, save_case

DETECTOR = (GroundingDinoForObjectDetection, "grounding-dino-four-levels",
            ("pixel_values", "pixel_mask", "input_ids", "attention_mask", "token_type_ids"), ("logits", "pred_boxes"))
MASKER = (Sam2Model, "sam2-stable", ("pixel_values", "input_boxes"), ("iou_scores", "pred_masks"))

for name, (kind, base, names, answers) in {"paper": DETECTOR, "paper-code": DETECTOR, "mask-decoder": MASKER}.items():
    case = load_file(FIXTURES / base / "case.safetensors")
    inputs = {key: case[f"in.{key}"] for key in names}
    if kind is Sam2Model:
        inputs["multimask_output"] = False
    folder = FIXTURES / "lora-written" / name
    model = kind.from_pretrained(FIXTURES / base).eval()
    if kind is GroundingDinoForObjectDetection:
        model.get_input_embeddings = lambda: model.model.text_backbone.embeddings.word_embeddings  # required by peft
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
    moved = (after[answers[1]] - before[answers[1]]).abs().max().item()
    print(f"{name}: {len(state)} arrays, {answers[1]} moved by up to {moved:.1e}")
    save_case(f"lora-written/{name}", {f"out.{answer}": after[answer] for answer in answers}, seed=71, tolerance=1e-3,
              note="a whole model")
