"""Fixture biomed-clip, a small BiomedCLIP of uneven widths under both namings, with its gradients and its saliency by M2IB.

Needs what biomed_clip_reference.py names:

    MEDCLIP_SAMV2=MedCLIP-SAMv2 .venv-reference/bin/python tools/golden/biomed_clip.py
"""
import json

import torch
from safetensors.torch import save_file

from biomed_clip_reference import BiomedClip, Explained, give_noise, hugging_face, m2ib
from common import FIXTURES, noise, perturb, save_case

torch.set_num_threads(1)

VISION = dict(img_size=40, patch_size=8, embed_dim=24, depth=3, num_heads=3, mlp_ratio=1.5)
TEXT = dict(vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24, max_position_embeddings=13,
            hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
DIM = 20
# The second text is padded.
IDS = [[2, 7, 25, 12, 9, 49, 3], [2, 18, 5, 3, 0, 0, 0]]
LAYER, BETA, STEPS, COPIES = 0, 0.5, 4, 10


def config():
    return {
        "model_type": "clip", "projection_dim": DIM,
        "vision_config": dict(model_type="vit", hidden_size=24, intermediate_size=36, num_hidden_layers=3, num_attention_heads=3,
                              image_size=40, patch_size=8, layer_norm_eps=1e-6),
        "text_config": dict(model_type="bert", **TEXT),
        "text_projection_config": dict(hidden_size=16, intermediate_size=18, projection_dim=DIM),
    }


def saliency(model, image, ids, given):
    """The capacity of each patch after the authors' optimisation of the bottleneck."""
    methods, iba = m2ib()
    give_noise(iba, given)
    explained = Explained(model)
    features = methods.extract_feature_map(explained.vision_model, LAYER, image)
    layer = methods.extract_bert_layer(explained.vision_model, LAYER)
    estimator = methods.get_compression_estimator(1.0, layer, features)
    reader = iba.IBAInterpreter(explained, estimator, beta=BETA, lr=1, steps=STEPS)
    capacity = reader._run_vision_training(ids, image)[0]
    return torch.nansum(capacity, -1)[1:]


def make(name, seed):
    torch.manual_seed(seed)
    model = perturb(BiomedClip(TEXT, DIM, VISION), seed)
    ids, pixels = torch.tensor(IDS), noise((2, 3, 40, 40), seed + 1)
    blocks = {}
    modules = {**{f"visual.trunk.blocks.{i}": block for i, block in enumerate(model.visual.trunk.blocks)},
               **{f"text.transformer.encoder.layer.{i}": layer for i, layer in enumerate(model.text.transformer.encoder.layer)}}

    def keep(key):
        return lambda _module, _inputs, output: blocks.update({f"mid.{key}": output[0] if isinstance(output, tuple) else output})

    hooks = [module.register_forward_hook(keep(key)) for key, module in modules.items()]
    image, text, logits = model(pixels, ids)
    for hook in hooks:
        hook.remove()
    weight = noise(logits.shape, seed + 2)
    (logits * weight).sum().backward()
    case = {"in.pixel_values": pixels, "in.input_ids": ids.int(), "in.d": weight,
            "out.image_embeds": image, "out.text_embeds": text, "out.logits_per_image": logits}
    case |= blocks
    case |= {f"grad.{key}": p.grad.clone() for key, p in model.named_parameters() if p.grad is not None}
    given = noise((STEPS, COPIES, 26, 24), seed + 3)
    case |= {"in.noise": given, "out.saliency": saliency(model, pixels[:1], ids[:1], given)}
    weights = {key: value.contiguous() for key, value in model.state_dict().items()}
    for form in (name, f"{name}-hugging-face"):
        (FIXTURES / form).mkdir(exist_ok=True)
        (FIXTURES / form / "config.json").write_text(json.dumps(config(), indent=2) + "\n")
    save_file(weights, FIXTURES / name / "model.safetensors")
    torch.save(hugging_face(weights), FIXTURES / f"{name}-hugging-face" / "pytorch_model.bin")
    note = f"whole model, float32 on both sides; M2IB after block {LAYER}, beta {BETA}, {STEPS} steps"
    save_case(name, case, seed=seed, tolerance=1e-4, note=note)
    inputs = {key: value for key, value in case.items() if key in ("in.pixel_values", "in.input_ids", "out.logits_per_image")}
    save_case(f"{name}-hugging-face", inputs, seed=seed, tolerance=1e-4, note="the same model under Hugging Face's names")


if __name__ == "__main__":
    make("biomed-clip", 81)
