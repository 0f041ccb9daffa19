"""Fixture image-processor: images of odd sizes, resized by Pillow and processed by the reference's image processor.

Run: .venv-reference/bin/python tools/golden/processor.py
"""
import numpy as np
import torch
from PIL import Image
from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil as Processor

from common import save_case

SIZES = [(37, 61), (50, 33), (120, 90), (40, 6), (31, 31)]


def picture(height, width, seed):
    rows, columns = np.mgrid[:height, :width]
    waves = (127 + 80 * np.sin(columns / 7 + seed) + 60 * np.cos(rows / 3))[..., None]
    noisy = waves + np.random.default_rng(seed).normal(0, 40, (height, width, 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


pictures = [picture(*size, seed) for seed, size in enumerate(SIZES)]
case = {f"in.{i}": torch.from_numpy(np.array(image)) for i, image in enumerate(pictures)}
for i, image in enumerate(pictures):
    case[f"out.bilinear.{i}"] = torch.from_numpy(np.array(image.resize((29, 47), Image.BILINEAR)))
    case[f"out.bicubic.{i}"] = torch.from_numpy(np.array(image.resize((29, 47), Image.BICUBIC)))
edges = Processor(size={"shortest_edge": 40, "longest_edge": 66})
for i, image in enumerate(pictures):
    case[f"out.edges.{i}"] = edges(images=image, return_tensors="pt")["pixel_values"]
batch = edges(images=pictures[:3], return_tensors="pt")
case |= {"out.batch.pixel_values": batch["pixel_values"], "out.batch.pixel_mask": batch["pixel_mask"]}
square = Processor(size={"height": 32, "width": 48}, resample=Image.BICUBIC, image_mean=[0.5, 0.4, 0.3], image_std=[0.2, 0.3, 0.1])
case["out.square"] = square(images=pictures[2], return_tensors="pt")["pixel_values"]
save_case("image-processor", case, seed=0, tolerance=1e-6, note="pixels are equal; what is left is the order of float32 operations")
