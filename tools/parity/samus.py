"""Full-size parity of SAMUS with the authors' code, run by `npm run forward`.

Creates the published model (ViT-B at 256) with random weights in the published form, a `.pth` file without config.json whose keys may have
the prefix `module.`, runs both on the same image and points, and prints the largest difference of what each block computes, and of the
masks and scores, relative to the largest value. Needs a checkout of https://github.com/xianlin7/SAMUS, which no package provides:

    PYTHONPATH=SAMUS .venv-reference/bin/python tools/parity/samus.py [--images 2] [--wrapped]
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

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "golden"))
from common import noise, perturb  # noqa: E402
from samus_authors import ask, published, watch  # noqa: E402

SIDE = 256


def build():
    torch.manual_seed(0)
    model = perturb(published(), 0, std=0.02)
    with torch.no_grad():  # Relative positions are initialised to zero; trained ones affect the scores.
        for key, parameter in model.named_parameters():
            if "rel_pos" in key:
                parameter.add_(noise(parameter.shape, 1, scale=0.3))
    return model


def ours(path, inputs, folder):
    save_file({key: value.contiguous() for key, value in inputs.items()}, folder / "in.safetensors")
    files = ["--model", path, "--inputs", folder / "in.safetensors", "--outputs", folder / "out.safetensors"]
    command = ["npm", "run", "--silent", "forward", "--", *files, "--blocks"]
    subprocess.run([str(word) for word in command], check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return load_file(folder / "out.safetensors")


def pairs(seen, features, masks, scores, answer):
    """What both computed, by the names of the paper's parts: ours first."""
    yield "CNN branch", answer["blocks.0.cnn"], seen["cnn"]
    yield "patches, adapter and positions", answer["blocks.1.x"], seen["adapted"] + seen["positions"]
    layers = sum(key.endswith(".x") for key in seen)
    for i in range(layers):
        x = answer.get(f"blocks.{i + 2}.x", answer.get(f"blocks.{i + 2}.y"))
        yield f"layer {i}", x, seen[f"layers.{i}.x"]
        if f"blocks.{i + 2}.cnn" in answer:
            yield f"layer {i}, CNN branch", answer[f"blocks.{i + 2}.cnn"], seen[f"layers.{i}.cnn"]
    yield "image features", answer[f"blocks.{layers + 2}.features"], features.permute(0, 2, 3, 1)
    yield "masks", answer["pred_masks"][:, :, 0], masks
    yield "IoU scores", answer["iou_scores"][:, :, 0], scores


def hold(images, wrapped):
    grey = torch.sigmoid(noise((images, 1, SIDE, SIDE), 1))
    points = torch.tensor([[[100.0, 140.0]], [[31.5, 250.25]], [[0.0, 7.0]]])[torch.arange(images) % 3]
    labels = torch.tensor([[1], [0], [1]])[torch.arange(images) % 3]
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        model = build()
        weights = model.state_dict()
        torch.save({f"module.{key}": value for key, value in weights.items()} if wrapped else weights, folder / "samus.pth")
        inputs = {"pixel_values": grey.repeat(1, 3, 1, 1), "input_points": points[:, None], "input_labels": labels[:, None].int()}
        seen, _hooks = watch(model)
        with torch.inference_mode():
            begin = time.process_time()
            expected = ask(model, grey, points, labels)
        seconds = time.process_time() - begin
        answer = ours(folder / "samus.pth", inputs, folder)
    worst = 0.0
    for name, mine, theirs in pairs(seen, *expected, answer):
        assert mine.shape == theirs.shape, (name, mine.shape, theirs.shape)
        error = ((mine - theirs).abs().max() / theirs.abs().max()).item()
        worst = max(worst, error)
        print(f"samus, {name}: {error:.1e} (largest value {theirs.abs().max():.2g})", flush=True)
    print(f"samus, {images} image(s): the largest is {worst:.1e}; the reference takes {seconds:.1f} s of CPU", flush=True)
    return worst


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1)
    parser.add_argument("--wrapped", action="store_true", help="keys with the prefix module.")
    options = parser.parse_args()
    largest = hold(options.images, options.wrapped)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"samus: the command takes {peak:.1f} GB at most")
    sys.exit(largest > 1e-4)
