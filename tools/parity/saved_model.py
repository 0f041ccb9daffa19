"""Runs signatures of exported SavedModels in Python's TensorFlow: inputs and outputs are safetensors files.

Usage: python saved_model.py SAVED_MODEL_DIR SIGNATURE INPUTS.safetensors OUTPUTS.safetensors [SAVED_MODEL_DIR …]

Only needs tensorflow-cpu: it includes the few lines that parse safetensors.
"""

import json
import struct
import sys

import numpy as np
import tensorflow as tf

DTYPES = {"F32": np.float32, "I32": np.int32, "U8": np.uint8}


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], DTYPES[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
    }


def write(path, arrays):
    header, offset = {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write(array.tobytes())


def run(folder, signature, inputs, outputs):
    model = tf.saved_model.load(folder)
    arrays = {name: tf.constant(array) for name, array in read(inputs).items()}
    results = model.signatures[signature](**arrays)
    write(outputs, {name: np.ascontiguousarray(tensor.numpy(), np.float32) for name, tensor in results.items()})


if __name__ == "__main__":
    for i in range(1, len(sys.argv), 4):
        run(*sys.argv[i : i + 4])
