"""OpenVINO's process of run.mjs. Arguments: kind (detector or masker), threads, folder, precision, variant of the export."""
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent.parent)]
from side import refuse, serve

import openvino
from onnx_inputs import passes

# Both are asked for by name: left alone, OpenVINO computes in bfloat16 wherever the processor has it.
PRECISIONS = {"float32": openvino.Type.f32, "bfloat16": openvino.Type.bf16}

kind, threads, folder, precision, variant = sys.argv[1:6]
core = openvino.Core()
settings = {
    "INFERENCE_PRECISION_HINT": PRECISIONS[precision],
    "INFERENCE_NUM_THREADS": int(threads),
    "PERFORMANCE_HINT": "LATENCY",
}


def open_model(file):
    compiled = core.compile_model(str(file), "CPU", settings)
    used = compiled.get_property("INFERENCE_PRECISION_HINT")
    if used != PRECISIONS[precision]:
        raise RuntimeError(f"asked for {precision}, it computes in {used.get_type_name()} on this processor")
    request = compiled.create_infer_request()
    names = [output.get_any_name() for output in compiled.outputs]

    def run(inputs):
        results = request.infer(inputs)
        return {name: results[name] for name in names}

    return run


try:
    run = passes(kind, folder, variant, open_model)
except Exception as error:
    refuse(error)
serve(openvino.__version__.split("-")[0], precision, run)
