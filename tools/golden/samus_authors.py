"""The authors' SAMUS, for the scripts of fixtures and parity.

Needs a checkout of https://github.com/xianlin7/SAMUS on PYTHONPATH, which no package provides. Its model files import modules that the
forward pass never uses; those that are not installed are replaced by empty ones.
"""
import argparse
import importlib.util
import sys
from unittest.mock import MagicMock

import torch

import common  # noqa: F401 - transformers looks for torchvision, and must not find an empty one


def without(*names):
    """Puts empty modules in the place of those that are not installed."""
    for name in names:
        parent = name.rpartition(".")[0]
        if isinstance(sys.modules.get(parent), MagicMock) or (name not in sys.modules and importlib.util.find_spec(name) is None):
            sys.modules[name] = MagicMock()


without("tkinter", "turtle", "einops", "torchvision", "torchvision.ops", "torchvision.ops.boxes", "torchvision.transforms",
        "torchvision.transforms.functional")

from models.segment_anything_samus import build_samus_vit_b  # noqa: E402
from models.segment_anything_samus.modeling import image_encoder as encoder_code  # noqa: E402
from models.segment_anything_samus.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Samus, TwoWayTransformer  # noqa: E402,F401

CNN = (64, 128, 256)


def published():
    """The published model with the authors' initialisation; nothing frozen, so that every parameter can have a gradient."""
    return trainable(build_samus_vit_b(argparse.Namespace(encoder_input_size=256)))


def small(*, side, patch, width, heads, depth, window, global_layers, cnn, positions, decoder_width):
    """A small model of the authors' classes, with the sizes replaced that they write as numbers."""
    tokens = side // patch
    encoder = ImageEncoderViT(img_size=side, patch_size=patch, embed_dim=width, depth=depth, num_heads=heads, out_chans=decoder_width,
                              norm_layer=lambda n: torch.nn.LayerNorm(n, eps=1e-6), use_rel_pos=True, window_size=window,
                              global_attn_indexes=global_layers)
    encoder.pos_embed = torch.nn.Parameter(torch.zeros(1, positions, positions, width))
    encoder.post_pos_embed = encoder_code.PostPosEmbed(width, positions, tokens)
    encoder.cnn_embed.inc = encoder_code.SingleConv(3, cnn[0])
    widths = [*cnn, width]
    encoder.cnn_embed.downs = torch.nn.ModuleList(encoder_code.SingleDown(a, b) for a, b in zip(widths, widths[1:]))
    projection = encoder.patch_embed.proj
    enlarged = side + projection.kernel_size[0] - projection.stride[0]
    encoder.patch_embed.forward = lambda x: projection(
        torch.nn.functional.interpolate(x, (enlarged, enlarged), mode="bilinear", align_corners=False)).permute(0, 2, 3, 1)
    prompts = PromptEncoder(embed_dim=decoder_width, image_embedding_size=(tokens, tokens), input_image_size=(side, side), mask_in_chans=8)
    transformer = TwoWayTransformer(depth=2, embedding_dim=decoder_width, mlp_dim=20, num_heads=8)
    decoder = MaskDecoder(num_multimask_outputs=3, transformer=transformer, transformer_dim=decoder_width, iou_head_depth=3,
                          iou_head_hidden_dim=12)
    return trainable(Samus(encoder, prompts, decoder))


def trainable(model):
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    return model.eval()


def watch(model):
    """Records what the parts of the encoder return, NHWC, until the hooks are removed."""
    encoder = model.image_encoder
    seen = {}
    parts = {"cnn": encoder.cnn_embed, "patches": encoder.patch_embed, "adapted": encoder.input_Adapter, "positions": encoder.post_pos_embed}
    hooks = [part.register_forward_hook(lambda _m, _i, output, key=key: seen.update({key: output})) for key, part in parts.items()]

    def record(i):
        def hook(_module, _inputs, output):
            seen[f"layers.{i}.x"], seen[f"layers.{i}.cnn"] = output
        return hook
    hooks += [block.register_forward_hook(record(i)) for i, block in enumerate(encoder.blocks)]
    return seen, hooks


def ask(model, images, points, labels):
    """Masks of one point each and their scores: what the authors' `forward` computes, which keeps no scores."""
    features = model.image_encoder(images)
    sparse, dense = model.prompt_encoder(points=(points, labels), boxes=None, masks=None)
    masks, scores = model.mask_decoder(
        image_embeddings=features, image_pe=model.prompt_encoder.get_dense_pe(), sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense, multimask_output=False)
    return features, masks, scores
