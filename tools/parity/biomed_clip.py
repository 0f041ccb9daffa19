"""Full-size parity of BiomedCLIP with open_clip and timm, and of M2IB with the authors' code, run by `npm run forward`.

Creates the published model with random weights under open_clip's names or Hugging Face's, runs both on the same inputs, and prints
the largest difference of each block and of the outputs relative to their largest values; with --m2ib, that of the information of
each patch, and of the map that MedCLIP-SAMv2 thresholds. Needs what tools/golden/biomed_clip_reference.py names:

    MEDCLIP_SAMV2=MedCLIP-SAMv2 .venv-reference/bin/python tools/parity/biomed_clip.py [--form hugging-face] [--m2ib 7 9] [--beta 1]
"""
import argparse
import pathlib
import resource
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "golden"))
from biomed_clip_reference import BiomedClip, Explained, give_noise, hugging_face, m2ib  # noqa: E402
from common import noise, perturb  # noqa: E402

STEPS, COPIES = 10, 10


def ours(path, inputs, metadata, folder):
    save_file({key: value.contiguous() for key, value in inputs.items()}, folder / "in.safetensors", metadata=metadata)
    command = ["npm", "run", "--silent", "forward", "--", "--model", path, "--inputs", folder / "in.safetensors", "--outputs", folder / "out.safetensors"]
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return load_file(folder / "out.safetensors")


def error(actual, expected):
    assert actual.shape == expected.shape, (actual.shape, expected.shape)
    return ((actual - expected).abs().max() / expected.abs().max()).item()


def hold_blocks(model, path, folder):
    """Two images, and two texts of which one is padded."""
    ids = torch.randint(5, 30522, (2, 256), generator=torch.Generator().manual_seed(3))
    ids[:, 0], ids[0, -1], ids[1, 12], ids[1, 13:] = 2, 3, 3, 0
    inputs = {"pixel_values": noise((2, 3, 224, 224), 1), "input_ids": ids.int(), "attention_mask": (ids != 0).int()}
    expected, hooks = {}, []

    def keep(key, tokens=None):
        def hook(_module, _inputs, output):
            expected[key] = (output[0] if isinstance(output, tuple) else output)[:, :tokens]
        return hook

    trunk, bert = model.visual.trunk, model.text.transformer
    for i, block in enumerate(trunk.blocks):
        # Of the last block, ours computes the class token alone.
        last = i == len(trunk.blocks) - 1
        hooks.append(block.register_forward_hook(keep(f"visual.trunk.blocks.{i}", 1 if last else None)))
    for i, layer in enumerate(bert.encoder.layer):
        hooks.append(layer.register_forward_hook(keep(f"text.transformer.encoder.layer.{i}")))
    with torch.inference_mode():
        image, text, logits = model(inputs["pixel_values"], ids)
    for hook in hooks:
        hook.remove()
    expected |= {"image_embeds": image, "text_embeds": text, "logits_per_image": logits}
    actual = ours(path, inputs, {"hidden_states": "true"}, folder)
    errors = {key: error(actual[key], value) for key, value in expected.items()}
    for start in ("visual.trunk.blocks", "text.transformer.encoder.layer"):
        print(f"{start}: {max(value for key, value in errors.items() if key.startswith(start)):.1e}")
    print(", ".join(f"{key} {errors[key]:.1e}" for key in ("image_embeds", "text_embeds", "logits_per_image")), flush=True)
    return max(errors.values())


def hold_m2ib(model, path, folder, layer, beta):
    pixels = noise((1, 3, 224, 224), 5)
    ids = torch.tensor([[2, 43, 1977, 2345, 12, 3]])
    given = noise((STEPS, COPIES, 197, 768), 6)
    inputs = {"pixel_values": pixels, "input_ids": ids.int(), "noise": given}
    actual = ours(path, inputs, {"layer": str(layer), "beta": str(beta)}, folder)["information"]
    methods, iba = m2ib()
    give_noise(iba, given)
    explained = Explained(model)
    states = methods.extract_feature_map(explained.vision_model, layer, pixels)
    own = methods.extract_bert_layer(explained.vision_model, layer)
    reader = iba.IBAInterpreter(explained, methods.get_compression_estimator(1.0, own, states), beta=beta, lr=1, steps=STEPS)
    capacity = reader._run_vision_training(ids, pixels)[0]
    expected = torch.nansum(capacity, -1)[1:]

    def normalised(patches):
        return (patches - patches.min()) / (patches.max() - patches.min())

    errors = error(actual, expected), error(normalised(actual), normalised(expected))
    spread = f"from {expected.min():.0f} to {expected.max():.0f} nats"
    print(f"M2IB after block {layer}, beta {beta}: information {errors[0]:.1e} ({spread}), map {errors[1]:.1e}", flush=True)
    return max(errors)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--form", choices=["open-clip", "hugging-face"], default="open-clip")
    parser.add_argument("--m2ib", type=int, nargs="*", default=[])
    parser.add_argument("--beta", type=float, default=1.0)
    options = parser.parse_args()
    torch.manual_seed(0)
    model = perturb(BiomedClip(dict(vocab_size=30522)), 0, std=0.02)
    if options.form == "hugging-face":  # whose conversion has another epsilon
        for norm in (module for module in model.visual.modules() if isinstance(module, torch.nn.LayerNorm)):
            norm.eps = 1e-12
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        path = folder / ("open_clip_pytorch_model.bin" if options.form == "open-clip" else "pytorch_model.bin")
        weights = model.state_dict()
        torch.save(weights if options.form == "open-clip" else hugging_face(weights), path)
        worst = hold_blocks(model, path, folder)
        for layer in options.m2ib:
            worst = max(worst, hold_m2ib(model, path, folder, layer, options.beta))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"biomed-clip, {options.form}: the largest is {worst:.1e}; the command takes {peak:.1f} GB at most")
    sys.exit(worst > 1e-4)
