"""Fixtures grounding-dino-*: whole small detectors with named intermediates and gradients, the sampling op, and the text masks.

Run: .venv-reference/bin/python tools/golden/grounding_dino.py
"""
import copy
import math

import torch
from transformers import (
    GroundingDinoConfig, GroundingDinoForObjectDetection, MMGroundingDinoConfig, MMGroundingDinoForObjectDetection,
)
from transformers.models.grounding_dino.modeling_grounding_dino import (
    MultiScaleDeformableAttention,
    encode_sinusoidal_position_embedding,
    generate_masks_with_special_tokens_and_transfer_map,
)

from common import noise, perturb, save_case
from swin import saved_name as swin_name

SWIN = "model.backbone.conv_encoder.model."
TEXT = "model.text_backbone."
VOCABULARY = 1040  # special tokens reach 1029

# Phrases of different lengths and a question mark; the second prompt is shorter and padded.
INPUT_IDS = [
    [101, 7, 8, 9, 1012, 11, 1029, 12, 13, 1012, 102],
    [101, 21, 22, 1012, 5, 1012, 102, 0, 0, 0, 0],
]

CASES = {
    # Two maps and two extra levels, one shared box head, learned queries, more cells than queries.
    "grounding-dino-four-levels": dict(
        seed=3, image=(2, 3, 46, 35), valid=[(46, 29), (34, 35)],
        config=dict(d_model=32, encoder_layers=2, decoder_layers=3, encoder_ffn_dim=40, decoder_ffn_dim=24,
                    encoder_attention_heads=4, decoder_attention_heads=2, num_queries=11, num_feature_levels=4,
                    encoder_n_points=2, decoder_n_points=3, max_text_len=16),
        backbone=dict(embed_dim=6, depths=[1, 2, 1], num_heads=[1, 2, 2], window_size=3, out_indices=[2, 3], patch_size=2),
    ),
    # Three levels, a box head for each of two layers, gelu, as many queries as cells, learned positions.
    "grounding-dino-three-levels": dict(
        seed=10, image=(2, 3, 40, 56), valid=[(40, 45), (40, 56)],
        config=dict(d_model=32, encoder_layers=2, decoder_layers=2, encoder_ffn_dim=48, decoder_ffn_dim=40,
                    encoder_attention_heads=8, decoder_attention_heads=4, num_queries=13, num_feature_levels=3,
                    encoder_n_points=3, decoder_n_points=2, max_text_len=11, decoder_bbox_embed_share=False,
                    position_embedding_type="learned", activation_function="gelu", layer_norm_eps=1e-4,
                    positional_embedding_temperature=10000),
        backbone=dict(embed_dim=4, depths=[1, 1, 1], num_heads=[1, 2, 2], window_size=2, out_indices=[2, 3], patch_size=4),
    ),
    # MM Grounding DINO: scaled and biased class logits, separate box and class heads per layer, as published.
    "mm-grounding-dino": dict(
        seed=5, image=(2, 3, 40, 33), valid=[(40, 33), (31, 30)], classes=(MMGroundingDinoConfig, MMGroundingDinoForObjectDetection),
        config=dict(d_model=32, encoder_layers=1, decoder_layers=2, encoder_ffn_dim=24, decoder_ffn_dim=24,
                    encoder_attention_heads=4, decoder_attention_heads=4, num_queries=9, num_feature_levels=3,
                    encoder_n_points=2, decoder_n_points=2, max_text_len=13),
        backbone=dict(embed_dim=4, depths=[1, 1], num_heads=[1, 2], window_size=3, out_indices=[1, 2], patch_size=4),
    ),
}


def saved_name(name):
    for head in ("bbox_embed.", "class_embed."):
        name = name.removeprefix("model.decoder.") if name.startswith(f"model.decoder.{head}") else name  # tied
    return SWIN + swin_name(name[len(SWIN):]) if name.startswith(SWIN) else name




def agreement(queries, text, head):
    """Raw class logits, without masking of padding."""
    logits = queries @ text.transpose(1, 2)
    return logits / math.sqrt(queries.shape[-1]) + head.bias if hasattr(head, "bias") else logits


def whole_model(name, seed, image, valid, config, backbone, classes=(GroundingDinoConfig, GroundingDinoForObjectDetection)):
    torch.manual_seed(seed)
    full = classes[0](
        backbone_config=dict(model_type="swin", **backbone),
        text_config=dict(model_type="bert", vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                         intermediate_size=24, max_position_embeddings=24),
        **config)
    model = classes[1](full)
    mm = isinstance(full, MMGroundingDinoConfig)
    if mm:
        for heads in (model.bbox_embed, model.class_embed):
            for i in range(1, len(heads)):
                heads[i] = copy.deepcopy(heads[0])
    perturb(model, seed, std=0.08)
    pixels = noise(image, seed + 1)
    pixel_mask = torch.zeros(image[0], *image[2:], dtype=torch.long)
    for mask, (h, w) in zip(pixel_mask, valid):
        mask[:h, :w] = 1
    input_ids = torch.tensor(INPUT_IDS)
    attention_mask = (input_ids != 0).long()
    types = torch.zeros_like(input_ids)
    types[0, 7:10] = 1

    middle = {}
    hook = lambda key, pick: lambda _m, _i, out: middle.__setitem__(key, pick(out))
    for i, layer in enumerate(model.model.encoder.layers):
        layer.register_forward_hook(hook(f"encoder{i}.vision", lambda out: out[0][0]))
        layer.register_forward_hook(hook(f"encoder{i}.text", lambda out: out[0][1]))
    model.model.encoder.layers[0].register_forward_pre_hook(
        lambda _m, _a, kw: middle.update({"start.vision": kw["vision_features"], "start.text": kw["text_features"],
                                          "start.positions": kw["vision_position_embedding"]}), with_kwargs=True)
    model.model.enc_output_norm.register_forward_hook(hook("objects", lambda out: out))
    out = model(pixel_values=pixels, pixel_mask=pixel_mask, input_ids=input_ids, attention_mask=attention_mask, token_type_ids=types)

    # Raw logits and boxes of every layer, from the reference's outputs.
    text = out.encoder_last_hidden_state_text
    layers = []
    for i in range(full.decoder_layers):
        hidden = out.intermediate_hidden_states[:, i]
        reference = out.init_reference_points if i == 0 else out.intermediate_reference_points[:, i - 1]
        boxes = (model.bbox_embed[i](hidden) + torch.special.logit(reference, eps=1e-5)).sigmoid()
        layers.append((agreement(hidden, text, model.class_embed[i]), boxes))
    assert torch.equal(layers[-1][1], out.pred_boxes)

    scores = out.enc_outputs_class.max(-1)[0]
    top, index = torch.topk(scores, full.num_queries, dim=1)
    rest = torch.sort(scores, dim=1, descending=True)[0]
    gap = (rest[:, : full.num_queries] - rest[:, 1 : full.num_queries + 1]).min().item()
    print(f"{name}: {scores.shape[1]} cells, smallest gap of scores {gap:.2e} of {scores.abs().max():.1f}")
    assert gap > 3e-4 * scores.abs().max(), "choose another seed: the selection would hang on rounding"

    # First stage with gradient: the reference's own heads at the selected cells.
    objects = torch.gather(middle["objects"], 1, index[..., None].expand(-1, -1, full.d_model))
    coords = torch.gather(out.enc_outputs_coord_logits, 1, index[..., None].expand(-1, -1, 4))
    first = (agreement(objects, text, model.model.encoder_output_class_embed), coords.sigmoid())
    assert torch.equal(first[1], out.init_reference_points)

    tensors = {"in.pixel_values": pixels, "in.pixel_mask": pixel_mask.int(), "in.input_ids": input_ids.int(),
               "in.attention_mask": attention_mask.int(), "in.token_type_ids": types.int(),
               "out.logits": out.logits, "out.pred_boxes": out.pred_boxes,
               "out.encoder.logits": first[0], "out.encoder.boxes": first[1]}
    tensors |= {f"mid.{k}": v for k, v in middle.items()}
    # The loss: a weighted sum of logits and boxes of the last and the first layer and of the first stage.
    loss = 0
    for key, (logits, boxes) in {"last": layers[-1], "auxiliary": layers[0], "encoder": first}.items():
        if key == "auxiliary":
            tensors |= {"out.auxiliary.logits": logits, "out.auxiliary.boxes": boxes}
        weights = noise(logits.shape, seed + len(key), 0.1), noise(boxes.shape, seed + len(key) + 20)
        tensors |= {f"in.grad.{key}.logits": weights[0], f"in.grad.{key}.boxes": weights[1]}
        loss = loss + (logits * weights[0]).sum() + (boxes * weights[1]).sum()
    loss.backward()
    named = {saved_name(n): p for n, p in model.named_parameters() if p.grad is not None}
    tensors |= {f"grad.{n}": p.grad for n, p in named.items()}
    save_case(name, tensors, seed=seed, tolerance=1e-3, model=model, rename=saved_name if mm else None,  # heads that are not tied are stored under the decoder's path
              note="whole model in float32, outputs and gradients 1e-3, encoder layers 1e-4; the first stage's outputs are "
                   "taken from the reference's intermediates with their gradient, which its own loss detaches")


def sampling():
    """The sampling op: three levels of odd sizes, points inside, in boundary cells, and outside."""
    shapes = [(5, 7), (3, 4), (1, 2)]
    cells = sum(h * w for h, w in shapes)
    value = noise((2, cells, 3, 4), 1).requires_grad_()
    locations = (torch.rand((2, 6, 3, 3, 2, 2), generator=torch.Generator().manual_seed(2)) * 1.6 - 0.3).requires_grad_()
    weights = noise((2, 6, 3, 3, 2), 3).requires_grad_()
    out = MultiScaleDeformableAttention()(value, torch.tensor(shapes), shapes, None, locations, weights, 64)
    dout = noise(out.shape, 4)
    (out * dout).sum().backward()
    coordinates = torch.rand((2, 5, 4), generator=torch.Generator().manual_seed(5))
    maps = noise((2, 6, 3, 5), 6)
    norm = perturb(torch.nn.GroupNorm(3, 6), 7, std=0.3)
    save_case("grounding-dino-sampling", {
        "in.maps": maps, "out.maps": norm(maps), "norm.weight": norm.weight, "norm.bias": norm.bias,
        "in.value": value, "in.locations": locations, "in.weights": weights, "in.grad": dout, "out": out,
        "grad.value": value.grad, "grad.locations": locations.grad, "grad.weights": weights.grad,
        "in.coordinates": coordinates, "out.encoding": encode_sinusoidal_position_embedding(coordinates, 6),
    }, seed=1, tolerance=1e-5, note="single ops")


def text_masks():
    """Prompts that begin without [CLS], end at a special token, are padded, or have no special token at all."""
    ids = torch.tensor([
        [101, 5, 6, 1012, 7, 1029, 102, 0, 0],
        [5, 6, 1012, 7, 8, 9, 1012, 4, 102],
        [5, 6, 7, 8, 9, 10, 11, 12, 13],
        [101, 101, 5, 1012, 1012, 6, 7, 102, 0],
        [101, 5, 6, 7, 8, 9, 10, 11, 1012],
    ])
    mask, positions = generate_masks_with_special_tokens_and_transfer_map(ids)
    save_case("grounding-dino-text-masks", {"in.input_ids": ids.int(), "out.mask": mask.int(), "out.position_ids": positions.int()},
              seed=0, tolerance=0, note="exact")


if __name__ == "__main__":
    sampling()
    text_masks()
    for name, case in CASES.items():
        whole_model(name, **case)
