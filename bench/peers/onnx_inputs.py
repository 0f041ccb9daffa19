"""Passes of an exported model, for any runtime that runs an ONNX file by names of inputs."""
import pathlib

import numpy as np
from safetensors.numpy import load_file


def passes(kind, folder, variant, open_model):
    """The function that runs a question. `open_model(file)` returns a function from inputs to outputs, both by name."""
    folder = pathlib.Path(folder)
    inputs = load_file(folder / "inputs.safetensors")
    onnx = folder / "onnx"
    if kind == "detector":
        detector = open_model(onnx / ("model_gather.onnx" if variant == "gather" else "model.onnx"))
        inputs["pixel_mask"] = np.ones((1, *inputs["pixel_values"].shape[2:]), dtype=np.int64)
        return lambda _: detector(inputs)
    encoder, decoder = open_model(onnx / "vision_encoder.onnx"), open_model(onnx / "prompt_encoder_mask_decoder.onnx")
    embeddings = {}

    def run(question):
        if question == "encode":
            embeddings.update(encoder({"pixel_values": inputs["pixel_values"]}))
            return embeddings
        boxes = np.ascontiguousarray(inputs["input_boxes"][:, : int(question)])
        return decoder({"input_boxes": boxes, **embeddings})

    return run
