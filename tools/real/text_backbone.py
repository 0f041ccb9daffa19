"""Replaces the BERT in a Grounding DINO model folder: fewer layers, fewer word pieces, half precision, and a new projection.

    python tools/real/text_backbone.py MINILM_FOLDER DETECTOR_FOLDER TO --layers 5 --pieces 7000 --words configs/prompts tools/tokenizer/words.txt

Keeps the special tokens, all single characters (so that every word can still be spelled), the pieces of all words in the given
files, and then the most frequent pieces (BERT numbers them by frequency). Needs torch, transformers and safetensors.
"""

import argparse
import json
import re
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

FIRST_WORD = 1996  # below it: special tokens, unused ones, and single characters of all scripts
FIXED = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012, "?": 1029}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def words_of(paths):
    for path in map(Path, paths):
        for file in sorted(path.glob("**/*")) if path.is_dir() else [path]:
            if file.is_file():
                yield from re.findall(r"[a-z]+|[0-9]+", file.read_text().lower())


def kept_pieces(tokenizer, paths, count):
    vocab = tokenizer.get_vocab()
    by_id = sorted(vocab, key=vocab.get)
    single = [piece for piece in by_id if piece.isascii() and len(piece.removeprefix("##")) == 1]
    needed = {piece for word in set(words_of(paths)) for piece in tokenizer.tokenize(word)}
    chosen = dict.fromkeys([*SPECIAL, *single, *sorted(needed, key=vocab.get)])
    for piece in by_id[FIRST_WORD:]:
        if len(chosen) >= count:
            break
        if piece.isascii():
            chosen[piece] = None
    return numbered(sorted(chosen, key=vocab.get)), vocab


def numbered(pieces):
    """Orders pieces so that those which Grounding DINO hard-codes keep their ids."""
    others = iter([piece for piece in pieces if piece not in FIXED])
    places = {number: piece for piece, number in FIXED.items()}
    return [places[number] if number in places else next(others) for number in range(len(pieces))]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("bert")
    arguments.add_argument("detector")
    arguments.add_argument("to")
    arguments.add_argument("--layers", type=int, default=5)
    arguments.add_argument("--pieces", type=int, default=7000)
    arguments.add_argument("--positions", type=int, default=256)
    arguments.add_argument("--words", nargs="*", default=[])
    given = arguments.parse_args()
    to = Path(given.to)
    shutil.copytree(given.detector, to, dirs_exist_ok=True)

    tokenizer = AutoTokenizer.from_pretrained(given.bert)
    pieces, vocab = kept_pieces(tokenizer, given.words, given.pieces)
    bert = load_file(Path(given.bert) / "model.safetensors")
    bert = {name.removeprefix("bert."): value for name, value in bert.items()}
    embeddings = "embeddings.word_embeddings.weight"
    bert[embeddings] = bert[embeddings][[vocab[piece] for piece in pieces]]
    bert["embeddings.position_embeddings.weight"] = bert["embeddings.position_embeddings.weight"][: given.positions]
    late = [f"encoder.layer.{k}." for k in range(given.layers, 100)]
    dropped = ("pooler.", "embeddings.position_ids", *late)
    text = {f"model.text_backbone.{name}": value.half() for name, value in bert.items() if not name.startswith(dropped)}

    model = load_file(to / "model.safetensors")
    old = {name for name in model if name.startswith("model.text_backbone.")}
    missing, extra = old - set(text), set(text) - old
    print(f"{len(old)} text parameters replaced by {len(text)}; no longer there: {len(missing)}, new: {len(extra)}")
    model = {name: value for name, value in model.items() if name not in old} | text
    config = json.loads((Path(given.bert) / "config.json").read_text())
    hidden = config["hidden_size"]
    out = model["model.text_projection.weight"].shape[0]
    torch.manual_seed(0)
    projection = torch.empty(out, hidden)
    torch.nn.init.xavier_uniform_(projection)
    model["model.text_projection.weight"] = projection.half()
    model["model.text_projection.bias"] = torch.zeros(out).half()
    save_file({name: value.contiguous() for name, value in model.items()}, to / "model.safetensors", {"format": "pt"})

    detector = json.loads((to / "config.json").read_text())
    names = ["hidden_size", "intermediate_size", "num_attention_heads", "hidden_act", "layer_norm_eps", "type_vocab_size"]
    detector["text_config"] |= {name: config[name] for name in names}
    detector["text_config"] |= {
        "num_hidden_layers": given.layers,
        "vocab_size": len(pieces),
        "max_position_embeddings": given.positions,
    }
    # A frozen sentence encoder loses the first word without [CLS]: docs/decisions/0054-phrases-as-sentences.md.
    detector["phrases_as_sentences"] = True
    (to / "config.json").write_text(json.dumps(detector, indent=2) + "\n")

    (to / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces))
    full = json.loads((to / "tokenizer.json").read_text())
    places = {piece: number for number, piece in enumerate(pieces)}
    full["model"]["vocab"] = places
    for token in full.get("added_tokens", []):
        token["id"] = places[token["content"]]
    processor = full.get("post_processor") or {}
    for name, token in (processor.get("special_tokens") or {}).items():
        token["ids"] = [places[name]]
    for name in ("sep", "cls"):
        if name in processor:
            processor[name][1] = places[processor[name][0]]
    (to / "tokenizer.json").write_text(json.dumps(full) + "\n")
    print(f"{len(pieces)} pieces, {given.layers} layers, {(to / 'model.safetensors').stat().st_size / 1e6:.1f} MB in {to}")


main()
