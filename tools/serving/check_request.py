"""Runs a request with the signature of a SavedModel like TensorFlow Serving, and prints the output shapes.

Usage: python check_request.py SAVED_MODEL_DIR REQUEST.json

Arrays are converted to the types of the signature; a name, type or shape that does not match is an error. Needs tensorflow-cpu.
"""

import json
import sys

import numpy as np
import tensorflow as tf


def main(folder, request):
    body = json.load(open(request))
    signature = tf.saved_model.load(folder).signatures[body["signature_name"]]
    specs = signature.structured_input_signature[1]
    if sorted(specs) != sorted(body["inputs"]):
        sys.exit(f"expected inputs {sorted(specs)}, got {sorted(body['inputs'])}")
    given = {name: tf.constant(value, specs[name].dtype) for name, value in body["inputs"].items()}
    for name, spec in specs.items():
        if not spec.shape.is_compatible_with(given[name].shape):
            sys.exit(f"{name}: expected {spec.shape}, got {given[name].shape}")
    outputs = signature(**given)
    for name, tensor in sorted(outputs.items()):
        print(name, list(tensor.shape), tensor.dtype.name)
    scores = tf.sigmoid(outputs["logits"]).numpy().max(-1)[0]
    print("best box", [round(float(x), 4) for x in outputs["pred_boxes"].numpy()[0, int(np.argmax(scores))]])


if __name__ == "__main__":
    main(*sys.argv[1:])
