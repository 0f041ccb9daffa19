"""Golden fixtures of SAM 2's memory: each block, and a clip of eight frames with three objects, in both directions.

    .venv-reference/bin/python tools/golden/sam2_video.py

The clip is driven as Meta's predictor does it (facebookresearch/sam2, `sam2_video_predictor.py`), with the reference's model for all that is
computed. It differs from the reference's own `forward` in what that leaves out or does for all objects at once:
- a correction is given the mask that it corrects, and its frame counts as prompted (`add_all_frames_to_correct_as_cond`);
- whether a mask is remembered without its doubts is decided for each object;
- the pointer of a given mask is that of the single mask, not of the best of several.
"""
import numpy as np
import torch
from transformers import (
    Sam2HieraDetConfig, Sam2VideoConfig, Sam2VideoMaskDecoderConfig, Sam2VideoModel, Sam2VideoPromptEncoderConfig, Sam2VisionConfig,
)
from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession, Sam2VideoRoPEAttention

from common import FIXTURES, noise, perturb, save_case

torch.set_num_threads(1)
SIZE, FRAMES, HIDDEN, MEMORY = 64, 8, 32, 16
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def configuration(**fields):
    dims = [8, 12, 16, 24]
    backbone = Sam2HieraDetConfig(
        hidden_size=dims[0], image_size=[SIZE, SIZE], blocks_per_stage=[1, 2, 2, 1], embed_dim_per_stage=dims,
        num_attention_heads_per_stage=[1, 2, 2, 4], window_size_per_stage=[4, 4, 4, 2], global_attention_blocks=[4],
        window_positional_embedding_background_size=[3, 3], mlp_ratio=2.0, num_query_pool_stages=3,
    )
    vision = Sam2VisionConfig(
        backbone_config=backbone, backbone_channel_list=dims[::-1], fpn_hidden_size=HIDDEN,
        backbone_feature_sizes=[[SIZE // 4] * 2, [SIZE // 8] * 2, [SIZE // 16] * 2],
    )
    prompt = Sam2VideoPromptEncoderConfig(hidden_size=HIDDEN, image_size=SIZE, patch_size=16, mask_input_channels=8)
    decoder = Sam2VideoMaskDecoderConfig(hidden_size=HIDDEN, mlp_dim=40, num_attention_heads=2, iou_head_hidden_dim=24)
    return Sam2VideoConfig(**(dict(
        vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder, image_size=SIZE, num_maskmem=4,
        memory_attention_hidden_size=HIDDEN, memory_attention_num_layers=2, memory_attention_feed_forward_hidden_size=48,
        memory_attention_dropout=0.0, memory_attention_rope_dropout=0.0, memory_attention_rope_feat_sizes=[SIZE // 16] * 2,
        memory_encoder_hidden_size=HIDDEN, memory_encoder_output_channels=MEMORY, mask_downsampler_embed_dim=HIDDEN,
        memory_fuser_embed_dim=HIDDEN, memory_fuser_intermediate_dim=40, memory_fuser_kernel_size=5, memory_fuser_padding=2,
        mask_downsampler_stride=4,
        max_object_pointers_in_encoder=6,
    ) | fields))


def build(seed, **fields):
    torch.manual_seed(seed)
    model = Sam2VideoModel(configuration(**fields))
    # The reference fixes the keys' width at the published one.
    for layer in model.memory_attention.layers:
        layer.cross_attn_image = Sam2VideoRoPEAttention(model.config, kv_in_dim=MEMORY, rope_k_repeat=True)
    perturb(model, seed, 0.25)
    forward = model._single_frame_forward
    model._single_frame_forward = lambda **given: forward(**({"multimask_output": False} | given))
    return model


def clip(seed):
    """Two bright blobs that move over speckle. [F, H, W, 3] uint8."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE, :SIZE]
    frames = []
    for t in range(FRAMES):
        image = generator.rayleigh(30, (SIZE, SIZE))
        image += 150 * (((x - 16 - 3 * t) / 10) ** 2 + ((y - 20 - t) / 7) ** 2 < 1)
        image += 190 * (((x - 48 + 2 * t) / 7) ** 2 + ((y - 44) / 9) ** 2 < 1)
        frames.append(np.repeat(image.clip(0, 255).astype(np.uint8)[..., None], 3, -1))
    return torch.from_numpy(np.stack(frames))


class Tracker:
    """Meta's predictor around the reference's model."""

    def __init__(self, model, images):
        self.model, self.case = model, {}
        pixels = ((images / 255 - MEAN) / STD).permute(0, 3, 1, 2).float()
        self.session = Sam2VideoInferenceSession(video=pixels, video_height=SIZE, video_width=SIZE, dtype=torch.float32)

    def prompt(self, stage, frame, obj, *, points=None, mask=None):
        session, index = self.session, self.session.obj_id_to_idx(obj)
        outputs, tracked = session.output_dict_per_obj[index], session.frames_tracked_per_obj[index]
        before = outputs["cond_frame_outputs"].get(frame) or outputs["non_cond_frame_outputs"].get(frame)
        arguments = {"point_inputs": None, "mask_inputs": None}
        if points is not None:
            coordinates, labels = zip(*[((x, y), label) for x, y, label in points])
            arguments["point_inputs"] = {
                "point_coords": torch.tensor([[coordinates]], dtype=torch.float32), "point_labels": torch.tensor([[labels]])}
            if before is not None:
                arguments["prev_sam_mask_logits"] = before["pred_masks"].clamp(-32, 32)
        else:
            arguments["mask_inputs"] = mask[None, None].float()
        out = self.model._run_single_frame_inference(
            session, frame_idx=frame, obj_idx=index, batch_size=1, is_init_cond_frame=frame not in tracked,
            reverse=tracked.get(frame, {}).get("reverse", False), **arguments)
        self.keep(stage, index, frame, out, prompted=True)
        outputs["non_cond_frame_outputs"].pop(frame, None)

    def keep(self, stage, index, frame, out, prompted):
        session = self.session
        session.store_output(index, frame, output_value=out, is_conditioning_frame=prompted)
        self.model._batch_encode_memories(
            session, frame, [index], [out["high_res_masks"]], [out["object_score_logits"]], [prompted])
        kept = session.output_dict_per_obj[index]["cond_frame_outputs" if prompted else "non_cond_frame_outputs"][frame]
        self.record(stage, index, frame, kept)

    def record(self, stage, index, frame, kept):
        key = f"out.{stage}.{frame}.{self.session.obj_idx_to_id(index)}"
        self.case |= {
            f"{key}.masks": kept["pred_masks"][0, 0], f"{key}.object_score": kept["object_score_logits"].reshape(1),
            f"{key}.pointer": kept["object_pointer"].reshape(-1), f"{key}.memory": kept["maskmem_features"][:, 0].float()}

    def propagate(self, stage, frames, reverse=False):
        session = self.session
        for frame in frames:
            for index in range(session.get_obj_num()):
                done = session.output_dict_per_obj[index]["cond_frame_outputs"].get(frame)
                if done is not None:
                    self.record(stage, index, frame, done)
                    continue
                out = self.model._run_single_frame_inference(
                    session, frame_idx=frame, obj_idx=index, batch_size=1, is_init_cond_frame=False, point_inputs=None, mask_inputs=None,
                    reverse=reverse)
                self.keep(stage, index, frame, out, prompted=False)
                session.frames_tracked_per_obj[index][frame] = {"reverse": reverse}


def drive(model, images):
    tracker = Tracker(model, images)
    with torch.no_grad():
        tracker.prompt("box", 0, 1, points=[(5, 12, 2), (28, 29, 3)])
        tracker.prompt("points", 1, 7, points=[(46, 44, 1), (20, 20, 0)])
        tracker.prompt("point", 6, 7, points=[(36, 44, 1)])
        tracker.propagate("forward", range(FRAMES))
        tracker.prompt("correction", 4, 1, points=[(28, 24, 1), (50, 50, 0)])
        tracker.propagate("again", range(4, FRAMES))
        tracker.propagate("backward", range(FRAMES - 1, -1, -1), reverse=True)
        y, x = np.mgrid[:SIZE, :SIZE]
        tracker.prompt("mask", 6, 2, mask=torch.from_numpy((x - 20) ** 2 + (y - 50) ** 2 < 90))
        tracker.propagate("added", range(6, FRAMES))
    return tracker.case


def check_driver(model, images):
    """One object, prompted once: the driver's masks are those of the reference's own loop."""
    tracker = Tracker(model, images)
    reference = Tracker(model, images).session
    with torch.no_grad():
        tracker.prompt("box", 0, 1, points=[(5, 12, 2), (28, 29, 3)])
        tracker.propagate("forward", range(FRAMES))
        index = reference.obj_id_to_idx(1)
        reference.add_point_inputs(index, 0, {
            "point_coords": torch.tensor([[[[5.0, 12.0], [28.0, 29.0]]]]), "point_labels": torch.tensor([[[2, 3]]])})
        reference.obj_with_new_inputs = [1]
        model(reference, frame_idx=0)
        for out in model.propagate_in_video_iterator(reference):
            assert torch.equal(out.pred_masks[0, 0], tracker.case[f"out.forward.{out.frame_idx}.1.masks"]), out.frame_idx


def blocks(model, seed):
    """Memory attention, memory encoder and rotary positions, with gradients of all parameters and inputs."""
    side, case = SIZE // 16, {}
    cells = side * side
    image, positions = noise((cells, 2, HIDDEN), seed).requires_grad_(), noise((cells, 2, HIDDEN), seed + 1)
    memory = noise((3 * cells + 4, 2, MEMORY), seed + 2).requires_grad_()
    places = noise((3 * cells + 4, 2, MEMORY), seed + 3)
    positions, places = positions[:, :1].expand(-1, 2, -1), places[:, :1].expand(-1, 2, -1)
    out = model.memory_attention(image, memory, positions, places, num_object_pointer_tokens=4)
    weight = noise((2, cells, HIDDEN), seed + 4)
    found = out[0]  # [1, B, N, C]: the reference expects a batch of one
    (found * weight).sum().backward()
    case |= {"attention.in.image": image.transpose(0, 1), "attention.in.positions": positions[:, 0], "attention.in.d": weight}
    case |= {"attention.in.memory": memory.transpose(0, 1), "attention.in.places": places.transpose(0, 1), "attention.out": found}
    case |= {"attention.d_image": image.grad.transpose(0, 1), "attention.d_memory": memory.grad.transpose(0, 1)}
    case |= {f"attention.grad.{key}": p.grad for key, p in model.memory_attention.named_parameters()}

    features, masks = noise((2, HIDDEN, side, side), seed + 5).requires_grad_(), noise((2, 1, SIZE, SIZE), seed + 6, 8.0)
    made, spatial = model.memory_encoder(features, masks)
    weight = noise(made.shape, seed + 7)
    (made * weight).sum().backward()
    case |= {"encoder.in.image": features, "encoder.in.masks": masks, "encoder.in.d": weight, "encoder.out": made}
    case |= {"encoder.positions": spatial[0].flatten(1).T, "encoder.d_image": features.grad}
    case |= {f"encoder.grad.{key}": p.grad for key, p in model.memory_encoder.named_parameters()}

    cos, sin = model.memory_attention.rotary_emb(image, model.memory_attention.position_ids)
    case |= {"rotary.cos": cos[0, :, ::2], "rotary.sin": sin[0, :, ::2]}
    model.zero_grad()
    return case


SEED = 71
model = build(SEED)
images = clip(61)
check_driver(model, images)
case = drive(model, images)
scores = [case[f"out.forward.{t}.1.object_score"].item() for t in range(FRAMES)]
print("the first object's scores:", [round(score, 2) for score in scores])
assert scores[0] > 0 > scores[1] and scores[2] > 0, "it should be lost and found again"
save_case(
    "sam2-video", {"in.images": images} | case, seed=SEED, tolerance=1e-3, model=model,
    note="a whole clip, float32 on both sides; memories are rounded to bfloat16")
save_case("sam2-video-blocks", blocks(model, SEED), seed=SEED, tolerance=1e-4, note="blocks of sam2-video, float32 on both sides")

# SAM 2.0: pointers without times, no mark on memories without the object.
older = build(SEED, enable_temporal_pos_encoding_for_object_pointers=False, enable_occlusion_spatial_embedding=False)
older.load_state_dict(model.state_dict(), strict=False)
case = {key: value for key, value in drive(older, images).items() if key.endswith((".masks", ".object_score"))}
save_case("sam2-video-older", case, seed=SEED, tolerance=1e-3, note="weights and images of sam2-video, but for two parameters")
older.config.save_pretrained(FIXTURES / "sam2-video-older")
