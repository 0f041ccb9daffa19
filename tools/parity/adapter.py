"""Full-size parity of adapters: a Grounding DINO tiny with random weights and an adapter written by this project, run by
`npm run forward --adapter` and by Python's peft.

    .venv-reference/bin/python tools/parity/adapter.py [--preset paper|paper-code] [--image 320x256]

Rows are paired and compared as in grounding_dino.py. Also prints how much the adapter changes the outputs.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

import peft
import torch
from safetensors.torch import load_file, save_file
from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

from grounding_dino import ROOT, SHARE, TOLERANCE, compare, inputs_for

parser = argparse.ArgumentParser()
parser.add_argument("--preset", default="paper")
parser.add_argument("--image", default="320x256")
options = parser.parse_args()
torch.manual_seed(0)
height, width = map(int, options.image.split("x"))
folder = pathlib.Path(tempfile.mkdtemp(prefix="sonoground-parity-"))
try:
    model = GroundingDinoForObjectDetection(GroundingDinoConfig()).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
    model.save_pretrained(folder)
    inputs = inputs_for(model, 1, height, width)
    save_file(inputs, folder / "inputs.safetensors")
    adapter = folder / "adapter"
    subprocess.run(["node", ROOT / "tools" / "parity" / "write-adapter.mjs", folder, options.preset, adapter], check=True)
    subprocess.run(["node", ROOT / "scripts" / "run.mjs", "forward", "--model", folder, "--adapter", adapter, "--inputs",
                    folder / "inputs.safetensors", "--outputs", folder / "outputs.safetensors"], check=True, stdout=subprocess.DEVNULL)
    ours = load_file(folder / "outputs.safetensors")
    with torch.inference_mode():
        before = model(**inputs)
    model.get_input_embeddings = lambda: model.model.text_backbone.embeddings.word_embeddings  # required by peft
    peft.inject_adapter_in_model(peft.LoraConfig.from_pretrained(adapter), model)
    state = load_file(adapter / "adapter_model.safetensors")
    peft.set_peft_model_state_dict(model, state)
    model.eval()
    with torch.inference_mode():
        theirs = model(**inputs)
finally:
    shutil.rmtree(folder)
text = inputs["attention_mask"][0].nonzero()[:, 0]
there = dict(logits=theirs.logits[0], pred_boxes=theirs.pred_boxes[0])
of_boxes, of_logits = compare({key: value[0] for key, value in ours.items()}, there, text)
moved = compare(dict(logits=before.logits[0], pred_boxes=before.pred_boxes[0]), there, text)
good = (of_boxes <= TOLERANCE) & (of_logits <= TOLERANCE)
share = good.float().mean().item()
numbers = sum(value.numel() for value in state.values())
print(f"{options.preset}, {len(state)} arrays of {numbers:,} numbers, {height}x{width}: {share:.2%} of {len(good)} rows within "
      f"{TOLERANCE}; among them boxes {of_boxes[good].max():.1e}, logits {of_logits[good].max():.1e}; the adapter moved boxes by "
      f"{moved[0].median():.1e} and logits by {moved[1].median():.1e} (medians)")
sys.exit(0 if share >= SHARE else 1)
