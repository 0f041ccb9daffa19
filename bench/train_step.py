"""PyTorch's process of run.mjs for a training step. Arguments: size (nano or tiny), image side, batch, rank, threads, folder,
variant.

Makes a detector with random weights and inputs for it in the folder unless they are there. A pass is one training step:
forward, matching, loss with auxiliary and encoder parts, backward, AdamW. side.py has the protocol.
"""
import json
import pathlib
import sys

from side import prepare_torch, serve_torch

import peft
import torch
from safetensors.torch import load_file, save_file
from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

# The published code's set: `paper-code` in src/lora/presets.ts.
TARGETS = (
    r"model\.text_projection"
    r"|model\.encoder\.layers\.\d+\.(deformable_layer\.fc[12]|text_enhancer_layer\.(fc[12]|self_attn\.out_proj))"
    r"|model\.decoder\.layers\.\d+\.(encoder_attn\.(sampling_offsets|attention_weights|value_proj|output_proj)"
    r"|(encoder_attn_text|self_attn)\.out_proj|fc[12])"
    r"|(model\.decoder\.)?bbox_embed\.\d+\.layers\.[01]"
)
NANO = pathlib.Path(__file__).parent.parent / "weights" / "nano-grounding-dino" / "config.json"
SIZES = {"nano": {**json.loads(NANO.read_text()), "auxiliary_loss": True}, "tiny": {"auxiliary_loss": True}}
WORDS = [28378, 22144, 22330, 3367]

size = sys.argv[1]
side, batch, rank, threads = (int(argument) for argument in sys.argv[2:6])
folder = pathlib.Path(sys.argv[6])
variant = sys.argv[7] if len(sys.argv) > 7 else "eager"
prepare_torch(threads)
if (folder / "model.safetensors").exists():
    model = GroundingDinoForObjectDetection.from_pretrained(folder)
else:
    model = GroundingDinoForObjectDetection(GroundingDinoConfig(**SIZES[size]))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
    model.save_pretrained(folder)
if (folder / "inputs.safetensors").exists():
    inputs = load_file(folder / "inputs.safetensors")
else:
    first, second, third, fourth = (word % model.config.text_config.vocab_size for word in WORDS)
    ids = torch.tensor([[101, first, second, 1012, third, fourth, 1012, 102]]).repeat(batch, 1)
    inputs = dict(pixel_values=torch.randn(batch, 3, side, side), input_ids=ids, attention_mask=torch.ones_like(ids),
                  token_type_ids=torch.zeros_like(ids))
    save_file(inputs, folder / "inputs.safetensors")
inputs["pixel_mask"] = torch.ones(batch, side, side, dtype=torch.long)
labels = [{"class_labels": torch.tensor([0, 1]), "boxes": torch.tensor([[0.4, 0.5, 0.3, 0.2], [0.7, 0.3, 0.1, 0.2]])}
          for _ in range(batch)]

model.get_input_embeddings = lambda: model.model.text_backbone.embeddings.word_embeddings
for head in range(1, len(model.bbox_embed)):
    model.bbox_embed[head] = model.bbox_embed[0]  # one head, as in the authors' model: transformers ties only the weights
peft.inject_adapter_in_model(peft.LoraConfig(r=rank, lora_alpha=rank, target_modules=TARGETS), model)
for parameter in model.bbox_embed[0].layers[2].parameters():
    parameter.requires_grad_(True)
free = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimiser = torch.optim.AdamW(free, lr=5e-4, weight_decay=1e-4)
model.train()


def run(_):
    optimiser.zero_grad()
    loss = model(**inputs, labels=labels).loss
    with torch.autocast("cpu", enabled=False):  # gradients follow the types of the forward pass
        loss.backward()
        optimiser.step()
    return {"loss": loss.reshape(1)}


serve_torch(variant, run, compiled=[model], training=True)
