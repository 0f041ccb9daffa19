"""Detects structures in an image with an exported detector served by TensorFlow Serving or KServe.

Usage: python request.py EXPORT_DIR IMAGE "cyst. kidney." [--url http://HOST:8501/v1/models/detector:predict] [--save FILE]

EXPORT_DIR is the output of `npm run export -- --format savedmodel`; its tokenizer and processor files prepare the request.
Without --url the request is only saved. Needs transformers, Pillow and numpy.
"""

import argparse
import json
import urllib.request

import numpy as np
from PIL import Image
from transformers import AutoImageProcessor, AutoTokenizer


def request_for(export, image, prompt):
    """The columnar form of TensorFlow Serving's REST API: an array for each input of the signature."""
    part = json.load(open(f"{export}/manifest.json"))["detector"]
    height, width, length = part["height"], part["width"], part["text_length"]
    processor = AutoImageProcessor.from_pretrained(f"{export}/detector")
    prepare = lambda **size: processor(images=image, do_pad=False, return_tensors="np", **size)["pixel_values"][0]
    values = prepare()
    _, h, w = values.shape
    scale = min(height / h, width / w)
    if scale < 1:  # the model's own size exceeds the graph's
        values = prepare(size={"height": int(h * scale), "width": int(w * scale)})
        _, h, w = values.shape
    pixels = np.zeros((1, height, width, 3), np.float32)
    pixels[0, :h, :w] = values.transpose(1, 2, 0)
    inside = np.zeros((1, height, width), np.int32)
    inside[0, :h, :w] = 1
    tokens = AutoTokenizer.from_pretrained(f"{export}/detector")(
        prompt.lower(), padding="max_length", max_length=length, truncation=True
    )
    inputs = {
        "pixel_values": pixels,
        "pixel_mask": inside,
        "input_ids": np.array([tokens["input_ids"]]),
        "attention_mask": np.array([tokens["attention_mask"]]),
        "token_type_ids": np.zeros((1, length), np.int32),
    }
    return {"signature_name": "serving_default", "inputs": {name: array.tolist() for name, array in inputs.items()}}


def boxes_of(outputs, image, threshold):
    """Left, top, right, bottom in pixels with the best probability of any token."""
    logits, boxes = np.array(outputs["logits"])[0], np.array(outputs["pred_boxes"])[0]
    scores = (1 / (1 + np.exp(-logits.astype(np.float64)))).max(1)
    for k in np.argsort(-scores):
        if scores[k] < threshold:
            break
        x, y, w, h = boxes[k] * [image.width, image.height, image.width, image.height]
        yield float(scores[k]), [float(value) for value in (x - w / 2, y - h / 2, x + w / 2, y + h / 2)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("export")
    parser.add_argument("image")
    parser.add_argument("prompt")
    parser.add_argument("--url")
    parser.add_argument("--save")
    parser.add_argument("--threshold", type=float, default=0.3)
    args = parser.parse_args()
    image = Image.open(args.image).convert("RGB")
    body = json.dumps(request_for(args.export, image, args.prompt))
    if args.save:
        open(args.save, "w").write(body)
    if args.url:
        headers = {"content-type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(args.url, body.encode(), headers)) as answer:
            for score, box in boxes_of(json.load(answer)["outputs"], image, args.threshold):
                print(f"{score:.3f}", [round(value, 1) for value in box])


if __name__ == "__main__":
    main()
