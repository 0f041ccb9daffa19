"""The reference's process of video.mjs: python bench/video.py SIZE THREADS FOLDER FRAMES.

Makes a SAM 2.1 with random weights and a clip in the folder, then tracks two objects: each line of input is one frame, answered with its
processor seconds and its seconds by the clock. The last answer is followed by the logits of the last frame in FOLDER/reference.safetensors.
"""
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools" / "parity"))

import torch  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from video_reference import BOXES, build, clip, session_of  # noqa: E402

size, threads, folder, frames = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
model, images = build(size), clip(frames)
model.save_pretrained(folder)
(folder / "frames.bin").write_bytes(images.numpy().tobytes())
(folder / "clip.json").write_text(json.dumps({"frames": frames, "side": images.shape[1], "boxes": BOXES}))
session = session_of(model, images)
loop = model.propagate_in_video_iterator(session)
print(json.dumps({"ready": True}), flush=True)
for _ in sys.stdin:
    start, clock = time.process_time(), time.perf_counter()
    out = next(loop)
    print(json.dumps({"seconds": time.process_time() - start, "clock": time.perf_counter() - clock}), flush=True)
    if out.frame_idx == frames - 1:
        save_file({str(obj): out.pred_masks[i, 0].clone() for i, obj in enumerate(BOXES)}, folder / "reference.safetensors")
