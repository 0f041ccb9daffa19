"""Fixture clip-tokenizer: token ids of phrases by the reference's CLIP tokenizer, with the merges that these phrases need.

Needs the list of OpenAI's merges, which open_clip_torch has, and no package of its own is installed for:

    PYTHONPATH=FOLDER_OF_OPEN_CLIP .venv-reference/bin/python tools/golden/clip_tokenizer.py
"""
import gzip
import importlib.util
import json
import pathlib

from transformers import CLIPTokenizer

from common import FIXTURES

PHRASES = [
    "left heart ventricle", "Left  Heart\tVENTRICLE", "malignant tumor in breast ultrasound", "pubic symphysis", "fetal head",
    "it's the patient's nodule, isn't it?", "BI-RADS 4a/b (2,5 cm)", "Café au lait", "naïve Größe", "узел", "甲状腺 nodule", "1234 mm²", "e\u0301tude",
    "neoplastic cells & edema!!", "pneumonoultramicroscopicsilicovolcanoconiosis", "a\u00a0b", "…—x",
]


def vocabulary(merges):
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(code) for code in seen] + [chr(256 + i) for i in range(256 - len(seen))]
    pieces = letters + [letter + "</w>" for letter in letters] + ["".join(merge) for merge in merges] + ["<|startoftext|>", "<|endoftext|>"]
    return {piece: i for i, piece in enumerate(pieces)}


def tokenizer_of(merges):
    return CLIPTokenizer(vocab=vocabulary(merges), merges=[tuple(merge) for merge in merges])


def published_merges():
    # Found, not imported: the package itself needs others.
    [folder] = importlib.util.find_spec("open_clip").submodule_search_locations
    lines = gzip.open(pathlib.Path(folder) / "bpe_simple_vocab_16e6.txt.gz").read().decode("utf-8").split("\n")
    return [tuple(line.split()) for line in lines[1:49152 - 256 - 2 + 1]]


if __name__ == "__main__":
    merges = published_merges()
    assert len(vocabulary(merges)) == 49408
    whole = tokenizer_of(merges)
    used = {whole.convert_ids_to_tokens(i) for phrase in PHRASES for i in whole(phrase)["input_ids"]}
    parents = {"".join(merge): merge for merge in reversed(merges)}
    kept, waiting = set(), list(used)
    while waiting:  # the pieces that a kept piece was merged from
        merge = parents.get(waiting.pop())
        if merge is not None and merge not in kept:
            kept.add(merge)
            waiting += merge
    few = [merge for merge in merges if merge in kept]
    small = tokenizer_of(few)
    cases = [{"phrase": phrase, "ids": small(phrase)["input_ids"], "published": whole(phrase)["input_ids"]} for phrase in PHRASES]
    folder = FIXTURES / "clip-tokenizer"
    folder.mkdir(exist_ok=True)
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(merge) for merge in few) + "\n")
    (folder / "cases.json").write_text(json.dumps({"vocabSize": len(vocabulary(few)), "cases": cases}, ensure_ascii=True) + "\n")
    print(f"clip-tokenizer: {len(few)} merges")
