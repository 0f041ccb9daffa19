"""PyTorch's process of run.mjs for a training step. Arguments: size (nano or tiny), image side, batch, rank, threads, folder,
variant.

Makes a detector with random weights and inputs for it in the folder unless they are there. A pass is one training step:
forward, matching, loss with auxiliary and encoder parts, backward, AdamW. side.py has the protocol.
"""
import pathlib
import sys

from random_detector import random_detector, random_inputs
from side import prepare_torch, serve_torch

import peft
import torch

# The published code's set: `paper-code` in src/lora/presets.ts.
TARGETS = (
    r"model\.text_projection"
    r"|model\.encoder\.layers\.\d+\.(deformable_layer\.fc[12]|text_enhancer_layer\.(fc[12]|self_attn\.out_proj))"
    r"|model\.decoder\.layers\.\d+\.(encoder_attn\.(sampling_offsets|attention_weights|value_proj|output_proj)"
    r"|(encoder_attn_text|self_attn)\.out_proj|fc[12])"
    r"|(model\.decoder\.)?bbox_embed\.\d+\.layers\.[01]"
)

size = sys.argv[1]
side, batch, rank, threads = (int(argument) for argument in sys.argv[2:6])
folder = pathlib.Path(sys.argv[6])
variant = sys.argv[7] if len(sys.argv) > 7 else "eager"
prepare_torch(threads)
model = random_detector(folder, size, auxiliary_loss=True)
inputs = random_inputs(folder, model, side, batch)
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
