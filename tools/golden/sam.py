"""Golden fixtures of SAM: its image encoder alone, and whole models with boxes, points, both, neither and earlier masks.

    .venv-reference/bin/python tools/golden/sam.py
"""
import torch
from transformers import SamConfig, SamMaskDecoderConfig, SamModel, SamPromptEncoderConfig, SamVisionConfig
from transformers.models.sam.modeling_sam import SamVisionEncoder

from common import noise, perturb, save_case

torch.set_num_threads(1)

ENCODERS = {
    # A map of 5x5, windows of 3 that do not divide it, one layer with global attention.
    "vit-windows": dict(image_size=80, hidden_size=12, num_attention_heads=3, num_hidden_layers=3, window_size=3, global_attn_indexes=[1],
                        output_channels=10, mlp_dim=20, num_pos_feats=5),
    # Patches that do not fill the image, one channel; without absolute or relative positions, biases or windows.
    "vit-plain": dict(image_size=44, patch_size=8, num_channels=1, hidden_size=8, num_attention_heads=2, num_hidden_layers=2, window_size=0,
                      global_attn_indexes=[], output_channels=6, mlp_ratio=2.7, qkv_bias=False, use_abs_pos=False, use_rel_pos=False,
                      hidden_act="relu", layer_norm_eps=1e-3, num_pos_feats=3),
    # Windows larger than the map, only relative positions.
    "vit-large-window": dict(image_size=48, hidden_size=8, num_attention_heads=1, num_hidden_layers=2, window_size=7, global_attn_indexes=[0],
                             output_channels=6, mlp_ratio=1.5, use_abs_pos=False, num_pos_feats=3),
}


def make_encoder(name, seed, options):
    torch.manual_seed(seed)
    config = SamVisionConfig(**options)
    # Relative positions are initialised to zero and hardly affect the scores: they need more noise than the rest.
    model = perturb(SamVisionEncoder(config), seed, std=0.3)
    pixel_values = noise((2, config.num_channels, config.image_size, config.image_size), seed + 1)
    layers = []
    hooks = [layer.register_forward_hook(lambda _m, _i, output: layers.append(output)) for layer in model.layers]
    features = model(pixel_values).last_hidden_state
    for hook in hooks:
        hook.remove()
    weight = noise(features.shape, seed + 2)
    (features * weight).sum().backward()
    case = {"in.pixel_values": pixel_values, "in.d": weight, "out.features": features}
    case |= {f"mid.layer.{i}": layer for i, layer in enumerate(layers)}
    case |= {f"grad.{key}": p.grad for key, p in model.named_parameters()}
    save_case(name, case, seed=seed, tolerance=1e-4, model=model, note="an encoder, float32 on both sides; gradients to 1e-3")


def build(seed, *, size, vision, decoder):
    torch.manual_seed(seed)
    hidden = vision["output_channels"]
    config = SamConfig(
        vision_config=SamVisionConfig(image_size=size, num_pos_feats=hidden // 2, **vision),
        prompt_encoder_config=SamPromptEncoderConfig(
            hidden_size=hidden, image_size=size, patch_size=vision.get("patch_size", 16), mask_input_channels=8,
        ),
        mask_decoder_config=SamMaskDecoderConfig(hidden_size=hidden, **decoder),
    )
    model = perturb(SamModel(config), seed, std=0.1)
    with torch.no_grad():  # Initial directions give angles of hundreds of turns, where float32 results depend on the platform.
        model.shared_image_embedding.positional_embedding.mul_(1 / model.shared_image_embedding.positional_embedding.std())
    return model


def prompts(size, seed):
    generator = torch.Generator().manual_seed(seed)
    low = torch.rand((2, 3, 2), generator=generator) * size * 0.5
    boxes = torch.cat([low, low + 4 + torch.rand((2, 3, 2), generator=generator) * size * 0.4], -1)
    points = torch.rand((2, 3, 2, 2), generator=generator) * size
    labels = torch.tensor([[[1, 0], [1, -10], [0, -1]], [[1, 1], [-1, 0], [1, -10]]])
    return boxes, points, labels


def gradients(model, case, prefix, arguments, seed, only=""):
    model.zero_grad()
    out = model(pixel_values=case["in.pixel_values"], **arguments)
    d_masks, d_iou = noise(out.pred_masks.shape, seed), noise(out.iou_scores.shape, seed + 1)
    ((out.pred_masks * d_masks).sum() + (out.iou_scores * d_iou).sum()).backward()
    case |= {f"in.{prefix}d_masks": d_masks, f"in.{prefix}d_iou": d_iou}
    named = {key: p.grad for key, p in model.named_parameters() if p.grad is not None and key.startswith(only)}
    case |= {f"{prefix}grad.{key}": grad for key, grad in named.items()}


def make(name, seed, size, **options):
    model = build(seed, size=size, **options)
    side = model.config.prompt_encoder_config.image_embedding_size
    channels = model.config.vision_config.num_channels
    boxes, points, labels = prompts(size, seed)
    masks = noise((2, 1, 4 * side, 4 * side), seed + 1)
    case = {"in.pixel_values": noise((2, channels, size, size), seed), "in.input_boxes": boxes, "in.input_points": points,
            "in.input_labels": labels, "in.input_masks": masks}
    point = dict(input_points=points, input_labels=labels)
    ways = {"boxes": dict(input_boxes=boxes), "points": point, "both": dict(input_boxes=boxes) | point, "none": {},
            "masks": dict(input_boxes=boxes, input_masks=masks), "mask_alone": dict(input_masks=masks)}
    with torch.no_grad():
        case["mid.embeddings"] = model.get_image_embeddings(case["in.pixel_values"])
        for way, arguments in ways.items():
            sparse, dense = model.get_prompt_embeddings(**arguments)
            if sparse is not None:
                case[f"mid.{way}.sparse"] = sparse
            case[f"mid.{way}.dense"] = dense[:, :, :1] if "input_masks" not in arguments else dense
            for multimask in (False, True):
                out = model(pixel_values=case["in.pixel_values"], multimask_output=multimask, **arguments)
                key = f"out.{way}.{'multi' if multimask else 'single'}"
                case |= {f"{key}.pred_masks": out.pred_masks, f"{key}.iou_scores": out.iou_scores}
    gradients(model, case, "", dict(input_boxes=boxes, multimask_output=False), seed + 2)
    gradients(model, case, "prompts.", ways["both"] | dict(input_masks=masks, multimask_output=True), seed + 4,
              only=("prompt_encoder.", "mask_decoder."))
    save_case(name, case, seed=seed, tolerance=1e-3, model=model, note="whole model, float32 on both sides")


if __name__ == "__main__":
    for i, (name, options) in enumerate(ENCODERS.items()):
        make_encoder(name, 40 + i, options)
    make("sam-windows", 51, 80,
         vision=dict(hidden_size=12, num_attention_heads=2, num_hidden_layers=3, window_size=3, global_attn_indexes=[1], output_channels=20,
                     mlp_dim=24),
         decoder=dict(mlp_dim=28, num_attention_heads=2, iou_head_hidden_dim=24))
    make("sam-plain", 52, 48,
         vision=dict(patch_size=8, hidden_size=9, num_attention_heads=3, num_hidden_layers=2, window_size=4, global_attn_indexes=[1],
                     num_channels=1, output_channels=16, mlp_ratio=2.3, use_rel_pos=False, hidden_act="relu"),
         decoder=dict(mlp_dim=20, num_attention_heads=4, attention_downsample_rate=1, num_hidden_layers=3, num_multimask_outputs=2,
                      iou_head_depth=2, iou_head_hidden_dim=12, hidden_act="gelu", layer_norm_eps=1e-3))
