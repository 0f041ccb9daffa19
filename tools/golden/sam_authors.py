"""Fixtures sam2-authors and sam-authors: small models in their authors' naming, structured like the published files.

    .venv-reference/bin/python tools/golden/sam_authors.py     (after sam2.py and sam.py, whose models it renames)
"""
import collections
import re

import torch
from safetensors.torch import load_file
from transformers import Sam2Model, Sam2VideoConfig, Sam2VideoModel

from common import FIXTURES, noise, save_case

THREE_LAYERS = [(r"\.layers\.0\.", ".layers.1."), (r"\.proj_in\.", ".layers.0."), (r"\.proj_out\.", ".layers.2.")]
TWO_LAYERS = [(r"\.proj_in\.", ".layers.0."), (r"\.proj_out\.", ".layers.1.")]

# Hugging Face's names to the authors', as ordered substitutions. Independent of the tables in src/, so that each checks the other.
HEADS = [
    (r"upscale_conv1", "output_upscaling.0"), (r"upscale_layer_norm", "output_upscaling.1"), (r"upscale_conv2", "output_upscaling.3"),
    (r"mask_embed\.conv1", "mask_downscaling.0"), (r"mask_embed\.layer_norm1", "mask_downscaling.1"),
    (r"mask_embed\.conv2", "mask_downscaling.3"), (r"mask_embed\.layer_norm2", "mask_downscaling.4"),
    (r"mask_embed\.conv3", "mask_downscaling.6"), (r"shared_embedding\.positional_embedding", "pe_layer.positional_encoding_gaussian_matrix"),
    (r"patch_embed\.projection", "patch_embed.proj"), (r"\.o_proj\.", ".out_proj."),
]
SAM = HEADS + [
    (r"^vision_encoder\.layers", "image_encoder.blocks"), (r"^vision_encoder", "image_encoder"), (r"\.point_embed\.", ".point_embeddings."),
    (r"neck\.conv1", "neck.0"), (r"neck\.layer_norm1", "neck.1"), (r"neck\.conv2", "neck.2"), (r"neck\.layer_norm2", "neck.3"),
    (r"\.layer_norm", ".norm"),
]
SAM2 = [
    (r"^memory_encoder\.mask_downsampler\.layers\.(\d+)\.conv", lambda m: f"memory_encoder.mask_downsampler.encoder.{3 * int(m[1])}"),
    (r"^memory_encoder\.mask_downsampler\.layers\.(\d+)\.layer_norm", lambda m: f"memory_encoder.mask_downsampler.encoder.{3 * int(m[1]) + 1}"),
    (r"mask_downsampler\.final_conv", "mask_downsampler.encoder.12"), (r"memory_encoder\.projection", "memory_encoder.out_proj"),
    (r"feature_projection", "pix_feat_proj"), (r"memory_fuser", "fuser"), (r"depthwise_conv", "dwconv"), (r"pointwise_conv", "pwconv"),
    (r"(fuser.*)\.scale$", r"\1.gamma"), (r"^memory_temporal_positional_encoding", "maskmem_tpos_enc"),
    (r"^no_memory_positional_encoding", "no_mem_pos_enc"), (r"^no_memory_embedding", "no_mem_embed"), (r"^no_object_pointer", "no_obj_ptr"),
    (r"^object_pointer_proj", "obj_ptr_proj"), (r"^temporal_positional_encoding_projection_layer", "obj_ptr_tpos_proj"),
    (r"^occlusion_spatial_embedding_parameter", "no_obj_embed_spatial"),
] + HEADS + [
    (r"^vision_encoder\.backbone", "image_encoder.trunk"), (r"^vision_encoder\.neck\.convs\.(\d+)", r"image_encoder.neck.convs.\1.conv"),
    (r"^prompt_encoder", "sam_prompt_encoder"), (r"^mask_decoder", "sam_mask_decoder"), (r"\.layer_norm", ".norm"),
]


def substitute(name, table):
    if re.search(r"hypernetworks|iou_prediction_head|pred_obj_score_head|object_pointer_proj", name):
        table = table + THREE_LAYERS
    elif re.search(r"\.mlp\.proj", name):
        table = table + TWO_LAYERS
    for pattern, replacement in table:
        name = re.sub(pattern, replacement, name)
    return name


def published_sam2():
    """The image part under Meta's names, with its point table split in four, and memory keys, of which only the names matter."""
    model = Sam2Model.from_pretrained(FIXTURES / "sam2-stable")
    with torch.no_grad():  # Meta's files have a single embedding for both.
        model.shared_image_embedding.positional_embedding.copy_(model.prompt_encoder.shared_embedding.positional_embedding)
    weights = model.state_dict()
    del weights["shared_image_embedding.positional_embedding"]
    table = weights.pop("prompt_encoder.point_embed.weight")
    renamed = {substitute(key, SAM2): value for key, value in weights.items()}
    renamed |= {f"sam_prompt_encoder.point_embeddings.{i}.weight": row[None].clone() for i, row in enumerate(table)}
    video = Sam2VideoModel(Sam2VideoConfig.from_pretrained(FIXTURES / "sam2-video-keys")).state_dict()
    for key in sorted(set(video) - set(model.state_dict())):
        if not key.startswith("vision_encoder"):
            renamed[substitute(key, SAM2)] = noise((1,), 1)
    case = {"in.pixel_values": noise((2, 3, 64, 64), 81), "in.input_boxes": torch.tensor([[[3.0, 9.0, 40.0, 50.0]], [[20.0, 5.0, 60.0, 33.0]]])}
    with torch.no_grad():
        out = model.eval()(pixel_values=case["in.pixel_values"], input_boxes=case["in.input_boxes"], multimask_output=True)
    case |= {"out.pred_masks": out.pred_masks, "out.iou_scores": out.iou_scores, "out.object_score_logits": out.object_score_logits}
    save_case("sam2-authors", case, seed=81, tolerance=1e-3, model=model, note="whole model, float32 on both sides")
    torch.save({"model": collections.OrderedDict(sorted(renamed.items()))}, FIXTURES / "sam2-authors" / "published.pt")


def published_sam():
    source, folder = FIXTURES / "sam-windows", FIXTURES / "sam-authors"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_bytes((source / "config.json").read_bytes())
    weights = load_file(source / "model.safetensors")
    shared = weights.pop("shared_image_embedding.positional_embedding")
    weights["prompt_encoder.shared_embedding.positional_embedding"] = shared
    torch.save(collections.OrderedDict((substitute(key, SAM), value) for key, value in weights.items()), folder / "published.pth")


if __name__ == "__main__":
    published_sam2()
    published_sam()
