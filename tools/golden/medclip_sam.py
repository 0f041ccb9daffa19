"""Fixture medclip-sam: gScoreCAM of the small BiomedCLIP, a dense CRF, and the grey levels of a JET overlay, by the authors' code.

Needs what biomed_clip_reference.py names, pydensecrf2, opencv-python-headless, and a checkout of
https://github.com/HealthX-Lab/MedCLIP-SAM, which no package provides, in MEDCLIP_SAM:

    MEDCLIP_SAM=MedCLIP-SAM .venv-reference/bin/python tools/golden/medclip_sam.py
"""
import torch
from safetensors.torch import load_file

from biomed_clip import DIM, IDS, TEXT, VISION
from biomed_clip_reference import BiomedClip
from common import FIXTURES, noise, save_case
from medclip_sam_authors import explain

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import pydensecrf.densecrf as dcrf  # noqa: E402

CHANNELS = 5


def cams(model, pixels, ids):
    found = {}
    for norm in ("norm1", "norm2"):
        found[f"out.{norm}.map"], found[f"out.{norm}.gradient"] = explain(model, pixels, ids, norm, CHANNELS, batch=2)
    return found


def crf(image, probabilities):
    """The body of crf/densecrf_sal.py, whose only function reads and writes files."""
    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    height, width = probabilities.shape
    eps, tau = 1e-8, 1.05
    field = dcrf.DenseCRF2D(width, height, 2)
    energies = np.zeros((2, height * width), dtype="float32")
    energies[0] = (-np.log(1.0 - probabilities + eps) / (tau * sigmoid(1 - probabilities))).flatten()
    energies[1] = (-np.log(probabilities + eps) / (tau * sigmoid(probabilities))).flatten()
    field.setUnaryEnergy(energies)
    field.addPairwiseGaussian(sxy=3, compat=3)
    field.addPairwiseBilateral(sxy=60, srgb=5, rgbim=np.ascontiguousarray(image[:, :, ::-1]), compat=5)  # OpenCV reads BGR
    return np.array(field.inference(1))[1].reshape(height, width)


def overlay(image, values):
    """The grey levels of the picture that tools/drawing.py: show_cam_on_image makes, saved and read as the scripts do."""
    heat = cv2.cvtColor(cv2.applyColorMap(np.uint8(255 * values), cv2.COLORMAP_JET), cv2.COLOR_BGR2RGB)
    total = np.float32(heat) / 255 + image / 255.0
    picture = np.uint8(255 * (total / np.max(total)))
    _, png = cv2.imencode(".png", picture[:, :, ::-1])
    return cv2.imdecode(png, cv2.IMREAD_GRAYSCALE) / 255.0


def picture(height, width, seed):
    """A bright ellipse on a darker ground, both with noise."""
    y, x = np.mgrid[:height, :width]
    inside = ((x - width * 0.4) / (width * 0.25)) ** 2 + ((y - height * 0.55) / (height * 0.3)) ** 2 < 1
    grain = noise((height, width, 3), seed, 6).numpy()
    return np.clip(np.where(inside[..., None], [150, 140, 120], [60, 70, 66]) + grain, 0, 255).astype(np.uint8), inside


if __name__ == "__main__":
    torch.set_num_threads(1)
    model = BiomedClip(TEXT, DIM, VISION)
    model.load_state_dict(load_file(FIXTURES / "biomed-clip" / "model.safetensors"))
    model.eval()
    pixels = noise((1, 3, 40, 40), 82)
    case = {"in.pixel_values": pixels, "in.input_ids": torch.tensor(IDS[:1]).int()}
    case |= cams(model, pixels, torch.tensor(IDS[:1]))
    image, inside = picture(26, 34, 91)
    # A blurred and noisy guess at the ellipse.
    guess = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 3) * 0.9 + 0.05 * noise((26, 34), 92).numpy()
    guess = np.clip(guess, 0, 1).astype(np.float32)
    case |= {"in.image": torch.from_numpy(image.astype(np.int32)), "in.probabilities": torch.from_numpy(guess)}
    case |= {"out.marginals": torch.from_numpy(crf(image, guess).astype(np.float32)), "out.grey": torch.from_numpy(overlay(image, guess).astype(np.float32))}
    case["out.ties"] = torch.zeros(1, 768).topk(300)[1][0].sort()[0].int()
    save_case("medclip-sam", case, seed=91, tolerance=1e-4, note="float32 on both sides; the lattice rounds alike up to ties, at which it is continuous")
