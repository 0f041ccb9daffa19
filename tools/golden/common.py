"""Shared by the scripts that create golden fixtures from the PyTorch reference. A development tool, never a dependency.

A fixture is a folder under test/fixtures: `config.json` and `model.safetensors` from `save_pretrained` (if a whole
model is tested), `case.safetensors` with the inputs (`in.*`), outputs (`out.*`), intermediates (`mid.*`) and gradients
(`grad.<checkpoint key>`), and `manifest.json` with versions, seed, tolerances and hashes.
"""
import hashlib
import json
import pathlib

import torch
import transformers
from safetensors.torch import load_file, save_file

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures"


def perturb(module, seed, std=0.05):
    """Adds noise to every parameter: default initialisation leaves several at zero, where errors would go unnoticed."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * std)
    return module.eval()


def noise(shape, seed, scale=1.0):
    """A tensor that is neither all ones nor zeros nor square."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale


def save_case(name, tensors, *, seed, tolerance, model=None, rename=None, note=""):
    """Writes one fixture. `tensors`: prefixed names to tensors. `tolerance`: relative, with its reason in `note`.
    `rename`: from `save_pretrained`'s names to those of published files, if they differ."""
    folder = FIXTURES / name
    folder.mkdir(parents=True, exist_ok=True)
    if model is not None:
        model.save_pretrained(folder, safe_serialization=True)
        for extra in ("generation_config.json",):
            (folder / extra).unlink(missing_ok=True)
        if rename is not None:
            weights = load_file(folder / "model.safetensors")
            save_file({rename(k): v for k, v in weights.items()}, folder / "model.safetensors", metadata={"format": "pt"})
    save_file({k: v.detach().contiguous().clone() for k, v in tensors.items()}, folder / "case.safetensors")
    hashes = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.glob("*")) if p.name != "manifest.json"}
    manifest = {
        "torch": torch.__version__, "transformers": transformers.__version__, "seed": seed,
        "tolerance": tolerance, "note": note, "sha256": hashes,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    size = sum(p.stat().st_size for p in folder.glob("*"))
    print(f"{name}: {size / 1024:.0f} kB")
