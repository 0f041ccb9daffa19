"""What the Python processes of run.mjs share: the line protocol, and the ways in which PyTorch runs a model.

A process states in its first line what it is, then answers each line with one of JSON:

- `QUESTION`: runs one pass; its seconds, processor seconds and largest memory;
- `save QUESTION FILE`: runs one pass and writes its outputs to FILE (safetensors, float32), for comparison;
- `{"refused": REASON}` answers a pass that failed, and is the first line of a process that cannot run its model.
"""
import json
import os
import resource
import sys
import time

# The protocol has a descriptor of its own: whatever libraries print goes to stderr.
_lines = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

# How PyTorch runs a model: "compile" by torch.compile, "bfloat16" under autocast.
VARIANTS = ("eager", "bfloat16", "compile", "compile-bfloat16")


def answer(value):
    print(json.dumps(value), file=_lines, flush=True)


def reason(error):
    """The text of an error, short enough for a table, without the lines that only name places in a runtime's own sources."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if line and not line.startswith("Exception from ")]
    text = f"{type(error).__name__}: {' '.join(said or lines)}"
    return text if len(text) <= 300 else text[:297] + "..."


def refuse(error):
    answer({"refused": reason(error)})
    sys.exit(0)


def serve(version, precision, run):
    """Answers lines until there are none. `run(question)` returns the outputs of one pass by name, as NumPy arrays."""
    answer({"version": version, "precision": precision})
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "save":
                from safetensors.numpy import save_file

                save_file({name: array.astype("float32") for name, array in run(words[1]).items()}, words[2])
                answer({"saved": words[2]})
                continue
            begin, used = time.perf_counter(), time.process_time()
            run(line.strip())
            seconds, cpu = time.perf_counter() - begin, time.process_time() - used
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
            answer({"seconds": seconds, "cpuSeconds": cpu, "peakMb": peak})
        except Exception as error:
            answer({"refused": reason(error)})


def prepare_torch(threads):
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    torch.set_num_threads(threads)
    torch.manual_seed(0)


def serve_torch(variant, run, compiled=(), training=False):
    """As `serve`, for `run` that returns tensors. The modules in `compiled` are compiled if the variant says so."""
    import torch

    if variant not in VARIANTS:
        refuse(ValueError(f"no variant is called {variant}; there are {', '.join(VARIANTS)}"))
    if variant.startswith("compile"):
        for module in compiled:
            module.compile()
    half = variant.endswith("bfloat16")

    def pass_of(question):
        with torch.inference_mode(not training), torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            outputs = run(question)
        return {name: tensor.detach().float().contiguous().numpy() for name, tensor in outputs.items()}

    serve(f"{torch.__version__}", "bfloat16" if half else "float32", pass_of)
