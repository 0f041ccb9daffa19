"""Fixtures samus, a small SAMUS in the form of the published file, and samus-images, its inputs and points.

Needs a checkout of https://github.com/xianlin7/SAMUS, which no package provides:

    PYTHONPATH=SAMUS .venv-reference/bin/python tools/golden/samus.py
"""
import re

import cv2
import numpy as np
import torch
from PIL import Image

from common import FIXTURES, noise, perturb, save_case
from samus_authors import ask, small, watch, without

torch.set_num_threads(1)

# The authors' names to this project's, as ordered substitutions. Independent of the tables in src/, so that each checks the other.
THREE_LAYERS = [(r"\.layers\.0\.", ".proj_in."), (r"\.layers\.1\.", ".layers.0."), (r"\.layers\.2\.", ".proj_out.")]
OURS = [
    (r"^image_encoder\.blocks", "vision_encoder.layers"), (r"^image_encoder", "vision_encoder"), (r"patch_embed\.proj\.", "patch_embed.projection."),
    (r"neck\.0", "neck.conv1"), (r"neck\.1", "neck.layer_norm1"), (r"neck\.2", "neck.conv2"), (r"neck\.3", "neck.layer_norm2"),
    (r"\.norm(?=[1-4_])", ".layer_norm"), (r"point_embeddings", "point_embed"),
    (r"output_upscaling\.0", "upscale_conv1"), (r"output_upscaling\.1", "upscale_layer_norm"), (r"output_upscaling\.3", "upscale_conv2"),
]


def our_name(name):
    for pattern, replacement in OURS:
        name = re.sub(pattern, replacement, name)
    if re.search(r"hypernetworks|iou_prediction_head", name):
        for pattern, replacement in THREE_LAYERS:
            renamed = re.sub(pattern, replacement, name)
            if renamed != name:
                return renamed
    return name


def make(name, seed):
    torch.manual_seed(seed)
    model = small(side=64, patch=8, width=12, heads=3, depth=4, window=3, global_layers=(1, 3), cnn=(4, 6, 8), positions=16, decoder_width=16)
    model = perturb(model, seed, std=0.1)
    with torch.no_grad():  # Relative positions are initialised to zero and hardly affect the scores.
        for key, parameter in model.named_parameters():
            if "rel_pos" in key:
                parameter.add_(noise(parameter.shape, seed + 5, scale=0.3))
    images = torch.sigmoid(noise((2, 3, 64, 64), seed + 1))
    points, labels = torch.tensor([[[17.0, 40.0]], [[51.5, 3.25]]]), torch.tensor([[1], [0]])
    seen, hooks = watch(model)
    features, masks, scores = ask(model, images, points, labels)
    for hook in hooks:
        hook.remove()
    weights = {"in.d_masks": noise(masks.shape, seed + 2), "in.d_iou": noise(scores.shape, seed + 3)}
    ((masks * weights["in.d_masks"]).sum() + (scores * weights["in.d_iou"]).sum()).backward()
    case = {"in.pixel_values": images, "in.input_points": points[:, None], "in.input_labels": labels[:, None].int()}
    case |= {key: value[:, None] for key, value in weights.items()}
    case |= {"out.pred_masks": masks[:, None], "out.iou_scores": scores[:, None], "mid.embeddings": features}
    case |= {f"mid.{key}": value for key, value in seen.items()}
    with torch.no_grad():  # Grey images of one channel count as three equal ones.
        case["out.grey"] = ask(model, images[:, :1], points, labels)[1][:, None]
    case |= {f"grad.{our_name(key)}": p.grad for key, p in model.named_parameters() if p.grad is not None}
    (FIXTURES / name).mkdir(exist_ok=True)
    torch.save(model.state_dict(), FIXTURES / name / "published.pth")
    save_case(name, case, seed=seed, tolerance=1e-4, note="whole model, float32 on both sides; gradients to 1e-3")


def authors_data():
    """The authors' module of datasets, without what their points and images do not use."""
    without("pandas", "skimage", "batchgenerators", "batchgenerators.utilities", "batchgenerators.utilities.file_and_folder_operations")
    from utils import data_us
    return data_us


def make_images(name, seed):
    """A colour image as the authors read and resize it, and the points that they take from masks on that grid."""
    side = 64
    pixels = (torch.sigmoid(noise((37, 53, 3), seed)) * 180 + 40).round().to(torch.uint8)
    encoded = cv2.imencode(".bmp", pixels.numpy()[:, :, ::-1])[1]
    grey = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
    resized = Image.fromarray(grey).resize((side, side), resample=Image.BILINEAR)
    case = {"in.image": pixels, "out.pixels": torch.from_numpy(np.array(resized)).float() / 255}
    blob = torch.zeros(90, 131, dtype=torch.uint8)
    blob[30:71, 20:60] = (noise((41, 40), seed + 1) > 0).to(torch.uint8)
    two = torch.zeros_like(blob)
    two[5:20, 100:125] = two[60:85, 8:30] = 1
    dot = torch.zeros_like(blob)
    dot[44, 65] = 1  # Lost on the smaller grid: the authors then take a point outside, with label 0.
    data = authors_data()
    for key, mask in {"blob": blob, "two": two, "dot": dot}.items():
        low = np.array(Image.fromarray(mask.numpy()).resize((side, side), resample=Image.NEAREST))
        point, label = data.fixed_click(low)
        assert int(low.any()) == label[0], key
        case |= {f"in.{key}": mask, f"out.{key}.point": torch.from_numpy(point[0].astype(np.int32)), f"out.{key}.label": torch.tensor(label).int()}
    save_case(name, case, seed=seed, tolerance=1e-6, note="bytes on the way, one division at the end; points are integers")


if __name__ == "__main__":
    make_images("samus-images", 82)
    make("samus", 81)
