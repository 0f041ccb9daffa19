"""BiomedCLIP as open_clip builds it, at any size, and M2IB as the authors of MedCLIP-SAMv2 run it, with the noise given.

Needs open_clip_torch and timm (with torchvision), and for M2IB and Hugging Face's names a checkout of
https://github.com/HealthX-Lab/MedCLIP-SAMv2, which no package provides, in MEDCLIP_SAMV2.
"""
import ast
import os
import pathlib
import re
import sys
import types

import torch
from torch import nn

import without_torchvision  # noqa: F401
from transformers import AutoModel, BertConfig  # noqa: F401
from open_clip.hf_model import HFTextEncoder  # noqa: E402
from open_clip.timm_model import TimmModel  # noqa: E402
from timm.models.vision_transformer import VisionTransformer  # noqa: E402


class BiomedClip(nn.Module):
    """The two towers under open_clip's names."""

    def __init__(self, text, dim=512, vision=None):
        super().__init__()
        self.visual = TimmModel("vit_base_patch16_224", dim, 224, pool="", proj="linear", pretrained=False)
        if vision is not None:
            self.visual.trunk = VisionTransformer(num_classes=0, **vision)
            self.visual.head.proj = nn.Linear(vision["embed_dim"], dim, bias=False)
        pooler = "cls_last_hidden_state_pooler"
        self.text = HFTextEncoder("bert", dim, config=BertConfig(**text), pooler_type=pooler, proj_type="mlp", pretrained=False)
        self.text.transformer.pooler = None  # the published file has none
        self.logit_scale = nn.Parameter(torch.tensor(4.4454))

    def forward(self, pixel_values, input_ids):
        image = nn.functional.normalize(self.visual(pixel_values), dim=-1)
        text = nn.functional.normalize(self.text(input_ids), dim=-1)
        return image, text, self.logit_scale.exp() * image @ text.T


class Vision(nn.Module):
    """The image encoder with its blocks in a list, which M2IB looks for by the name of `layers`."""

    def __init__(self, visual):
        super().__init__()
        # In a tuple, which hides them: the list below must be the only place where a block is replaced.
        self.others = (visual.trunk, visual.head)
        self.encoder = nn.Module()
        self.encoder.layers = nn.ModuleList(visual.trunk.blocks)

    def forward(self, x, output_hidden_states=False):
        trunk, head = self.others
        x = trunk._pos_embed(trunk.patch_embed(x))
        states = [x]
        for layer in self.encoder.layers:
            x = layer(x)
            x = x[0] if isinstance(x, tuple) else x
            states.append(x)
        return {"hidden_states": states} if output_hidden_states else head(trunk.norm(x)[:, 0])


class Explained(nn.Module):
    """What M2IB expects of a model."""

    def __init__(self, model):
        super().__init__()
        self.vision_model, self.text_model = Vision(model.visual), model.text

    def get_image_features(self, x):
        return self.vision_model(x)

    def get_text_features(self, x):
        return self.text_model(x)


def checkout():
    return pathlib.Path(os.environ["MEDCLIP_SAMV2"]) / "saliency_maps"


def m2ib():
    """The authors' modules `scripts.methods` and `scripts.iba`."""
    sys.path.insert(0, str(checkout()))
    for name in ("matplotlib", "matplotlib.pyplot"):
        sys.modules.setdefault(name, types.ModuleType(name))  # imported for figures
    import scripts.iba
    import scripts.methods

    return scripts.methods, scripts.iba


def give_noise(iba, noise):
    """Lets the bottleneck take `noise`, [steps, copies, tokens, channels], one step after the other."""
    steps = iter(noise)

    def sample(mu, variance):
        return mu + variance.sqrt() * next(steps)

    iba.InformationBottleneck._sample_t = staticmethod(sample)


def hugging_face(weights):
    """Weights under Hugging Face's names, by the authors' `model/convert.py`, whose imports need the published model."""
    source = ast.parse((checkout() / "model" / "convert.py").read_text())
    wanted = {"STATE_DICT_PATTERNS", "convert_state_dict"}
    parts = [
        node for node in source.body
        if (isinstance(node, ast.Assign) and node.targets[0].id in wanted) or (isinstance(node, ast.FunctionDef) and node.name in wanted)
    ]
    space = {"re": re, "print": lambda *words: None}
    exec(compile(ast.Module(parts, []), "convert.py", "exec"), space)
    return space["convert_state_dict"](weights)
