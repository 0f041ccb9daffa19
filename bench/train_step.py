"""The reference's side of run.mjs. Arguments: image side, batch, rank, threads, folder.

Makes a detector with random weights and inputs for it in the folder, says its name, then answers each line with the seconds
and the memory of one training step: forward, matching, loss with auxiliary and encoder parts, backward, AdamW. `save` in
place of a line makes the model and ends.
"""
import json
import pathlib
import resource
import sys
import time

import peft
import torch
from safetensors.torch import save_file
from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

# The published code's set: what `paper-code` in src/lora/presets.ts names.
TARGETS = (
    r"model\.text_projection"
    r"|model\.encoder\.layers\.\d+\.(deformable_layer\.fc[12]|text_enhancer_layer\.(fc[12]|self_attn\.out_proj))"
    r"|model\.decoder\.layers\.\d+\.(encoder_attn\.(sampling_offsets|attention_weights|value_proj|output_proj)"
    r"|(encoder_attn_text|self_attn)\.out_proj|fc[12])"
    r"|(model\.decoder\.)?bbox_embed\.\d+\.layers\.[01]"
)

side, batch, rank, threads = (int(argument) for argument in sys.argv[1:5])
folder = pathlib.Path(sys.argv[5])
torch.set_num_threads(threads)
torch.manual_seed(0)
model = GroundingDinoForObjectDetection(GroundingDinoConfig(auxiliary_loss=True))
with torch.no_grad():
    for parameter in model.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.02)
model.save_pretrained(folder)
ids = torch.tensor([[101, 28378, 22144, 1012, 22330, 3367, 1012, 102]]).repeat(batch, 1)
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
count = sum(parameter.numel() for parameter in free)
print(f"transformers and peft on torch {torch.__version__}, {count:,} trained", flush=True)
for _ in sys.stdin:
    begin, busy = time.perf_counter(), time.process_time()
    optimiser.zero_grad()
    loss = model(**inputs, labels=labels).loss
    loss.backward()
    optimiser.step()
    seconds, cpu = time.perf_counter() - begin, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"seconds": seconds, "cpu": cpu, "cpuSeconds": cpu, "peakMb": peak}), flush=True)
