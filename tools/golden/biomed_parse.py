"""Fixture biomed-parse, a small BiomedParse in the form of the published file, and biomed-parse-image, its inputs and rejection p-values.

Needs a checkout of https://github.com/microsoft/BiomedParse, which no package provides, and scipy:

    PYTHONPATH=BiomedParse .venv-reference/bin/python tools/golden/biomed_parse.py
"""
import json
import types

import numpy as np
import torch
from PIL import Image

from biomed_parse_authors import ask, build, interactive_infer_image, output_processing, watch
from common import FIXTURES, noise, perturb, save_case

torch.set_num_threads(1)

SMALL = dict(width=4, depths=(1, 2, 1, 1), levels=(2, 3, 2, 2), windows=(3, 3, 5, 3), hidden=12, mask_dim=8, heads=2, feed_forward=16, encoder_layers=2,
             decoder_layers=4, queries=7, vocabulary=40, context=9, text_width=8, text_layers=2, text_heads=2, groups=3)
CONFIG = dict(
    model_type="biomedparse", image_size=64, hidden_size=12, mask_size=8, num_attention_heads=2, intermediate_size=16, encoder_layers=2, decoder_layers=4,
    num_queries=7, norm_groups=3, backbone_config=dict(embed_dim=4, depths=[1, 2, 1, 1], focal_levels=[2, 3, 2, 2], focal_windows=[3, 3, 5, 3]),
    text_config=dict(vocab_size=40, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=9))
# Keys that the reference trains for other prompts than texts.
UNUSED = ("pn_indicator", "mask_sptial_embed", "spatial_embed", "spatial_featured", "biomed_encoder")


def fused_apart(key):
    """This project's keys for a reference's. Independent of the tables in src/, so that each checks the other."""
    if "in_proj_" not in key:
        return [key]
    return [key.replace("in_proj_", f"{part}.") for part in ("query", "key", "value")]


def make(name, seed):
    torch.manual_seed(seed)
    model = perturb(build(**SMALL), seed, std=0.15)
    with torch.no_grad():  # Initialised so small that blocks would hardly change what passes them.
        for key, parameter in model.named_parameters():
            if "gamma_" in key:
                parameter.add_(0.5)
    pixels = torch.sigmoid(noise((3, 64, 96), seed + 1)) * 255
    ids = [[38, 5, 7, 39], [38, 3, 12, 21, 39], [38, 30, 39]]
    phrases = [" ".join(map(str, row)) for row in ids]
    mean, std = model.pixel_mean, model.pixel_std
    case = {"in.pixel_values": ((pixels - mean) / std)[None]}
    case |= {f"in.ids.{i}": torch.tensor([row], dtype=torch.int32) for i, row in enumerate(ids)}
    scale = model.sem_seg_head.predictor.lang_encoder.logit_scale

    def similarity(classes, sentences):
        unit = [x / (x.norm(dim=-1, keepdim=True) + 1e-7) for x in (classes, sentences)]
        return scale.exp().clamp(max=100) * unit[0] @ unit[1].t()

    with torch.no_grad():  # All phrases in one prompt: their tokens see each other.
        masks, classes, sentences = ask(model, pixels, phrases)
        case |= {"out.all.masks": masks[None], "out.all.similarity": similarity(classes, sentences)[None]}
    seen, hooks = watch(model)
    masks, classes, sentences = ask(model, pixels, phrases[1:2])
    for hook in hooks:
        hook.remove()
    alike = similarity(classes, sentences)
    case |= {"out.masks": masks[None], "out.classes": classes[None], "out.similarity": alike[None], "out.sentence": sentences}
    kept = ("backbone.norm", "encoder.1", "fpn.", "mask_features", "decoder.", "text.1")
    case |= {f"mid.{key}": value[:, :5] if key.startswith("text.") else value for key, value in seen.items() if key.startswith(kept)}
    weights = {"in.d_masks": noise(masks.shape, seed + 2)[None], "in.d_similarity": noise(alike.shape, seed + 3)[None]}
    ((masks * weights["in.d_masks"][0]).sum() + (alike * weights["in.d_similarity"][0]).sum()).backward()
    case |= weights
    # The gradients themselves would be as large as the weights: the sums of their products with the weights, and their lengths.
    for key, parameter in model.named_parameters():
        if any(part in key for part in UNUSED):
            continue
        ours = fused_apart(key)
        for own, weight, gradient in zip(ours, parameter.detach().chunk(len(ours)) if len(ours) > 1 else [parameter.detach()],
                                         parameter.grad.chunk(len(ours)) if len(ours) > 1 else [parameter.grad]):
            case[f"grad.{own}"] = torch.stack([(weight.double() * gradient).sum(), gradient.double().norm()]).float()
    folder = FIXTURES / name
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    torch.save(model.state_dict(), folder / "published.pt")
    save_case(name, case, seed=seed, tolerance=1e-4, note="whole model, float32 on both sides; gradients to 1e-3")
    return model


def make_image(name, seed, model):
    """An image of another shape through the authors' `interactive_infer_image`, resized to the model's side instead of 1024, and p-values."""
    pixels = (torch.sigmoid(noise((37, 53, 3), seed)) * 255).round().to(torch.uint8)
    image = Image.fromarray(pixels.numpy())
    from inference_utils import inference
    inference.transform = lambda given: given.resize((64, 64), Image.BICUBIC)
    whole = types.SimpleNamespace(model=model)
    phrase = "38 3 12 21 39"
    with torch.no_grad():
        probability = interactive_infer_image(whole, image, [phrase])
    case = {"in.image": pixels, "in.ids": torch.tensor([[int(word) for word in phrase.split()]], dtype=torch.int32),
            "out.resized": torch.from_numpy(np.asarray(inference.transform(image)).copy()), "out.probability": torch.from_numpy(probability[0].copy())}
    distributions = {"left heart ventricle": [[9.2, 1.1], [2.5, 7.3], [2.4, 7.1], [3.0, 6.2]], "tumor": [[0.6, 0.4], [30.0, 41.5], [1.0, 1.0], [150.2, 99.9]]}
    output_processing.get_target_dist = lambda: {"Ultrasound": distributions}
    p_values = {}
    masks = {"own": probability[0], "none": np.full((37, 53), 0.4, np.float32)}
    masks["band"] = np.linspace(0, 1, 37 * 53, dtype=np.float32).reshape(37, 53)
    for key, mask in masks.items():
        case[f"in.{key}"] = torch.from_numpy(mask.copy())
        p_values[key] = {target: float(output_processing.check_mask_stats(pixels.numpy(), mask * 255, "Ultrasound", target)) for target in distributions}
    save_case(name, case, seed=seed, tolerance=1e-4, note="through the whole model; p-values in double precision")
    (FIXTURES / name / "distributions.json").write_text(json.dumps({"Ultrasound": distributions}) + "\n")
    (FIXTURES / name / "p-values.json").write_text(json.dumps(p_values, indent=2) + "\n")


if __name__ == "__main__":
    make_image("biomed-parse-image", 92, make("biomed-parse", 91))
