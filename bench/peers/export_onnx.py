"""Exports the model of a folder to ONNX, in the layout and with the names that transformers.js expects.

Arguments: kind (detector or masker), boxes, folder. Writes `onnx/model.onnx` and `onnx/model_gather.onnx`, or
`onnx/vision_encoder.onnx` and `onnx/prompt_encoder_mask_decoder.onnx`. In `model_gather` deformable attention gathers the four neighbours of every
sample; the other detector has the operation GridSample.
"""
import contextlib
import pathlib
import sys
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from side import answer, prepare_torch, refuse

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import GroundingDinoForObjectDetection, Sam2Model
from transformers.models.grounding_dino import modeling_grounding_dino

OPSET = 18
MASKS = "generate_masks_with_special_tokens_and_transfer_map"


def sample_by_gather(image, grid, mode, padding_mode, align_corners):
    """`grid_sample`, bilinear with zeros outside, in gathers. image [N, C, H, W], grid [N, Q, P, 2] of (x, y) in [-1, 1]."""
    assert (mode, padding_mode, align_corners) == ("bilinear", "zeros", False)
    n, channels, height, width = image.shape
    _, queries, points, _ = grid.shape
    x = ((grid[..., 0] + 1) * width - 1) / 2
    y = ((grid[..., 1] + 1) * height - 1) / 2
    left, top = torch.floor(x), torch.floor(y)
    right_share, lower_share = x - left, y - top
    rows = image.flatten(2).transpose(1, 2).reshape(n * height * width, channels)
    first = (torch.arange(n) * (height * width)).reshape(n, 1, 1)
    total = 0
    for dy, share_y in ((0, 1 - lower_share), (1, lower_share)):
        for dx, share_x in ((0, 1 - right_share), (1, right_share)):
            column, row = left + dx, top + dy
            inside = (column >= 0) & (column <= width - 1) & (row >= 0) & (row <= height - 1)
            index = row.clamp(0, height - 1).long() * width + column.clamp(0, width - 1).long() + first
            share = share_x * share_y * inside.to(image.dtype)
            total = total + rows.index_select(0, index.flatten()).reshape(n, queries, points, channels) * share.unsqueeze(-1)
    return total.permute(0, 3, 1, 2)  # [N, C, Q, P]


def linspace(start, end, steps, **_):
    """`linspace` in float32. The exporter makes it float64, and with it the samples of deformable attention: for these, ONNX Runtime
    has no kernel of GridSample."""
    return torch.from_numpy(np.linspace(float(start), float(end), int(steps), dtype=np.float32))


class Detector(torch.nn.Module):
    INPUTS = ["pixel_values", "input_ids", "token_type_ids", "attention_mask", "pixel_mask"]
    OUTPUTS = ["logits", "pred_boxes"]

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, *inputs):
        out = self.model(**dict(zip(self.INPUTS, inputs)))
        return out.logits, out.pred_boxes


class Encoder(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return tuple(self.model.get_image_embeddings(pixel_values))


class Decoder(torch.nn.Module):
    OUTPUTS = ["iou_scores", "pred_masks", "object_score_logits"]

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_boxes, *embeddings):
        out = self.model(image_embeddings=list(embeddings), input_boxes=input_boxes, multimask_output=False)
        return tuple(out[name] for name in self.OUTPUTS)


@contextlib.contextmanager
def replaced(owner, name, function):
    before = getattr(owner, name)
    setattr(owner, name, function)
    try:
        yield
    finally:
        setattr(owner, name, before)


def export(module, inputs, names, outputs, file):
    # By tracing: the newer exporter takes far longer, and stops at control flow that depends on tensors.
    torch.onnx.export(module, inputs, str(file), input_names=names, output_names=outputs, opset_version=OPSET, dynamo=False)


def export_detector(folder, to):
    model = GroundingDinoForObjectDetection.from_pretrained(folder).eval()
    inputs = load_file(folder / "inputs.safetensors")
    inputs["pixel_mask"] = torch.ones(1, *inputs["pixel_values"].shape[2:], dtype=torch.long)
    arguments = (Detector(model), tuple(inputs[name] for name in Detector.INPUTS), Detector.INPUTS, Detector.OUTPUTS)
    # Which tokens of a prompt see each other: made with operations that ONNX does not have. The prompt is the same in every pass.
    masks = getattr(modeling_grounding_dino, MASKS)(inputs["input_ids"])
    with replaced(modeling_grounding_dino, MASKS, lambda _: masks), replaced(torch, "linspace", linspace):
        export(*arguments, to / "model.onnx")
        with replaced(torch.nn.functional, "grid_sample", sample_by_gather):
            export(*arguments, to / "model_gather.onnx")


def export_masker(folder, to, boxes):
    model = Sam2Model.from_pretrained(folder).eval()
    inputs = load_file(folder / "inputs.safetensors")
    embeddings = model.get_image_embeddings(inputs["pixel_values"])
    names = [f"image_embeddings.{i}" for i in range(len(embeddings))]
    export(Encoder(model), (inputs["pixel_values"],), ["pixel_values"], names, to / "vision_encoder.onnx")
    asked = (inputs["input_boxes"][:, :boxes].contiguous(), *embeddings)
    export(Decoder(model), asked, ["input_boxes", *names], Decoder.OUTPUTS, to / "prompt_encoder_mask_decoder.onnx")


kind, boxes, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
prepare_torch(torch.get_num_threads())
warnings.simplefilter("ignore")  # a traced model answers for the shapes of these inputs alone, which are all that it gets
to = folder / "onnx"
to.mkdir(exist_ok=True)
try:
    with torch.no_grad():
        export_detector(folder, to) if kind == "detector" else export_masker(folder, to, boxes)
except Exception as error:
    refuse(error)
answer({"exported": sorted(file.name for file in to.iterdir())})
