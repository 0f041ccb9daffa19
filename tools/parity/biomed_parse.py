"""Full-size parity of BiomedParse with the authors' code, run by `npm run forward`.

Creates the published model (FocalNet-L at 1024 pixels) with random weights in the published form, a `.pt` file without config.json, runs both
on the same image and phrases, and prints the largest difference of what each block computes, and of the masks and likenesses of all queries,
relative to the largest value. A decoder layer attends where the masks so far are, and a cell whose logit is 0 to the last digits may fall on
either side: such cells are counted and printed with the reference's logit, and the reference runs once more with our choice in these cells,
so that everything else is held to the tolerance. Needs a checkout of https://github.com/microsoft/BiomedParse, which no package provides; what its code uses of
other packages is replaced by the few lines in `tools/golden/biomed_parse_authors.py`, which names them:

    PYTHONPATH=BiomedParse .venv-reference/bin/python tools/parity/biomed_parse.py [--phrases 1] [--side 1024] [--small]
"""
import argparse
import functools
import gc
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "golden"))
from biomed_parse_authors import MEAN, STD, ask, build, watch  # noqa: E402
from common import noise, perturb  # noqa: E402

HEAD = "sem_seg_head.predictor"
TEXT = f"{HEAD}.lang_encoder.lang_encoder"
# Phrases as CLIP's tokens: begin, words, end. The vocabulary itself does not matter here.
# A model in seconds, with the published heads and groups, which shapes do not show.
SMALL = dict(width=8, depths=(1, 2, 2, 1), hidden=64, mask_dim=32, feed_forward=64, encoder_layers=2, decoder_layers=4, queries=11, text_width=64, text_layers=2)
PHRASES = ["49406 1823 1936 9511 579 49407", "49406 41122 22616 530 9475 29717 49407", "49406 42031 1375 49407"]


def make(small):
    torch.manual_seed(0)
    model = perturb(build(**SMALL) if small else build(), 0, std=0.02)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "gamma_" in key:  # Initialised so small that blocks would hardly change what passes them.
                parameter.add_(0.2)
    return model


def ours(path, inputs, folder):
    save_file({key: value.contiguous() for key, value in inputs.items()}, folder / "in.safetensors", metadata={"hidden_states": "true"})
    files = ["--model", path, "--inputs", folder / "in.safetensors", "--outputs", folder / "out.safetensors"]
    command = ["npm", "run", "--silent", "forward", "--", *files]
    subprocess.run([str(word) for word in command], check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return load_file(folder / "out.safetensors")


def pairs(seen, masks, alike, answer):
    """What both computed, by the names of the paper's parts: ours first."""
    for key, theirs in seen.items():
        kind, _, i = key.partition(".")
        if kind == "backbone":
            yield key, answer[key].flatten(1, -2), theirs
        elif kind == "encoder":
            yield f"pyramid's transformer, layer {i}", answer[f"sem_seg_head.pixel_decoder.transformer.encoder.layers.{i}"], theirs
        elif kind == "fpn":
            yield f"pyramid, level {i}", answer[f"sem_seg_head.pixel_decoder.layer_{i}"], theirs
        elif kind == "mask_features":
            yield "mask features", answer["sem_seg_head.pixel_decoder.mask_features"], theirs
        elif kind == "text" and i:
            mine = answer[f"{TEXT}.resblocks.{i}"]
            yield f"text, block {i}", mine, theirs[:1, :mine.shape[1]]
        elif key.endswith(".cross"):
            yield f"decoder, cross-attention {i[:-6]}", answer[f"{HEAD}.transformer_cross_attention_layers.{i[:-6]}"], theirs
        elif kind == "decoder":
            own = f"{HEAD}.transformer_ffn_layers.{i}"
            yield f"decoder, layer {i}", torch.cat([answer[own], answer[f"{own}.words"]], 1), theirs
    yield "masks of all queries", answer["pred_masks"][0], masks
    yield "likeness of queries and phrases", answer["similarity"][0], alike


def watch_cells(predictor, imposed=None):
    """Where the queries of each cross-attention must not attend, [Q, cells], and the logits that this was decided by; until the hooks are removed.

    `imposed`: these cells in place of the reference's own, by layer."""
    cells, logits, hooks = [], [], []
    heads = predictor.forward_prediction_heads

    def predict(output, features, attn_mask_target_size, **rest):
        found = heads(output, features, attn_mask_target_size=attn_mask_target_size, **rest)
        resized = F.interpolate(found["predictions_mask"], size=attn_mask_target_size, mode="bilinear", align_corners=False)
        logits.append(resized[0].flatten(1))
        return found

    def choose(layer, _module, args, given):
        mask = given["memory_mask"]
        cells.append(mask[0])  # the same for all heads
        if imposed is not None:
            given = {**given, "memory_mask": imposed[layer].expand_as(mask)}
        return args, given

    predictor.forward_prediction_heads = predict
    for i, layer in enumerate(predictor.transformer_cross_attention_layers):
        hooks.append(layer.register_forward_pre_hook(functools.partial(choose, i), with_kwargs=True))

    def remove():
        del predictor.forward_prediction_heads
        for hook in hooks:
            hook.remove()

    return cells, logits, remove


def tell_cells(cells, logits, own):
    """Prints which cells of each layer fell on the other side of the threshold."""
    for layer, (theirs, mine) in enumerate(zip(cells, own)):
        apart = (theirs != mine).nonzero().tolist()
        scale = logits[layer].abs().max().item()
        shown = ", ".join(f"query {q}, cell {cell}: logit {logits[layer][q, cell]:.1e}" for q, cell in apart[:4])
        more = f" and {len(apart) - 4} more" if len(apart) > 4 else ""
        print(f"biomed_parse, cells of layer {layer}: {len(apart)} of {theirs.numel()} on the other side (largest logit {scale:.2g})"
              + (f": {shown}{more}" if apart else ""), flush=True)


def reference(model, pixels, phrases, imposed=None):
    """What the reference computes, with its own choice of the cells that queries attend to, or with ours."""
    seen, hooks = watch(model)
    predictor = model.sem_seg_head.predictor
    cells, logits, remove = watch_cells(predictor, imposed)
    with torch.inference_mode():
        masks, classes, sentences = ask(model, pixels, phrases)
        scale = predictor.lang_encoder.logit_scale.exp().clamp(max=100)
        unit = [x / (x.norm(dim=-1, keepdim=True) + 1e-7) for x in (classes, sentences)]
        alike = scale * unit[0] @ unit[1].t()
    remove()
    for hook in hooks:
        hook.remove()
    return dict(seen=seen, cells=cells, logits=logits, masks=masks, alike=alike)


def compare(expected, answer):
    """Prints the error of each part. Returns the largest."""
    worst = 0.0
    for name, mine, theirs in pairs(expected["seen"], expected["masks"], expected["alike"], answer):
        assert mine.shape == theirs.shape, (name, mine.shape, theirs.shape)
        error = ((mine - theirs).abs().max() / theirs.abs().max()).item()
        worst = max(worst, error)
        print(f"biomed_parse, {name}: {error:.1e} (largest value {theirs.abs().max():.2g})", flush=True)
    return worst


def hold(count, side, small=False):
    phrases = [PHRASES[i % len(PHRASES)] for i in range(count)]
    pixels = torch.sigmoid(noise((3, side // 8, side // 8), 1)).repeat_interleave(8, 1).repeat_interleave(8, 2) * 255
    pixels = (pixels + noise((3, side, side), 2, scale=8)).clamp(0, 255)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        model = make(small)
        parameters = sum(p.numel() for p in model.parameters()) / 1e6
        torch.save(model.state_dict(), folder / "biomedparse_v1.pt")
        tokens = model.sem_seg_head.predictor.lang_encoder.tokenizer(phrases, "max_length", True, 77, "pt")
        mean, std = (torch.tensor(x)[:, None, None] for x in (MEAN, STD))
        inputs = {"pixel_values": ((pixels - mean) / std)[None], **{key: value.int() for key, value in tokens.items()}}
        answer = ours(folder / "biomedparse_v1.pt", inputs, folder)
    predictor = model.sem_seg_head.predictor
    own = [answer[f"{HEAD}.transformer_cross_attention_layers.{i}.blocked"][0] > 0 for i in range(predictor.num_layers)]
    begin = time.process_time()
    free = reference(model, pixels, phrases)
    seconds = time.process_time() - begin
    flipped = any((theirs != mine).any() for theirs, mine in zip(free["cells"], own))
    largest = compare(free, answer)
    tell_cells(free["cells"], free["logits"], own)
    if flipped:
        print("biomed_parse, with our choice of these cells in the reference:", flush=True)
        given = reference(model, pixels, phrases, own)
        largest = compare(given, answer)
        tell_cells(given["cells"], given["logits"], own)
    alike = free["alike"]
    same = (alike.argmax(0) == answer["similarity"][0].argmax(0)).tolist()
    print(f"biomed_parse, the chosen query is the same: {same}")
    print(f"biomed_parse, {parameters:.0f} M parameters, {count} phrase(s), {side} px: the largest is {largest:.1e}; the reference takes {seconds:.0f} s of CPU")
    return largest


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phrases", type=int, default=1)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--small", action="store_true", help="a narrow model of fewer layers, to try out the script")
    options = parser.parse_args()
    largest = hold(options.phrases, options.side, options.small)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"biomed_parse: the command takes {peak:.1f} GB at most")
    sys.exit(largest > 1e-4)
