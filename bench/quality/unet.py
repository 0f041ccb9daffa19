"""A U-Net of about as many parameters as our detector and masker train, as the peer that learns one structure of one dataset.

    node bench/quality/augmented.mjs --data DIR/busi --to runs/unet/train
    python bench/quality/unet.py --train runs/unet/train --data DIR --val busi --predict busi/test busbra/test \
        --minutes 60 --to runs/unet
    npm run eval -- --config configs/ultrasound.yaml --set data.root=DIR --predictions unet=runs/unet/predictions

The rate is the one of three with the best validation DSC after a quarter of the time; then three seeds learn for the whole time, and
the best one on validation images predicts. Times are of the processor, so that runs beside other work are not cut short. Each finished
run is kept in TO/runs and not repeated. --bfloat16 computes convolutions in bfloat16, more than twice as fast on processors that have it.
Needs torch and pillow.
"""
import argparse
import json
import math
import pathlib
import time

import numpy
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

RATES = (3e-4, 1e-3, 3e-3)
SEEDS = (1, 2, 3)
BATCH = 8
CHECKS = 10


class Block(nn.Sequential):
    """Two convolutions with batch norm."""

    def __init__(self, into: int, out: int):
        layers = []
        for channels in (into, out):
            layers += [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)]
        super().__init__(*layers)


class UNet(nn.Module):
    """Ronneberger et al. 2015, with batch norm and padded convolutions. Grey images [N, 1, H, W] to mask logits of the same size."""

    def __init__(self, width: int):
        super().__init__()
        widths = [width * 2**level for level in range(5)]
        self.down = nn.ModuleList(Block(a, b) for a, b in zip([1, *widths], widths))
        self.grow = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in zip(widths, widths[1:]))
        self.up = nn.ModuleList(Block(2 * a, a) for a in widths[:-1])
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        kept = []
        x = images
        for level, block in enumerate(self.down):
            x = block(functional.max_pool2d(x, 2) if level > 0 else x)
            kept.append(x)
        for level in reversed(range(len(self.up))):
            x = self.up[level](torch.cat([kept[level], self.grow[level](x)], dim=1))
        return self.head(x)


def read_grey(file: pathlib.Path, side: int) -> numpy.ndarray:
    return numpy.asarray(Image.open(file).convert("L").resize((side, side), Image.BILINEAR))


def read_part(root: pathlib.Path, part: str) -> list[dict]:
    """The images of an imported part: name, size, file and the union of its masks at full size."""
    whole = json.loads((root / "annotations" / f"{part}.json").read_text())
    masks: dict[int, list[str]] = {}
    for annotation in whole["annotations"]:
        masks.setdefault(annotation["image_id"], []).append(annotation["mask_file"])
    entries = []
    for image in whole["images"]:
        union = numpy.zeros((image["height"], image["width"]), bool)
        for name in masks.get(image["id"], []):
            union |= numpy.asarray(Image.open(root / "masks" / name).convert("L")) > 0
        entries.append({"name": image["file_name"], "file": root / "images" / image["file_name"], "mask": union})
    return entries


def to_tensor(images: numpy.ndarray) -> torch.Tensor:
    return torch.from_numpy(images.astype(numpy.float32) / 255 - 0.5)[:, None]


def loss_of(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Cross-entropy and soft Dice, as nnU-Net adds them."""
    probability = logits.sigmoid()
    overlap = (probability * truth).sum((1, 2, 3))
    dice = (2 * overlap + 1) / (probability.sum((1, 2, 3)) + truth.sum((1, 2, 3)) + 1)
    return functional.binary_cross_entropy_with_logits(logits, truth) + (1 - dice).mean()


@torch.no_grad()
def predict(net: UNet, entry: dict, side: int) -> numpy.ndarray:
    """The mask at the image's own size."""
    logits = net(to_tensor(read_grey(entry["file"], side)[None]))
    return (functional.interpolate(logits, size=entry["mask"].shape, mode="bilinear")[0, 0] > 0).numpy()


def dsc_of(net: UNet, entries: list[dict], side: int) -> float:
    """Mean DSC in percent over images that show something."""
    net.eval()
    scores = []
    for entry in entries:
        if entry["mask"].any():
            mask = predict(net, entry, side)
            scores.append(2 * (mask & entry["mask"]).sum() / (mask.sum() + entry["mask"].sum()))
    net.train()
    return 100 * float(numpy.mean(scores))


def fit(images: numpy.ndarray, masks: numpy.ndarray, entries: list[dict], options: argparse.Namespace, rate: float, seed: int, minutes: float):
    """Trains for so many minutes of processor time; the weights of the best check on validation images."""
    torch.manual_seed(seed)
    order = numpy.random.default_rng(seed)
    net = UNet(options.width).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-2)
    side = images.shape[1]
    best, curve, checked, seen = (-1.0, {}), [], 0, 0
    began = time.process_time()
    while (share := (time.process_time() - began) / (60 * minutes * torch.get_num_threads())) < 1:
        for group in optimizer.param_groups:
            group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * share))
        picked = order.integers(len(images), size=BATCH)
        with torch.autocast("cpu", torch.bfloat16, options.bfloat16):
            logits = net(to_tensor(images[picked]))
        loss = loss_of(logits.float(), torch.from_numpy((masks[picked] > 127).astype(numpy.float32))[:, None])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen += BATCH
        if share * CHECKS >= checked + 1:
            checked = int(share * CHECKS)
            dsc = dsc_of(net, entries, side)
            curve.append({"images": seen, "dsc": round(dsc, 2), "loss": round(loss.item(), 4)})
            print(json.dumps({"rate": rate, "seed": seed, **curve[-1]}), flush=True)
            if dsc > best[0]:
                best = (dsc, {name: value.clone() for name, value in net.state_dict().items()})
    dsc = dsc_of(net, entries, side)
    curve.append({"images": seen, "dsc": round(dsc, 2)})
    if dsc > best[0]:
        best = (dsc, net.state_dict())
    net.load_state_dict(best[1])
    return best[0], net.eval(), curve


def kept_fit(name: str, images: numpy.ndarray, masks: numpy.ndarray, entries: list[dict], options: argparse.Namespace, *arguments):
    """fit(), or its result from an earlier call with the same options."""
    file = options.to / "runs" / f"{name}.pt"
    said = {"side": images.shape[1], "images": len(images), "width": options.width, "bfloat16": options.bfloat16, "arguments": arguments}
    if file.exists():
        kept = torch.load(file, weights_only=False)
        if kept["options"] != said:
            raise SystemExit(f"{file} was trained with other options: {kept['options']}, not {said}. Give another --to or remove it")
        net = UNet(options.width)
        net.load_state_dict(kept["weights"])
        return kept["dsc"], net.eval(), kept["curve"]
    dsc, net, curve = fit(images, masks, entries, options, *arguments)
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"options": said, "dsc": dsc, "weights": net.state_dict(), "curve": curve}, file.with_suffix(".part"))
    file.with_suffix(".part").rename(file)
    return dsc, net, curve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=pathlib.Path, required=True, help="what augmented.mjs has written")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="the folder of the imported datasets")
    parser.add_argument("--val", required=True, help="the dataset whose val part decides")
    parser.add_argument("--predict", nargs="*", default=[], help="DATASET/PART to predict masks of")
    parser.add_argument("--minutes", type=float, default=60, help="of one seed, by the clock on idle processors")
    parser.add_argument("--width", type=int, default=22, help="channels of the first level; 22: 3.7 M parameters")
    parser.add_argument("--bfloat16", action="store_true", help="convolutions in bfloat16, parameters in float32")
    parser.add_argument("--to", type=pathlib.Path, required=True)
    options = parser.parse_args()

    names = sorted((file.name for file in (options.train / "images").iterdir()), key=lambda name: int(name.split(".")[0]))
    images, masks = (numpy.stack([numpy.asarray(Image.open(options.train / kind / name)) for name in names]) for kind in ("images", "masks"))
    entries = read_part(options.data / options.val, "val")
    parameters = sum(parameter.numel() for parameter in UNet(options.width).parameters())
    print(json.dumps({"images": len(images), "parameters": parameters, "threads": torch.get_num_threads()}), flush=True)

    trials = {rate: kept_fit(f"rate-{rate}", images, masks, entries, options, rate, SEEDS[0], options.minutes / 4) for rate in RATES}
    rate = max(RATES, key=lambda rate: trials[rate][0])
    runs = {seed: kept_fit(f"seed-{seed}", images, masks, entries, options, rate, seed, options.minutes) for seed in SEEDS}
    seed = max(runs, key=lambda seed: runs[seed][0])
    options.to.mkdir(parents=True, exist_ok=True)
    summary = {
        "parameters": parameters,
        "rate": rate,
        "rates": {rate: round(dsc, 2) for rate, (dsc, _, _) in trials.items()},
        "seed": seed,
        "val": {seed: round(dsc, 2) for seed, (dsc, _, _) in runs.items()},
        "curves": {seed: curve for seed, (_, _, curve) in runs.items()},
    }
    (options.to / "unet.json").write_text(json.dumps(summary, indent=2) + "\n")
    for place in options.predict:
        name, part = place.split("/")
        folder = options.to / "predictions" / name
        folder.mkdir(parents=True, exist_ok=True)
        for entry in read_part(options.data / name, part):
            mask = predict(runs[seed][1], entry, images.shape[1])
            Image.fromarray(mask.astype(numpy.uint8) * 255).save(folder / f"{pathlib.Path(entry['name']).stem}.png")
    print(json.dumps({key: value for key, value in summary.items() if key != "curves"}))


if __name__ == "__main__":
    main()
