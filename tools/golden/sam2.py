"""Golden fixtures of SAM 2's image part: its backbone alone, and whole models with boxes, points or both, with one or several masks.

    .venv-reference/bin/python tools/golden/sam2.py
"""
import json

import torch
from transformers import (
    Sam2Config, Sam2HieraDetConfig, Sam2HieraDetModel, Sam2MaskDecoderConfig, Sam2Model, Sam2PromptEncoderConfig, Sam2VideoConfig,
    Sam2VideoModel, Sam2VisionConfig,
)

from common import FIXTURES, noise, perturb, save_case

torch.set_num_threads(1)


def build(size, *, dims, heads, blocks, windows, background, globals_, hidden, stability, seed, pools=3, top_down=(2, 3)):
    torch.manual_seed(seed)
    backbone = Sam2HieraDetConfig(
        hidden_size=dims[0], image_size=[size, size], blocks_per_stage=blocks, embed_dim_per_stage=dims,
        num_attention_heads_per_stage=heads, window_size_per_stage=windows, global_attention_blocks=globals_,
        window_positional_embedding_background_size=background, mlp_ratio=2.0, num_query_pool_stages=pools,
    )
    vision = Sam2VisionConfig(
        backbone_config=backbone, backbone_channel_list=dims[::-1], fpn_hidden_size=hidden, fpn_top_down_levels=list(top_down),
        backbone_feature_sizes=[[size // 4] * 2, [size // 8] * 2, [size // 16] * 2],
    )
    prompt = Sam2PromptEncoderConfig(hidden_size=hidden, image_size=size, patch_size=16, mask_input_channels=8)
    decoder = Sam2MaskDecoderConfig(
        hidden_size=hidden, mlp_dim=40, num_attention_heads=2, iou_head_hidden_dim=24,
        dynamic_multimask_stability_delta=stability[0], dynamic_multimask_stability_thresh=stability[1],
    )
    return perturb(Sam2Model(Sam2Config(vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder)), seed)


def prompts(size, seed):
    generator = torch.Generator().manual_seed(seed)
    low = torch.rand((2, 3, 2), generator=generator) * size * 0.5
    boxes = torch.cat([low, low + 4 + torch.rand((2, 3, 2), generator=generator) * size * 0.4], -1)
    points = torch.rand((2, 3, 2, 2), generator=generator) * size
    labels = torch.tensor([[[1, 0], [1, -10], [0, 1]], [[1, 1], [0, 0], [1, -10]]])
    return boxes, points, labels


def make(name, model, size, seed):
    pixel_values = noise((2, 3, size, size), seed)
    boxes, points, labels = prompts(size, seed)
    case = {"in.pixel_values": pixel_values, "in.input_boxes": boxes, "in.input_points": points, "in.input_labels": labels}
    ways = {
        "boxes": dict(input_boxes=boxes), "points": dict(input_points=points, input_labels=labels),
        "both": dict(input_boxes=boxes, input_points=points, input_labels=labels), "none": {},
    }
    with torch.no_grad():
        for way, arguments in ways.items():
            for multimask in (False, True):
                out = model(pixel_values=pixel_values, multimask_output=multimask, **arguments)
                key = f"out.{way}.{'multi' if multimask else 'single'}"
                case |= {f"{key}.pred_masks": out.pred_masks, f"{key}.iou_scores": out.iou_scores}
                case |= {f"{key}.object_score_logits": out.object_score_logits}
        masks = noise((2, 1, size // 4, size // 4), seed + 1)
        out = model(pixel_values=pixel_values, input_boxes=boxes, input_masks=masks, multimask_output=True)
        case |= {"in.input_masks": masks, "out.masks.multi.pred_masks": out.pred_masks}
        # Another size, larger in one direction and smaller in the other: the model resizes it.
        sized = noise((2, 1, 3 * size // 4 + 1, size // 4 - 3), seed + 6)
        out = model(pixel_values=pixel_values, input_boxes=boxes, input_masks=sized, multimask_output=True)
        case |= {"in.sized_masks": sized, "out.sized_masks.multi.pred_masks": out.pred_masks}
        case |= {"out.sized_masks.multi.iou_scores": out.iou_scores, "out.sized_masks.multi.object_score_logits": out.object_score_logits}
        case |= {f"mid.features.{i}": features for i, features in enumerate(out.image_embeddings)}
        every, one = case["out.boxes.multi.iou_scores"], case["out.boxes.single.iou_scores"]
        fallbacks = (one == every.max(-1, keepdim=True).values).float().mean().item()
        print(f"{name}: {100 * fallbacks:.0f} % of single masks come from the alternatives")

    # Gradients: the single mask, as in training, without the stability rule.
    model.mask_decoder.training = True
    out = model(pixel_values=pixel_values, input_boxes=boxes, multimask_output=False)
    weight_masks, weight_iou = noise(out.pred_masks.shape, seed + 2), noise(out.iou_scores.shape, seed + 3)
    ((out.pred_masks * weight_masks).sum() + (out.iou_scores * weight_iou).sum()).backward()
    case |= {"in.d_masks": weight_masks, "in.d_iou": weight_iou}
    case |= {f"grad.{key}": p.grad for key, p in model.named_parameters() if p.grad is not None}

    # Cases not covered by boxes: points, an earlier mask, the alternatives, the object score.
    model.zero_grad()
    arguments = ways["both"] | dict(input_masks=masks, multimask_output=True)
    out = model(pixel_values=pixel_values, **arguments)
    weights = {"d_masks": noise(out.pred_masks.shape, seed + 4), "d_object": noise(out.object_score_logits.shape, seed + 5)}
    ((out.pred_masks * weights["d_masks"]).sum() + (out.object_score_logits * weights["d_object"]).sum()).backward()
    case |= {f"in.prompts.{key}": value for key, value in weights.items()}
    heads = ("prompt_encoder.", "mask_decoder.mask_tokens", "mask_decoder.pred_obj_score_head.", "mask_decoder.obj_score_token")
    named = {key: p.grad for key, p in model.named_parameters() if key.startswith(heads) and p.grad is not None}
    case |= {f"prompts.grad.{key}": grad for key, grad in named.items()}
    save_case(name, case, seed=seed, tolerance=1e-3, model=model, note="whole model, float32 on both sides")


def make_backbone(name, seed):
    """Hiera alone also supports oblong images, one channel, non-square patches, and stages without pooling."""
    torch.manual_seed(seed)
    config = Sam2HieraDetConfig(
        hidden_size=6, num_channels=1, patch_kernel_size=[7, 5], patch_stride=[4, 4], patch_padding=[3, 2], blocks_per_stage=[1, 2, 2, 1],
        embed_dim_per_stage=[6, 8, 12, 16], num_attention_heads_per_stage=[1, 2, 3, 4], window_size_per_stage=[4, 4, 5, 3],
        global_attention_blocks=[2], window_positional_embedding_background_size=[3, 5], mlp_ratio=2.7, num_query_pool_stages=2,
    )
    model = perturb(Sam2HieraDetModel(config), seed)
    pixel_values = noise((2, 1, 48, 80), seed)
    stages = model(pixel_values).intermediate_hidden_states
    case = {"in.pixel_values": pixel_values}
    total = 0
    for i, stage in enumerate(stages):
        weight = noise(stage.shape, seed + 1 + i)
        total = total + (stage * weight).sum()
        case |= {f"out.{i}": stage, f"in.d.{i}": weight}
    total.backward()
    case |= {f"grad.{key}": p.grad for key, p in model.named_parameters()}
    save_case(name, case, seed=seed, tolerance=1e-4, model=model, note="a backbone, float32 on both sides")


def make_video_keys(name):
    """The keys of a video model: those of its memory must be recognised."""
    hidden = 16
    vision = Sam2VisionConfig(
        backbone_config=Sam2HieraDetConfig(hidden_size=8, embed_dim_per_stage=[8, 12, 16, 24], num_attention_heads_per_stage=[1, 1, 1, 1]),
        backbone_channel_list=[24, 16, 12, 8], fpn_hidden_size=hidden,
    )
    config = Sam2VideoConfig(
        vision_config=vision, prompt_encoder_config=Sam2PromptEncoderConfig(hidden_size=hidden),
        mask_decoder_config=Sam2MaskDecoderConfig(hidden_size=hidden, num_attention_heads=2), memory_attention_hidden_size=hidden,
        memory_encoder_hidden_size=hidden, mask_downsampler_embed_dim=hidden, memory_fuser_embed_dim=hidden,
    )
    folder = FIXTURES / name
    folder.mkdir(parents=True, exist_ok=True)
    config.save_pretrained(folder)
    shapes = {key: list(value.shape) for key, value in sorted(Sam2VideoModel(config).state_dict().items())}
    (folder / "keys.json").write_text(json.dumps(shapes) + "\n")


make("sam2-stable", build(
    64, dims=[8, 12, 16, 24], heads=[1, 2, 2, 4], blocks=[1, 2, 2, 1], windows=[4, 4, 4, 2], background=[3, 3], globals_=[4],
    hidden=20, stability=(0.05, 0.9), seed=11), 64, 11)
make("sam2-odd", build(
    96, dims=[8, 12, 16, 24], heads=[1, 2, 2, 3], blocks=[1, 1, 3, 1], windows=[8, 4, 10, 3], background=[5, 7], globals_=[],
    hidden=16, stability=(0.4, 0.97), seed=12, top_down=(1, 2, 3)), 96, 12)
make_backbone("hiera-oblong", 13)
make_video_keys("sam2-video-keys")
