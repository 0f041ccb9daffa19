"""ONNX Runtime's process of run.mjs. Arguments: kind (detector or masker), threads, folder, precision, variant of the export."""
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent.parent)]
from side import refuse, serve

import onnxruntime
from onnx_inputs import passes

kind, threads, folder, _, variant = sys.argv[1:6]
settings = onnxruntime.SessionOptions()
settings.intra_op_num_threads = int(threads)
settings.inter_op_num_threads = 1


def open_model(file):
    session = onnxruntime.InferenceSession(str(file), settings, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, inputs)))


try:
    run = passes(kind, folder, variant, open_model)
except Exception as error:
    refuse(error)
serve(onnxruntime.__version__, "float32", run)
