"""Fixtures torch-*: files written by `torch.save`, and a detector in the authors' naming, structured like the published files.

Run: .venv-reference/bin/python tools/golden/authors.py     (after grounding_dino.py, whose model it renames)
"""
import argparse
import collections
import os
import re

import torch
from safetensors.torch import load_file

from common import FIXTURES, noise, save_case

SWIN = "model.backbone.conv_encoder.model."

# Hugging Face's names to the authors', as ordered substitutions. Independent of the table in src/, so that each checks the other.
SUBSTITUTIONS = [
    (r"^model\.backbone\.conv_encoder\.model\.embeddings\.patch_embeddings\.projection", "backbone.0.patch_embed.proj"),
    (r"^model\.backbone\.conv_encoder\.model\.embeddings\.norm", "backbone.0.patch_embed.norm"),
    (r"^model\.backbone\.conv_encoder\.model\.encoder\.layers", "backbone.0.layers"),
    (r"^model\.backbone\.conv_encoder\.model\.hidden_states_norms\.stage(\d)", lambda m: f"backbone.0.norm{int(m[1]) - 1}"),
    (r"^(backbone.*)layernorm_before", r"\1norm1"), (r"^(backbone.*)layernorm_after", r"\1norm2"),
    (r"^(backbone.*)attention\.self\.relative", r"\1attn.relative"), (r"^(backbone.*)attention\.output\.dense", r"\1attn.proj"),
    (r"^(backbone.*)intermediate\.dense", r"\1mlp.fc1"), (r"^(backbone.*)output\.dense", r"\1mlp.fc2"),
    (r"^model\.text_backbone", "bert"), (r"^model\.input_proj_vision", "input_proj"), (r"^model\.text_projection", "feat_map"),
    (r"^model\.level_embed", "transformer.level_embed"),
    (r"^model\.query_position_embeddings", "transformer.tgt_embed"),
    (r"^model\.encoder_output_bbox_embed", "transformer.enc_out_bbox_embed"), (r"^model\.enc_output", "transformer.enc_output"),
    (r"^model\.encoder\.layers\.(\d+)\.deformable_layer", r"transformer.encoder.layers.\1"),
    (r"^model\.encoder\.layers\.(\d+)\.text_enhancer_layer", r"transformer.encoder.text_layers.\1"),
    (r"^model\.encoder\.layers\.(\d+)\.fusion_layer", r"transformer.encoder.fusion_layers.\1"),
    (r"^model\.decoder\.layer_norm", "transformer.decoder.norm"),
    (r"^model\.decoder\.reference_points_head", "transformer.decoder.ref_point_head"),
    (r"^model\.decoder", "transformer.decoder"),
    (r"^(transformer\.encoder\.layers\.\d+)\.self_attn_layer_norm", r"\1.norm1"),
    (r"^(transformer\.encoder\.layers\.\d+)\.final_layer_norm", r"\1.norm2"),
    (r"layer_norm_before", "norm1"), (r"layer_norm_after", "norm2"),
    (r"layer_norm_vision", "layer_norm_v"), (r"layer_norm_text", "layer_norm_l"),
    (r"vision_param", "gamma_v"), (r"text_param", "gamma_l"),
    (r"values_vision_proj", "values_v_proj"), (r"values_text_proj", "values_l_proj"),
    (r"out_vision_proj", "out_v_proj"), (r"out_text_proj", "out_l_proj"),
    (r"attn\.vision_proj", "attn.v_proj"), (r"attn\.text_proj", "attn.l_proj"),
    (r"encoder_attn_layer_norm", "norm1"), (r"encoder_attn_text_layer_norm", "catext_norm"),
    (r"encoder_attn_text", "ca_text"), (r"encoder_attn", "cross_attn"),
    (r"(transformer\.decoder\.layers\.\d+)\.self_attn_layer_norm", r"\1.norm2"),
    (r"(transformer\.decoder\.layers\.\d+)\.final_layer_norm", r"\1.norm3"),
    (r"^(transformer.*)\.fc1", r"\1.linear1"), (r"^(transformer.*)\.fc2", r"\1.linear2"),
]


def authors_name(name):
    for pattern, replacement in SUBSTITUTIONS:
        name = re.sub(pattern, replacement, name)
    return name


def in_authors_names(weights):
    """Renames keys, and fuses queries, keys and values as in the authors' files."""
    renamed, parts = collections.OrderedDict(), collections.defaultdict(dict)
    for key, value in weights.items():
        fused = re.match(r"(model\.(?:backbone|encoder\.layers\.\d+\.text_enhancer|decoder).*)\.(query|key|value)\.(weight|bias)$", key)
        if fused:
            parts[fused[1], fused[3]][fused[2]] = value
        else:
            renamed[authors_name(key)] = value
    for (stem, kind), three in parts.items():
        joined = torch.cat([three["query"], three["key"], three["value"]])
        backbone = stem.startswith(SWIN)
        name = authors_name(stem + ".")[:-1] if not backbone else authors_name(stem.removesuffix("attention.self") + "attn")
        renamed[f"{name}.qkv.{kind}" if backbone else f"{name}.in_proj_{kind}"] = joined
    return renamed


def published_shape(renamed, copies):
    """Adds the other entries of the published files."""
    full = collections.OrderedDict(renamed)
    for key, value in renamed.items():
        if key.startswith("bbox_embed.0."):
            for i in range(copies):
                full[key.replace("bbox_embed.0.", f"bbox_embed.{i}.")] = value
                full[key.replace("bbox_embed.0.", f"transformer.decoder.bbox_embed.{i}.")] = value
        if key.endswith("relative_position_bias_table"):
            full[key.replace("bias_table", "index")] = torch.arange(9 * 9).reshape(9, 9)
    hidden = renamed["bert.embeddings.word_embeddings.weight"].shape[1]
    full["bert.embeddings.position_ids"] = torch.arange(24)[None]
    full["bert.pooler.dense.weight"], full["bert.pooler.dense.bias"] = noise((hidden, hidden), 1), noise((hidden,), 2)
    full["label_enc.weight"] = noise((2001, 3), 3)
    return full


def detector():
    source = FIXTURES / "grounding-dino-four-levels"
    weights = {key: value for key, value in load_file(source / "model.safetensors").items() if ".swin.layernorm." not in key}
    folder = FIXTURES / "torch-authors"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_bytes((source / "config.json").read_bytes())
    full = published_shape(in_authors_names(weights), copies=3)
    wrapped = collections.OrderedDict((f"module.{key}", value) for key, value in full.items())
    torch.save({"model": wrapped}, folder / "published.pth")
    print(f"{folder.name}: {(folder / 'published.pth').stat().st_size / 1024:.0f} kB")


class Evil:
    """A pickle with code that a reader must not execute."""

    def __reduce__(self):
        return os.system, ("touch /tmp/sonoground-was-here",)


def objects():
    """Element types, views and wrappers."""
    base = noise((6, 5), 5)
    table = collections.OrderedDict(
        float=base, half=noise((3, 2), 6).half(), bfloat=noise((7,), 7).bfloat16(), double=noise((2, 2), 8).double(),
        long=torch.tensor([[-(2**31), 2**31 - 1]]), int=torch.tensor([-5, 6], dtype=torch.int32),
        short=torch.tensor([-300, 300], dtype=torch.int16), char=torch.tensor([-128, 127], dtype=torch.int8),
        byte=torch.tensor([0, 255], dtype=torch.uint8), bool=torch.tensor([True, False]),
        transposed=base.T, slice=base[1:4, 2:], strided=base[::2, 1::2], expanded=base[0, :1].expand(2, 3), scalar=torch.tensor(1.5),
        empty=torch.zeros(0, 4), row=base[2],
    )
    table["parameter"] = torch.nn.Parameter(noise((2, 3), 9))
    save_case("torch-objects", {f"out.{k}": v for k, v in table.items() if v.dtype != torch.float64}
              | {"out.double": table["double"].float()}, seed=5, tolerance=0, note="exact")
    folder = FIXTURES / "torch-objects"
    torch.save(table, folder / "table.pth")
    torch.save({"epoch": 3, "args": argparse.Namespace(lr=1e-4), "state_dict": table, "big": 2**70, "list": [1, (2.5, None)]},
               folder / "training.pt")
    torch.save(table, folder / "protocol4.pth", pickle_protocol=4)
    torch.save(table, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"x": noise((2,), 10)}, folder / "small.pth")
    torch.save({"model": {"x": noise((2,), 10)}, "hook": Evil()}, folder / "evil.pth")


if __name__ == "__main__":
    detector()
    objects()
