"""Small models of random sizes, run by `npm run forward` and by the reference, until one disagrees.

    .venv-reference/bin/python tools/parity/random_configs.py [--kind grounding-dino|sam2|sam] [--count 20] [--seed 0]

Models that the reference itself cannot run are skipped. Prints the relative error of each model (its largest difference over the
largest value), and exits with 1 after the first above 1e-3, whose folder is kept.
"""
import argparse
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file
from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection, Sam2Config, Sam2Model, SamConfig, SamModel

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOLERANCE = 1e-3


def grounding_dino(draw):
    width, stages = draw.choice([32, 64, 96]), draw.choice([3, 4])
    heads = [draw.choice([1, 2]) * 2**i for i in range(stages)]
    levels = draw.randint(1, 3)
    out = sorted(draw.sample(range(1, stages + 1), min(levels, stages)))
    text_width = draw.choice([16, 24])
    share = draw.random() < 0.7
    config = GroundingDinoConfig(
        backbone_config=dict(model_type="swin", image_size=draw.choice([32, 64]), patch_size=draw.choice([2, 4]), embed_dim=16,
                             depths=[draw.randint(1, 2) for _ in range(stages)], num_heads=heads,
                             window_size=draw.choice([3, 4, 7]), mlp_ratio=draw.choice([2.0, 4.0]), out_indices=out,
                             qkv_bias=draw.random() < 0.8, use_absolute_embeddings=draw.random() < 0.2),
        text_config=dict(model_type="bert", vocab_size=1100, hidden_size=text_width, num_hidden_layers=draw.randint(1, 2),
                         num_attention_heads=draw.choice([2, 4]), intermediate_size=40),
        d_model=width, num_feature_levels=len(out) + draw.randint(0, 2), encoder_layers=draw.randint(1, 3),
        decoder_layers=draw.randint(1, 3), encoder_ffn_dim=draw.choice([48, 80]), decoder_ffn_dim=draw.choice([48, 80]),
        encoder_attention_heads=draw.choice([2, 4, 8]), decoder_attention_heads=draw.choice([2, 4, 8]),
        encoder_n_points=draw.randint(1, 4), decoder_n_points=draw.randint(1, 4), decoder_bbox_embed_share=share, activation_function=draw.choice(["relu", "gelu"]),
        position_embedding_type=draw.choice(["sine", "sine", "learned"]), max_text_len=draw.choice([24, 40]),
        positional_embedding_temperature=draw.choice([20, 10000]), layer_norm_eps=draw.choice([1e-5, 1e-3]),
    )
    batch = draw.randint(1, 3)
    height, width = draw.randint(60, 150), draw.randint(60, 150)
    mask = torch.ones(batch, height, width, dtype=torch.long)
    for i in range(1, batch):
        mask[i, height - draw.randint(0, height // 2):] = 0
        mask[i, :, width - draw.randint(0, width // 2):] = 0
    length = draw.randint(4, 20)
    ids, attention = torch.zeros(batch, length, dtype=torch.long), torch.zeros(batch, length, dtype=torch.long)
    for i in range(batch):
        own = length if i == 0 else draw.randint(4, length)
        words = [draw.choice([1012, 1029] + [draw.randint(200, 1000)] * 4) for _ in range(own - 3)]
        ids[i, :own] = torch.tensor([101, *words, 1012, 102])
        attention[i, :own] = 1
    inputs = dict(pixel_values=torch.randn(batch, 3, height, width), pixel_mask=mask, input_ids=ids, attention_mask=attention,
                  token_type_ids=torch.zeros_like(ids))
    config.num_queries = draw.randint(5, 12)
    model = GroundingDinoForObjectDetection(config)
    return model, inputs, {}, ("logits", "pred_boxes")


def prompted(draw, pixel_values):
    """Boxes, points or both for the images, in a masker's input format."""
    batch, side = pixel_values.shape[0], pixel_values.shape[-1]
    prompts, points = draw.randint(1, 4), draw.randint(1, 4)
    inputs = dict(pixel_values=pixel_values)
    kind = draw.choice(["boxes", "points", "both"])
    if kind != "points":
        inputs["input_boxes"] = (torch.rand(batch, prompts, 2, 2).sort(dim=2).values * side).reshape(batch, prompts, 4)
    if kind != "boxes":
        inputs["input_points"] = torch.rand(batch, prompts, points, 2) * side
        inputs["input_labels"] = torch.tensor([draw.choice([0, 1, 1, -1, -10]) for _ in range(batch * prompts * points)]
                                              ).reshape(batch, prompts, points)
    return inputs


def sam2(draw):
    base, stages = draw.choice([8, 16]), draw.choice([3, 4])
    side = 32 * draw.randint(2, 4)
    dims = [base * 2**i for i in range(stages)]
    blocks = [draw.randint(1, 2) for _ in range(stages)]
    hidden = draw.choice([16, 32])
    config = Sam2Config(
        vision_config=dict(
            backbone_config=dict(hidden_size=base, num_attention_heads=1, blocks_per_stage=blocks, embed_dim_per_stage=dims,
                                 num_attention_heads_per_stage=[2**i for i in range(stages)], image_size=[side, side],
                                 # Pooled windows have even sizes, and the first ones tile the map.
                                 window_size_per_stage=[draw.choice([2, 4]) for _ in range(stages - 1)] + [draw.choice([2, 3, 4])],
                                 global_attention_blocks=draw.sample(range(sum(blocks)), 1),
                                 window_positional_embedding_background_size=[draw.choice([3, 7]), draw.choice([3, 7])]),
            backbone_channel_list=dims[::-1], fpn_hidden_size=hidden, fpn_top_down_levels=sorted(draw.sample(range(stages), 2)),
            backbone_feature_sizes=[[side // 4 // 2**i] * 2 for i in range(3)], num_feature_levels=3),
        prompt_encoder_config=dict(hidden_size=hidden, image_size=side, patch_size=16, mask_input_channels=8),
        mask_decoder_config=dict(hidden_size=hidden, mlp_dim=40, num_hidden_layers=draw.randint(1, 3), num_attention_heads=2,
                                 num_multimask_outputs=draw.randint(2, 4), iou_head_depth=draw.randint(2, 4), iou_head_hidden_dim=24,
                                 dynamic_multimask_stability_delta=draw.choice([0.05, 0.5])),
    )
    inputs = prompted(draw, torch.randn(draw.randint(1, 2), 3, side, side))
    return (Sam2Model(config), inputs, dict(multimask_output=draw.random() < 0.5),
            ("pred_masks", "iou_scores", "object_score_logits"))


def sam(draw):
    patch, heads = draw.choice([8, 16]), draw.choice([1, 2, 3])
    side = patch * draw.randint(2, 7) + draw.choice([0, 0, 3])
    hidden, layers, channels = draw.choice([16, 20, 32]), draw.randint(1, 3), draw.choice([1, 3])
    relative = draw.random() < 0.7
    config = SamConfig(
        vision_config=dict(hidden_size=4 * heads, output_channels=hidden, num_hidden_layers=layers, num_attention_heads=heads,
                           num_channels=channels, image_size=side, patch_size=patch, hidden_act=draw.choice(["gelu", "relu"]),
                           layer_norm_eps=draw.choice([1e-6, 1e-3]), qkv_bias=draw.random() < 0.8, mlp_ratio=draw.choice([1.5, 4.0]),
                           use_abs_pos=draw.random() < 0.8, use_rel_pos=relative, window_size=draw.choice([0, 2, 3, 5]),
                           global_attn_indexes=draw.sample(range(layers), draw.randint(0, layers)), num_pos_feats=hidden // 2),
        prompt_encoder_config=dict(hidden_size=hidden, image_size=side, patch_size=patch, mask_input_channels=draw.choice([4, 8, 16])),
        mask_decoder_config=dict(hidden_size=hidden, hidden_act=draw.choice(["relu", "gelu"]), mlp_dim=40,
                                 num_hidden_layers=draw.randint(1, 3), num_attention_heads=draw.choice([1, 2]),
                                 attention_downsample_rate=draw.choice([1, 2]), num_multimask_outputs=draw.randint(1, 4),
                                 iou_head_depth=draw.randint(2, 4), iou_head_hidden_dim=24, layer_norm_eps=draw.choice([1e-6, 1e-3])),
    )
    inputs = prompted(draw, torch.randn(draw.randint(1, 2), channels, side, side))
    if draw.random() < 0.3:
        low = 4 * (side // patch)
        inputs["input_masks"] = torch.randn(inputs["pixel_values"].shape[0], 1, low, low)
    model = SamModel(config)
    with torch.no_grad():  # Zero relative positions, and directions whose angles exceed portable float32 precision.
        for key, parameter in model.named_parameters():
            if "rel_pos" in key:
                parameter.normal_(std=0.3)
        model.shared_image_embedding.positional_embedding.normal_()
    return model, inputs, dict(multimask_output=draw.random() < 0.5), ("pred_masks", "iou_scores")


KINDS = {"grounding-dino": grounding_dino, "sam2": sam2, "sam": sam}


def error(ours, theirs):
    finite = torch.isfinite(theirs)
    if ours.shape != theirs.shape or not torch.equal(torch.isfinite(ours), finite):
        return float("inf")
    return ((ours - theirs)[finite].abs().max() / theirs[finite].abs().max()).item()


def reference(kind, seed):
    torch.manual_seed(seed)
    model, inputs, flags, names = KINDS[kind](random.Random(seed))
    with torch.no_grad():
        for parameter in model.eval().parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
        return model, inputs, flags, model(**inputs, **flags), names


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=KINDS, default="grounding-dino")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for seed in range(options.seed, options.seed + options.count):
        try:
            model, inputs, flags, theirs, names = reference(options.kind, seed)
        except Exception as problem:  # for any error, there is nothing to compare with
            print(f"seed {seed}: the reference fails: {str(problem)[:100]}")
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"sonoground-random-{seed}-"))
        model.save_pretrained(folder)
        save_file(inputs, folder / "inputs.safetensors", metadata={key: str(value).lower() for key, value in flags.items()} or None)
        done = subprocess.run(["node", ROOT / "scripts" / "run.mjs", "forward", "--model", folder, "--inputs", folder / "inputs.safetensors",
                               "--outputs", folder / "outputs.safetensors"], capture_output=True, text=True)
        if done.returncode != 0:
            print(f"seed {seed}: {done.stderr.strip().splitlines()[-1] if done.stderr else done.returncode} ({folder})")
            sys.exit(1)
        ours = load_file(folder / "outputs.safetensors")
        errors = {name: error(ours[name], getattr(theirs, name)) for name in names}
        said = ", ".join(f"{name} {value:.1e}" for name, value in errors.items())
        print(f"seed {seed}: {json.dumps({key: list(value.shape) for key, value in inputs.items()})}: {said}", flush=True)
        if max(errors.values()) > TOLERANCE:
            print(f"above {TOLERANCE}: {folder}")
            sys.exit(1)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
