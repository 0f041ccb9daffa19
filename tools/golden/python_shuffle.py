"""Fixture python-shuffle: results of Python's random.seed and random.shuffle, alone and for the published code's splits.

Run: python3 tools/golden/python_shuffle.py (any Python from 3.2 on: the shuffle has not changed since)
"""
import hashlib
import json
import pathlib
import random
import sys

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "python-shuffle"

words = []
for seed in (0, 1, 42, 2**31, 2**32 - 1, 2**32, 2**40 + 5):
    random.seed(seed)
    words.append({"seed": seed, "words": [random.getrandbits(32) for _ in range(5)], "below": [random._inst._randbelow(n) for n in (1, 2, 3, 7, 8, 1000, 2592, 2**31, 2**32 - 1)]})

orders = []
for seed, sizes in ((42, (20, 7)), (42, (210, 437)), (42, (2592,)), (7, (1, 2, 700))):
    random.seed(seed)
    lists = []
    for size in sizes:
        order = list(range(size))
        random.shuffle(order)
        train = int(0.7 * size)
        val = int(0.2 * size)
        digest = hashlib.sha256(json.dumps(order, separators=(",", ":")).encode()).hexdigest()
        lists.append({"size": size, "first": order[:10], "last": order[-3:], "sha256": digest, "parts": [train, val, size - train - val]})
    orders.append({"seed": seed, "lists": lists})

FOLDER.mkdir(parents=True, exist_ok=True)
cases = {"python": sys.version.split()[0], "words": words, "orders": orders}
(FOLDER / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
