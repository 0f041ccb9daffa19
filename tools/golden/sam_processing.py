"""Fixture sam-processing: the reference's SAM processor on images and prompts of odd sizes, and on masks in its post-processing.

    .venv-reference/bin/python tools/golden/sam_processing.py
"""
import numpy as np
import torch
from PIL import Image
from transformers import SamProcessor
from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

from common import noise, save_case

SIZES = [(37, 61), (50, 33), (120, 90), (81, 6), (31, 31)]
PAD = {"height": 48, "width": 48}

processor = SamImageProcessorPil(size={"longest_edge": 48}, pad_size=PAD)
generator = np.random.default_rng(71)
pictures = [Image.fromarray(generator.integers(0, 256, (*size, 3), dtype=np.uint8)) for size in SIZES]
batch = processor(images=pictures, return_tensors="pt")
low = noise((len(SIZES), 2, 12, 12), 72)
logits = processor.post_process_masks(low[:, None], batch["original_sizes"], batch["reshaped_input_sizes"], binarize=False)
boxes = [[[1.0, 2.0, width - 1.5, height - 0.5]] for height, width in SIZES]
prompts = SamProcessor(processor)(images=pictures, input_boxes=boxes, return_tensors="pt")
case = {f"in.image.{i}": torch.from_numpy(np.array(picture)) for i, picture in enumerate(pictures)}
case |= {"out.pixel_values": batch["pixel_values"], "out.resized": torch.as_tensor(np.array(batch["reshaped_input_sizes"])),
         "in.boxes": torch.tensor(boxes), "out.boxes": prompts["input_boxes"].float(), "in.logits": low}
case |= {f"out.logits.{i}": masks[0] for i, masks in enumerate(logits)}
save_case("sam-processing", case, seed=71, tolerance=1e-5, note="pixels are equal; logits differ in the order of float32 operations")
