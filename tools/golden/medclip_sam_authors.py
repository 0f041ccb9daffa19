"""The authors' gScoreCAM of MedCLIP-SAM on a CPU, for the scripts of fixtures and benches.

Needs a checkout of https://github.com/HealthX-Lab/MedCLIP-SAM, which no package provides, in MEDCLIP_SAM, and OpenCV.
"""
import os
import pathlib
import sys
import types

import torch

ROOT = pathlib.Path(os.environ.get("MEDCLIP_SAM", "."))


class Compared(torch.nn.Module):
    """Logits in both directions, as the authors' wrapper gives them."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images, texts):
        logits = self.model(images, texts)[2]
        return logits, logits.T


def authors():
    """Their class, without the package's other methods, and what it imports for those."""
    sys.path.insert(0, str(ROOT / "saliency_maps"))
    package = types.ModuleType("pytorch_grad_cam")
    package.__path__ = [str(ROOT / "saliency_maps" / "pytorch_grad_cam")]
    sys.modules["pytorch_grad_cam"] = package
    sys.modules.setdefault("ttach", types.ModuleType("ttach"))
    torch.Tensor.cuda = lambda self, *_: self  # the reference is hard-wired to a GPU
    from model_loader.clip_loader import reshape_transform
    from pytorch_grad_cam.gscore_cam import GScoreCAM

    return GScoreCAM, reshape_transform


def explain(model, pixels, ids, norm, channels, batch=128):
    """The map on its own grid, and the gradient that the channels are chosen by, [1, tokens, channels]."""
    score_cam, reshape = authors()
    layer = getattr(model.visual.trunk.blocks[-1], norm)
    cam = score_cam(Compared(model), [layer], use_cuda=False, reshape_transform=reshape, is_clip=True, topk=channels, batch_size=batch,
                    model_domain="biomedclip")
    cam.img_size = None
    try:
        with torch.enable_grad():
            found = torch.from_numpy(cam((pixels, ids), targets=0)[0])
        return found, cam.activations_and_grads.gradients[0].permute(1, 0, 2)
    finally:
        cam.activations_and_grads.release()
