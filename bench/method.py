"""PyTorch's process of run.mjs for a method of the comparison: the code of its authors. Arguments: name, threads, folder, variant.

Makes the published model with random weights and inputs for it in the folder. The question `run` is one image; of MedCLIP-SAM and its
second version the part of BiomedCLIP, as their SAM is that of medsam. Needs a checkout of the authors' code, which no package
provides: UNIVERSEG, BIOMEDPARSE, SAMUS, MEDCLIP_SAM and MEDCLIP_SAMV2 name them, and open_clip_torch, timm, einops and OpenCV as far as that
imports them. side.py has the protocol.
"""
import os
import pathlib
import sys

from side import prepare_torch, refuse, serve_torch

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tools" / "golden"))
name, threads, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
variant = sys.argv[4] if len(sys.argv) > 4 else "eager"
CHECKOUTS = {"universeg": "UNIVERSEG", "biomedparse": "BIOMEDPARSE", "samus": "SAMUS", "medclip-sam": "MEDCLIP_SAM", "medclip-samv2": "MEDCLIP_SAMV2"}


def checkout():
    """Puts the authors' code on the path."""
    variable = CHECKOUTS[name]
    place = os.environ.get(variable)
    if place is None or not pathlib.Path(place).is_dir():
        refuse(FileNotFoundError(f"{variable} names no checkout of the authors' code"))
    sys.path.insert(0, place)


def universeg():
    from common import noise, perturb
    from universeg import universeg as build

    model = perturb(build(), 0, std=0.02)
    torch.save(model.state_dict(), folder / "universeg_v1_nf64_ss64_STA.pt")
    images = torch.sigmoid(noise((1, 17, 1, 128, 128), 1))
    inputs = dict(target=images[:, 0], support_images=images[:, 1:], support_masks=(noise((1, 16, 1, 128, 128), 2) > 0).float())
    return inputs, lambda: {"logits": model(*(inputs[key] for key in ("target", "support_images", "support_masks")))}


def biomedparse():
    """All queries' masks are made at once there; what is compared is that of the query most like the phrase."""
    from biomed_parse_authors import MEAN, STD, ask, build
    from common import noise, perturb

    model = perturb(build(), 0, std=0.02)
    torch.save(model.state_dict(), folder / "biomedparse_v1.pt")
    pixels, phrase = torch.sigmoid(noise((3, 1024, 1024), 1)) * 255, "49406 1823 1936 9511 579 49407"
    mean, std = (torch.tensor(x)[:, None, None] for x in (MEAN, STD))
    language = model.sem_seg_head.predictor.lang_encoder
    inputs = dict(pixel_values=((pixels - mean) / std)[None], input_ids=torch.tensor([[int(word) for word in phrase.split()]]).int())

    def run():
        masks, classes, sentences = ask(model, pixels, [phrase])
        classes, sentences = (x / (x.norm(dim=-1, keepdim=True) + 1e-7) for x in (classes, sentences))
        alike = language.logit_scale.exp().clamp(max=100) * classes @ sentences.t()
        return {"similarity": alike[None], "mask": masks[alike[:, 0].argmax()][None, None]}
    return inputs, run


def samus():
    from common import noise, perturb
    from samus_authors import ask, published

    model = perturb(published(), 0, std=0.02)
    torch.save(model.state_dict(), folder / "samus.pth")
    grey, points, labels = torch.sigmoid(noise((1, 1, 256, 256), 1)), torch.tensor([[[100.0, 140.0]]]), torch.tensor([[1]])
    inputs = dict(pixel_values=grey.repeat(1, 3, 1, 1), input_points=points[:, None], input_labels=labels[:, None].int())

    def run():
        _, masks, scores = ask(model, grey, points, labels)
        return {"pred_masks": masks[:, :, None], "iou_scores": scores[:, :, None]}
    return inputs, run


def medsam():
    from transformers import SamConfig, SamModel

    model = SamModel(SamConfig()).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
    model.save_pretrained(folder)
    inputs = dict(pixel_values=torch.rand(1, 3, 1024, 1024), input_boxes=torch.tensor([[[100.0, 200.0, 500.0, 700.0]]]))

    def run():
        out = model(**inputs, multimask_output=False)
        return {key: out[key] for key in ("pred_masks", "iou_scores")}
    return inputs, run


def biomed_clip():
    from biomed_clip_reference import BiomedClip
    from common import noise, perturb

    model = perturb(BiomedClip(dict(vocab_size=30522)), 0, std=0.02)
    torch.save(model.state_dict(), folder / "open_clip_pytorch_model.bin")
    ids = torch.tensor([[2, 43, 1977, 2345, 12, 3]])
    return model, ids, dict(pixel_values=noise((1, 3, 224, 224), 5), input_ids=ids.int())


def medclip_sam():
    from medclip_sam_authors import explain

    model, ids, inputs = biomed_clip()
    return inputs, lambda: {"map": explain(model, inputs["pixel_values"], ids, "norm2", 300)[0]}


def medclip_samv2():
    from biomed_clip_reference import Explained, give_noise, m2ib
    from common import noise

    model, ids, inputs = biomed_clip()
    inputs["noise"] = noise((10, 10, 197, 768), 6)
    methods, iba = m2ib()
    explained = Explained(model)

    def run():
        give_noise(iba, inputs["noise"])
        states = methods.extract_feature_map(explained.vision_model, 9, inputs["pixel_values"])
        estimator = methods.get_compression_estimator(1.0, methods.extract_bert_layer(explained.vision_model, 9), states)
        reader = iba.IBAInterpreter(explained, estimator, beta=1.0, lr=1, steps=10)
        return {"information": torch.nansum(reader._run_vision_training(ids, inputs["pixel_values"])[0], -1)[1:]}
    return inputs, run


METHODS = {"universeg": universeg, "biomedparse": biomedparse, "samus": samus, "medsam": medsam, "medclip-sam": medclip_sam, "medclip-samv2": medclip_samv2}

if name not in METHODS:
    refuse(NotImplementedError(f"there is no PyTorch side of {name}"))
if name in CHECKOUTS:
    checkout()
prepare_torch(threads)
import torch  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

try:
    inputs, run = METHODS[name]()
except ImportError as error:
    refuse(error)
save_file({key: value.contiguous() for key, value in inputs.items()}, folder / "inputs.safetensors")
serve_torch(variant, lambda _question: run(), training=name.startswith("medclip"))
