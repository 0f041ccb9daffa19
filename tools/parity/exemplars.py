"""Full-size parity of UniverSeg with the authors' code, run by `npm run forward`.

Creates the published model (64 features) with random weights in the published form, runs both on the same inputs, and prints the
largest difference of what each block computes, and of the logits, relative to the largest value. Needs a checkout of https://github.com/JJGO/UniverSeg, which no
package provides, with einops and pydantic:

    PYTHONPATH=UniverSeg .venv-reference/bin/python tools/parity/exemplars.py [--supports 1 16 64] [--images 1]
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
from universeg import universeg

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "golden"))
from common import noise, perturb  # noqa: E402

SIDE = 128


def inputs_of(images, supports, seed):
    """Grey images in [0, 1], and masks of an ellipse each."""
    target = torch.sigmoid(noise((images, 1, SIDE, SIDE), seed))
    support = torch.sigmoid(noise((images, supports, 1, SIDE, SIDE), seed + 1))
    y, x = torch.meshgrid(torch.linspace(-1, 1, SIDE), torch.linspace(-1, 1, SIDE), indexing="ij")
    shift = noise((images, supports, 2, 1, 1), seed + 2, scale=0.3)
    masks = (((x - shift[:, :, 0]) / 0.5) ** 2 + ((y - shift[:, :, 1]) / 0.3) ** 2 < 1).float()[:, :, None]
    return {"target": target, "support_images": support, "support_masks": masks}


def ours(path, inputs, folder):
    save_file(inputs, folder / "in.safetensors", metadata={"hidden_states": "true"})
    command = ["npm", "run", "--silent", "forward", "--", "--model", path, "--inputs", folder / "in.safetensors", "--outputs", folder / "out.safetensors"]
    subprocess.run([str(word) for word in command], check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return load_file(folder / "out.safetensors")


def watch(model):
    """Target and support maps of every block of the authors' model, [B, 1 or S, C, H, W]."""
    seen, blocks = {}, {f"enc_blocks.{i}": block for i, block in enumerate(model.enc_blocks)}
    blocks |= {f"dec_blocks.{i}": block for i, block in enumerate(model.dec_blocks)}
    for name, block in blocks.items():
        block.register_forward_hook(lambda _block, _inputs, outputs, name=name: seen.update({name: outputs}))
    return seen


def rows(maps):
    """Channels last, supports as further rows: our layout."""
    return maps.flatten(0, 1).permute(0, 2, 3, 1)


def pairs(answer, seen, logits):
    """What both computed: ours first. Of the finest supports we keep their mean, and the maps at half the size; of the last block the logits."""
    *blocks, _last = seen
    for name in blocks:
        target, support = seen[name]
        yield f"{name}, target", answer[f"{name}.target"], rows(target)
        if name == "enc_blocks.0":
            yield f"{name}, mean of the supports", answer[f"{name}.support"], rows(support.mean(1, keepdim=True))
            halves = torch.nn.functional.max_pool2d(support.flatten(0, 1), 2)
            yield f"{name}, supports at half the size", answer[f"{name}.pooledSupport"], halves.permute(0, 2, 3, 1)
        else:
            yield f"{name}, supports", answer[f"{name}.support"], rows(support)
    yield "logits", answer["logits"], logits


def hold(supports, images):
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        torch.manual_seed(0)
        model = perturb(universeg(), 0, std=0.02)
        torch.save(model.state_dict(), folder / "universeg_v1_nf64_ss64_STA.pt")
        inputs, seen = inputs_of(images, supports, 1), watch(model)
        with torch.inference_mode():
            begin = time.process_time()
            expected = model(inputs["target"], inputs["support_images"], inputs["support_masks"])
        seconds = time.process_time() - begin
        answer = ours(folder / "universeg_v1_nf64_ss64_STA.pt", inputs, folder)
    worst = 0.0
    for name, actual, wanted in pairs(answer, seen, expected):
        assert actual.shape == wanted.shape, (name, actual.shape, wanted.shape)
        error = ((actual - wanted).abs().max() / wanted.abs().max()).item()
        worst = max(worst, error)
        print(f"universeg, {supports} supports, {name}: {error:.1e}", flush=True)
    spread = f"logits from {expected.min():.1f} to {expected.max():.1f}"
    print(f"universeg, {images} image(s), {supports} supports: {worst:.1e} ({spread}; the reference takes {seconds:.1f} s of CPU)", flush=True)
    return worst


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--supports", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--images", type=int, default=1)
    options = parser.parse_args()
    worst = max(hold(supports, options.images) for supports in options.supports)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"universeg: the largest is {worst:.1e}; the command takes {peak:.1f} GB at most")
    sys.exit(worst > 1e-4)
