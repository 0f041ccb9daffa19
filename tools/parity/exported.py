"""Opens an exported folder (safetensors or peft) with transformers and PEFT, unchanged, and runs its models.

Usage: python exported.py KIND FOLDER INPUTS.safetensors OUTPUTS.safetensors BASE [KIND FOLDER …]

KIND is detector, masker (SAM 2 or SAM) or peft, for which BASE is the base model of the adapter; otherwise BASE is -. Inputs
and outputs have Hugging Face's names, as with `npm run forward`. The processor is also opened if the folder has one.
"""

import importlib.util
import json
import pathlib
import sys

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoImageProcessor, AutoTokenizer, GroundingDinoForObjectDetection, Sam2Model, SamModel


def open_model(kind, folder, base):
    if kind == "masker":
        # Its image processor needs torchvision, which the reference's environment need not have.
        if importlib.util.find_spec("torchvision") is not None:
            AutoImageProcessor.from_pretrained(folder)
        kind = json.loads((pathlib.Path(folder) / "config.json").read_text())["model_type"]
        return (SamModel if kind == "sam" else Sam2Model).from_pretrained(folder)
    if kind == "detector":
        AutoImageProcessor.from_pretrained(folder)
        AutoTokenizer.from_pretrained(folder)
        return GroundingDinoForObjectDetection.from_pretrained(folder)
    # See docs/decisions/0009-adapters.md: neither PeftModel nor transformers' load_adapter supports fully trained heads.
    from peft import LoraConfig, inject_adapter_in_model, set_peft_model_state_dict

    model = GroundingDinoForObjectDetection.from_pretrained(base)
    # Required by PEFT, but not defined by transformers for this model.
    model.get_input_embeddings = lambda: model.model.text_backbone.embeddings.word_embeddings
    inject_adapter_in_model(LoraConfig.from_pretrained(folder), model)
    set_peft_model_state_dict(model, load_file(pathlib.Path(folder) / "adapter_model.safetensors"))
    return model


def run(kind, folder, inputs, outputs, base):
    model = open_model(kind, folder, base).eval()
    given = load_file(inputs)
    given = {name: x.to(torch.int64) if x.dtype == torch.int32 else x for name, x in given.items()}
    with torch.no_grad():
        results = model(**given, **({"multimask_output": False} if kind == "masker" else {}))
    wanted = ["pred_masks", "iou_scores", "object_score_logits"] if kind == "masker" else ["logits", "pred_boxes"]
    save_file({name: results[name].contiguous().float() for name in wanted if name in results}, outputs)


if __name__ == "__main__":
    for i in range(1, len(sys.argv), 5):
        run(*sys.argv[i : i + 5])
