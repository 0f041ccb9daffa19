"""Fixtures of the predictors: resizing mask logits to the image's grid, and SAM 2 from an image to its masks.

    .venv-reference/bin/python tools/golden/predictor.py
"""
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from transformers import Sam2Model
from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

from common import FIXTURES, noise, save_case

torch.set_num_threads(1)

# Image sizes (height, width): larger and smaller than the logits, oblong, one pixel, one row.
SIZES = [(23, 37), (64, 64), (7, 50), (200, 9), (1, 1), (1, 13), (16, 16)]


def sam2_masks(logits, size):
    """Same as `Sam2ImageProcessor.post_process_masks`; the class itself needs torchvision."""
    return F.interpolate(logits, size, mode="bilinear", align_corners=False)


logits = F.interpolate(noise((1, 2, 5, 5), 41), (16, 16), mode="bicubic")  # smooth shapes rather than speckle
case = {"in.logits": logits}
sam = SamImageProcessorPil(size={"longest_edge": 60}, pad_size={"height": 64, "width": 64})
for i, size in enumerate(SIZES):
    case[f"out.sam2.{i}"] = sam2_masks(logits, size)
    height, width = sam._get_preprocess_shape(size, 60)
    placed = (max(height, 1), max(width, 1))
    case[f"in.placed.{i}"] = torch.tensor(placed)
    case[f"in.size.{i}"] = torch.tensor(size)
    case[f"out.sam.{i}"] = sam.post_process_masks([logits], [size], [placed], binarize=False)[0]
save_case("mask-post-processing", case, seed=41, tolerance=1e-5, note="interpolation, float32 in the reference, float64 here")

# End to end: Pillow's resizing (the processor's without torchvision), the model, masks on the image's grid.
model = Sam2Model.from_pretrained(FIXTURES / "sam2-odd").eval()
side, mean, std = 96, torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
height, width = 61, 83
rows, columns = np.mgrid[:height, :width]
waves = (127 + 70 * np.sin(columns / 9) + 50 * np.cos(rows / 5))[..., None]
pixels = np.clip(waves + np.random.default_rng(5).normal(0, 20, (height, width, 3)), 0, 255).astype(np.uint8)
small = np.array(Image.fromarray(pixels).resize((side, side), Image.BILINEAR))
pixel_values = ((torch.from_numpy(small).float() / 255 - mean) / std).permute(2, 0, 1)[None]
scale = torch.tensor([side / width, side / height])
boxes = torch.tensor([[[5.0, 8.0, 40.5, 50.0], [30.0, 2.0, 83.0, 61.0], [0.0, 0.0, 20.0, 12.25]]])
points = torch.tensor([[[[20.0, 20.0], [60.0, 40.0]], [[50.0, 30.0], [5.0, 5.0]], [[10.0, 6.0], [70.0, 50.0]]]])
labels = torch.tensor([[[1, 0], [1, 1], [0, 1]]])
case = {"in.image": torch.from_numpy(pixels), "in.boxes": boxes, "in.points": points, "in.labels": labels}
ways = {
    "boxes": dict(input_boxes=boxes.reshape(1, 3, 2, 2).mul(scale).reshape(1, 3, 4)),
    "points": dict(input_points=points * scale, input_labels=labels),
}
ways["both"] = ways["boxes"] | ways["points"]
with torch.no_grad():
    for way, arguments in ways.items():
        for multimask in (False, True):
            out = model(pixel_values=pixel_values, multimask_output=multimask, **arguments)
            key = f"out.{way}.{'multi' if multimask else 'single'}"
            case |= {f"{key}.logits": out.pred_masks[0], f"{key}.scores": out.iou_scores[0]}
            case |= {f"{key}.object": out.object_score_logits[0, :, 0].sigmoid()}
            case[f"{key}.masks"] = (sam2_masks(out.pred_masks[0], (height, width)) > 0).to(torch.uint8)
    # Each prompt refines its own earlier mask, as a separate image, since the model takes one earlier mask per image.
    earlier = case["out.boxes.single.logits"]
    refined = [
        model(pixel_values=pixel_values, input_boxes=ways["boxes"]["input_boxes"][:, i : i + 1], input_masks=earlier[i][None],
              multimask_output=False)
        for i in range(3)
    ]
    case["out.refined.logits"] = torch.cat([out.pred_masks[0] for out in refined])
    case["out.refined.scores"] = torch.cat([out.iou_scores[0] for out in refined])
save_case("sam2-predictor", case, seed=5, tolerance=1e-3, note="whole model, float32 on both sides; weights of sam2-odd")

# SAM's transform: resize the longest side, zero-pad on the right and below.
processor = SamImageProcessorPil(size={"longest_edge": 60}, pad_size={"height": 64, "width": 64})
case = {}
for i, (height, width) in enumerate([(37, 61), (50, 33), (9, 9), (200, 7), (90, 119)]):
    rows, columns = np.mgrid[:height, :width]
    waves = (120 + 80 * np.sin(columns / 7) + 50 * np.cos(rows / 3))[..., None]
    pixels = np.clip(waves + np.random.default_rng(i).normal(0, 30, (height, width, 3)), 0, 255).astype(np.uint8)
    made = processor(images=Image.fromarray(pixels), return_tensors="pt")
    case |= {f"in.{i}": torch.from_numpy(pixels), f"out.{i}": made["pixel_values"]}
    case[f"out.placed.{i}"] = torch.as_tensor(made["reshaped_input_sizes"][0])
save_case("sam-images", case, seed=0, tolerance=1e-6, note="pixels are equal; what is left is the order of float32 operations")
