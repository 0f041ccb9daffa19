"""Full-size parity of SAM and SAM 2 with the PyTorch reference, run by `npm run forward`.

Creates a model with random weights in Hugging Face's format, or in the authors' format without config.json, runs both on the same
inputs, and prints the largest difference of each output relative to its largest value.

    .venv-reference/bin/python tools/parity/maskers.py sam2-tiny sam-vit-b [--form authors] [--images 2] [--ways boxes points]
"""
import argparse
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import torch
from safetensors.torch import load_file, save_file
from transformers import Sam2Config, Sam2HieraDetConfig, Sam2Model, Sam2VisionConfig, SamConfig, SamModel, SamVisionConfig

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "golden"))
from sam_authors import SAM, SAM2, substitute  # noqa: E402

HIERA = {
    "tiny": {}, "small": dict(blocks_per_stage=[1, 2, 11, 2], global_attention_blocks=[7, 10, 13]),
    "base-plus": dict(hidden_size=112, embed_dim_per_stage=[112, 224, 448, 896], num_attention_heads_per_stage=[2, 4, 8, 16],
                      blocks_per_stage=[2, 3, 16, 3], global_attention_blocks=[12, 16, 20],
                      window_positional_embedding_background_size=[14, 14]),
    "large": dict(hidden_size=144, embed_dim_per_stage=[144, 288, 576, 1152], num_attention_heads_per_stage=[2, 4, 8, 16],
                  blocks_per_stage=[2, 6, 36, 4], global_attention_blocks=[23, 33, 43], window_size_per_stage=[8, 4, 16, 8]),
}
VIT = {
    "b": {}, "l": dict(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, global_attn_indexes=[5, 11, 17, 23]),
    "h": dict(hidden_size=1280, num_hidden_layers=32, num_attention_heads=16, global_attn_indexes=[7, 15, 23, 31]),
}


WAYS = ("boxes", "points", "boxes and points", "nothing", "boxes and a mask")


def build(name):
    torch.manual_seed(0)
    if name.startswith("sam2-"):
        backbone = Sam2HieraDetConfig(**HIERA[name.removeprefix("sam2-")])
        vision = Sam2VisionConfig(backbone_config=backbone, backbone_channel_list=list(backbone.embed_dim_per_stage)[::-1])
        model = Sam2Model(Sam2Config(vision_config=vision))
    else:
        model = SamModel(SamConfig(vision_config=SamVisionConfig(**VIT[name.removeprefix("sam-vit-")])))
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            # Relative positions are initialised to zero; trained ones affect the scores.
            parameter.add_(torch.randn_like(parameter) * (0.3 if "rel_pos" in key else 0.02))
        places = torch.randn(2, 128)  # same range as published ones
        model.shared_image_embedding.positional_embedding.copy_(places)
        model.prompt_encoder.shared_embedding.positional_embedding.copy_(places)
    return model.eval()


def inputs_of(images):
    boxes = torch.tensor([[[100.0, 200.0, 500.0, 700.0], [30.5, 40.25, 900.0, 300.0], [600.0, 10.0, 1000.0, 1020.0]]]).repeat(images, 1, 1)
    points = torch.tensor([[[[300.0, 400.0], [10.0, 900.0]], [[512.0, 77.0], [0.0, 0.0]], [[800.0, 500.0], [801.0, 499.0]]]])
    labels = torch.tensor([[[1, 0], [1, -10], [0, 1]]])
    points, labels = points.repeat(images, 1, 1, 1), labels.repeat(images, 1, 1)
    pixels = torch.randn(images, 3, 1024, 1024)
    point = dict(input_points=points, input_labels=labels)
    box = dict(input_boxes=boxes)
    mask = dict(input_masks=torch.randn(images, 1, 256, 256) * 4)
    return pixels, dict(zip(WAYS, (box, point, box | point, {}, box | mask)))


def enlarge(model, embeddings, arguments):
    """Scales random heads up to trained ones: logits near zero would make every single mask count as unstable."""
    with torch.no_grad():
        spread = model(image_embeddings=embeddings, multimask_output=True, **arguments).pred_masks.std()
        for network in model.mask_decoder.output_hypernetworks_mlps:
            network.proj_out.weight.mul_(10 / spread)
            network.proj_out.bias.mul_(10 / spread)


def save(model, form, folder):
    """Returns the value for `--model`."""
    if form == "hugging-face":
        model.save_pretrained(folder)
        return folder
    weights = model.state_dict()
    if isinstance(model, SamModel):
        del weights["shared_image_embedding.positional_embedding"]
        torch.save({substitute(key, SAM): value for key, value in weights.items()}, folder / "published.pth")
        return folder / "published.pth"
    del weights["shared_image_embedding.positional_embedding"]
    table = weights.pop("prompt_encoder.point_embed.weight")
    renamed = {substitute(key, SAM2): value for key, value in weights.items()}
    renamed |= {f"sam_prompt_encoder.point_embeddings.{i}.weight": row[None].clone() for i, row in enumerate(table)}
    torch.save({"model": renamed}, folder / "published.pt")
    return folder / "published.pt"


def ours(path, pixels, arguments, multimask, folder):
    save_file({"pixel_values": pixels} | arguments, folder / "in.safetensors", metadata={"multimask_output": str(multimask).lower()})
    command = ["npm", "run", "--silent", "forward", "--", "--model", path, "--inputs", folder / "in.safetensors", "--outputs", folder / "out.safetensors"]
    subprocess.run([str(word) for word in command], check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return load_file(folder / "out.safetensors")


def error(actual, expected):
    assert actual.shape == expected.shape, (actual.shape, expected.shape)
    return ((actual - expected).abs().max() / expected.abs().max()).item()


def hold(name, form, images, only):
    worst = 0.0
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        model, (pixels, ways) = build(name), inputs_of(images)
        with torch.inference_mode():
            begin = time.perf_counter()
            embeddings = model.get_image_embeddings(pixels)
            print(f"{name}, {form}: the reference encodes {images} image(s) in {time.perf_counter() - begin:.1f} s", flush=True)
        enlarge(model, embeddings, ways["boxes"])
        path = save(model, form, folder)
        for way, arguments in ((way, ways[way]) for way in only):
            for multimask in (False, True):
                with torch.inference_mode():
                    expected = model(image_embeddings=list(embeddings) if isinstance(embeddings, list) else embeddings,
                                     multimask_output=multimask, **arguments)
                actual = ours(path, pixels, arguments, multimask, folder)
                errors = {key: error(value, expected[key]) for key, value in actual.items()}
                worst = max(worst, *errors.values())
                shown = ", ".join(f"{key} {value:.1e}" for key, value in errors.items())
                print(f"  {way}, {'three masks' if multimask else 'one mask'}: {shown}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"{name}, {form}: the largest is {worst:.1e}; the command takes {peak:.1f} GB at most", flush=True)
    return worst


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [f"sam2-{size}" for size in HIERA] + [f"sam-vit-{size}" for size in VIT]
    parser.add_argument("models", nargs="+", choices=names)
    parser.add_argument("--form", choices=("hugging-face", "authors"), default="hugging-face")
    parser.add_argument("--images", type=int, default=1)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="what masks are asked for with")
    options = parser.parse_args()
    sys.exit(max(hold(name, options.form, options.images, options.ways) for name in options.models) > 2e-3)
