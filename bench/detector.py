"""The reference's side of run.mjs. Arguments: size (tiny or base), image side, folder.

Makes a detector with random weights and inputs for it in the folder, says its name, then answers each line with the seconds
and the memory of one pass.
"""
import json
import pathlib
import resource
import sys
import time

import torch
from safetensors.torch import save_file
from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

SIZES = {
    "tiny": {},
    "base": dict(backbone_config=dict(model_type="swin", embed_dim=128, depths=[2, 2, 18, 2], num_heads=[4, 8, 16, 32],
                                      window_size=12, image_size=384, out_indices=[2, 3, 4])),
}

size, side, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
folder = pathlib.Path(sys.argv[4])
torch.set_num_threads(threads)
torch.manual_seed(0)
if (folder / "model.safetensors").exists():
    model = GroundingDinoForObjectDetection.from_pretrained(folder)
else:
    model = GroundingDinoForObjectDetection(GroundingDinoConfig(**SIZES[size]))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
    model.save_pretrained(folder)
model.eval()
ids = torch.tensor([[101, 28378, 22144, 1012, 22330, 3367, 1012, 102]])
inputs = dict(pixel_values=torch.randn(1, 3, side, side), input_ids=ids, attention_mask=torch.ones_like(ids),
              token_type_ids=torch.zeros_like(ids))
save_file(inputs, folder / "inputs.safetensors")
inputs["pixel_mask"] = torch.ones(1, side, side, dtype=torch.long)
print(f"transformers on torch {torch.__version__}", flush=True)
for _ in sys.stdin:
    with torch.inference_mode():
        begin, used = time.perf_counter(), time.process_time()
        model(**inputs)
        seconds, cpu = time.perf_counter() - begin, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"seconds": seconds, "cpuSeconds": cpu, "peakMb": peak}), flush=True)
