"""Fixture tokenizer: token ids of prompts by the reference's BERT tokenizer, with the shipped vocabulary.

Run: .venv-reference/bin/python tools/golden/tokenizer.py
"""
import json
import pathlib

from transformers import BertTokenizerFast

from common import FIXTURES

VOCABULARY = pathlib.Path(__file__).resolve().parents[2] / "weights" / "nano-grounding-dino"

PROMPTS = [
    ["benign lesion", "cyst"],
    ["Malignant  Breast\tTumour", "hypo-echoic (2 cm) mass", "don't know"],
    ["Café au lait", "Über naïve Größe", "ÅNGSTRÖM"],
    ["узел щитовидной железы", "甲状腺 nodule", "결절"],
    ["lesion with acoustic shadowing & enhancement", "BI-RADS 4a/b", "1,5x2.5"],
    ["pneumonoultramicroscopicsilicovolcanoconiosis", "x" * 120, "q"],
    ["a\u200bb", "tab\tand\u00a0space", "e\u0301tude"],
    ["left kidney?", "what is it"],
]

tokenizer = BertTokenizerFast.from_pretrained(VOCABULARY)
cases = []
for phrases in PROMPTS:
    # The caption as the reference's processor builds it from a list of phrases.
    caption = ". ".join(" ".join(phrase.lower().split()) for phrase in phrases) + "."
    cases.append({"phrases": phrases, "ids": tokenizer(caption)["input_ids"]})
folder = FIXTURES / "tokenizer"
folder.mkdir(exist_ok=True)
(folder / "cases.json").write_text(json.dumps(cases, ensure_ascii=True) + "\n")
