"""What the parity of SAM 2's memory and its bench share: a model with random weights, a clip, and two objects in it."""
import numpy as np
import torch
from transformers import Sam2HieraDetConfig, Sam2VideoConfig, Sam2VideoModel, Sam2VisionConfig
from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

from maskers import HIERA

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
BOXES = {1: [150, 200, 500, 520], 2: [560, 500, 900, 880]}


def build(size):
    torch.manual_seed(0)
    backbone = Sam2HieraDetConfig(**HIERA[size])
    vision = Sam2VisionConfig(backbone_config=backbone, backbone_channel_list=list(backbone.embed_dim_per_stage)[::-1])
    model = Sam2VideoModel(Sam2VideoConfig(vision_config=vision)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
        places = torch.randn(2, 128)  # same range as published ones
        model.shared_image_embedding.positional_embedding.copy_(places)
        model.prompt_encoder.shared_embedding.positional_embedding.copy_(places)
        # Logits of the size of trained ones, and objects that are visible: otherwise all masks are the same constant.
        for network in model.mask_decoder.output_hypernetworks_mlps:
            network.proj_out.weight.mul_(30)
        model.mask_decoder.pred_obj_score_head.proj_out.bias.add_(5)
    return model


def clip(frames, side=1024):
    """Speckle with two blobs that move. [F, H, W, 3] uint8."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side]
    images = []
    for t in range(frames):
        image = generator.rayleigh(30, (side, side))
        image += 120 * (((x - 320 - 8 * t) / 150) ** 2 + ((y - 360) / 120) ** 2 < 1)
        image += 160 * (((x - 730) / 130) ** 2 + ((y - 690 + 6 * t) / 150) ** 2 < 1)
        images.append(np.repeat(image.clip(0, 255).astype(np.uint8)[..., None], 3, -1))
    return torch.from_numpy(np.stack(images))


def session_of(model, images):
    """A session in which both objects are marked on the first frame."""
    pixels = ((images / 255 - MEAN) / STD).permute(0, 3, 1, 2).float()
    session = Sam2VideoInferenceSession(video=pixels, video_height=images.shape[1], video_width=images.shape[2], dtype=torch.float32)
    for obj, box in BOXES.items():
        session.add_point_inputs(session.obj_id_to_idx(obj), 0, {
            "point_coords": torch.tensor(box, dtype=torch.float32).reshape(1, 1, 2, 2), "point_labels": torch.tensor([[[2, 3]]])})
    session.obj_with_new_inputs = list(BOXES)
    model(session, frame_idx=0)
    return session
