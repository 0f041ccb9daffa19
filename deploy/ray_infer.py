"""Runs infer as tasks of Ray, one for each shard, and merges their results.

    python deploy/ray_infer.py --shards 16 --out /data/out -- --image /data/scans --prompt "thyroid nodule"

Options of infer follow `--`. All nodes must see sonoground, with `npm run setup` done, the images and the output folder under the
same paths. Run the same command again after a failure: finished images are skipped. On a running cluster set RAY_ADDRESS=auto,
otherwise Ray starts on this machine.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

# Nothing is reported to anybody.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
import ray  # noqa: E402

PROGRAM = Path(__file__).resolve().parent.parent / "scripts" / "run.mjs"
LAST_LINES = 20


def sonoground() -> list[str]:
    """The command, such as SONOGROUND="apptainer run sonoground.sif"; by default that of this folder."""
    return shlex.split(os.environ.get("SONOGROUND", "")) or ["node", str(PROGRAM)]


class Killed(Exception):
    """A process was ended from outside, as by the kernel when memory runs out: another try may succeed."""


@ray.remote(retry_exceptions=[Killed])
def infer(command: list[str], shard: str, folder: str) -> int:
    """Runs one shard in `folder`; returns the exit code. Ray repeats it if its node, its worker or its process dies."""
    # Ended by the kernel with its worker; otherwise the next try would find the shard in use.
    bound = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    process = subprocess.Popen(
        [*bound, *command, "--shard", shard],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    lines = []
    for line in process.stdout:
        lines = [*lines, line.rstrip()][-LAST_LINES:]
    code = process.wait()
    # What is printed in a task appears where the driver was started.
    print("\n".join([f"shard {shard}: exit code {code}", *lines]), flush=True)
    if code < 0 or code in (137, 143):
        raise Killed(f"shard {shard} was ended by signal {-code if code < 0 else code - 128}")
    return code


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], usage="%(prog)s --shards N --out DIR [options] -- options of infer"
    )
    parser.add_argument("--shards", type=int, required=True, help="number of shards; the same in every repetition")
    parser.add_argument("--out", required=True, help="output folder, which all nodes see")
    parser.add_argument("--cpus", type=float, default=1, help="cores that each shard occupies; default: 1")
    parser.add_argument("--gpus", type=float, default=0, help="GPUs that each shard occupies; default: 0")
    parser.add_argument("--tries", type=int, default=3, help="how often a shard that is killed is tried; default: 3")
    parser.add_argument("infer", nargs="+", metavar="-- options of infer")
    args = parser.parse_args()
    if args.shards < 1 or args.tries < 1:
        parser.error("--shards and --tries are at least 1")

    ray.init()
    command = [*sonoground(), "infer", *args.infer, "--out", args.out]
    task = infer.options(num_cpus=args.cpus, num_gpus=args.gpus, max_retries=args.tries - 1)
    names = {task.remote(command, f"{i}/{args.shards}", os.getcwd()): f"{i}/{args.shards}" for i in range(args.shards)}
    failed = []
    waiting = list(names)
    while waiting:
        (done,), waiting = ray.wait(waiting)
        try:
            code = ray.get(done)
            reason = f"exit code {code}" if code else None
        except (ray.exceptions.RayError, Killed) as error:
            reason = f"{args.tries} tries; the last: {str(error).strip().splitlines()[-1]}"
        if reason:
            failed.append(f"shard {names[done]}: {reason}")
        print(f"{len(names) - len(waiting)} of {len(names)} shards have ended", flush=True)
    for line in failed:
        print(line, file=sys.stderr)

    # An image that cannot be read ends infer with 1, and its shard is merged. A shard without results is refused by the merge.
    shards = sorted(str(path) for path in Path(args.out).glob(f"shards/*-of-{args.shards}"))
    if not shards:
        print(f"there is nothing to merge in {args.out}", file=sys.stderr)
        return 1
    merged = subprocess.run([*sonoground(), "merge", "--from", *shards, "--to", args.out]).returncode
    return merged or int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
