"""The reference's side of run.mjs. Arguments: threads, folder.

Makes a SAM 2 (hiera-tiny, 1024x1024) with random weights and inputs for it in the folder, says its name, sets the image once,
then answers each line: `encode` with the seconds of the image encoder, a number with those of the decoder for so many boxes.
"""
import json
import pathlib
import resource
import sys
import time

import torch
from safetensors.torch import save_file
from transformers import Sam2Config, Sam2Model

threads, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
torch.set_num_threads(threads)
torch.manual_seed(0)
model = Sam2Model(Sam2Config())
with torch.no_grad():
    for parameter in model.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.02)
model.eval().save_pretrained(folder)
pixel_values = torch.randn(1, 3, 1024, 1024)
corners = torch.rand(1, 100, 2) * 500
boxes = torch.cat([corners, corners + 50 + torch.rand(1, 100, 2) * 400], -1)
save_file(dict(pixel_values=pixel_values, input_boxes=boxes), folder / "inputs.safetensors")
print(f"transformers on torch {torch.__version__}", flush=True)
embeddings = None
for line in sys.stdin:
    with torch.inference_mode():
        begin, used = time.perf_counter(), time.process_time()
        if line.strip() == "encode":
            embeddings = model.get_image_embeddings(pixel_values)
        else:
            out = model(image_embeddings=embeddings, input_boxes=boxes[:, : int(line)], multimask_output=False)
        seconds, cpu = time.perf_counter() - begin, time.process_time() - used
    answer = {"seconds": seconds, "cpuSeconds": cpu, "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}
    if line.strip() != "encode":
        answer["scores"] = out.iou_scores.flatten().tolist()
    print(json.dumps(answer), flush=True)
