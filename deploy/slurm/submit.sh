#!/usr/bin/env bash
# Submits infer as an array job, and the merge of its shards after it:
#
#   deploy/slurm/submit.sh 16 /data/out --image /data/scans --prompt "thyroid nodule"
#
# Options of sbatch are taken from the environment, as SBATCH_PARTITION and SBATCH_ACCOUNT. AT_ONCE limits the tasks that run at
# the same time. Prints the numbers of both jobs.
set -euo pipefail

if (($# < 3)) || ! [[ $1 =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: $0 SHARDS OUT options of infer …" >&2
  exit 2
fi
export SHARDS=$1 out=$2
shift 2
here=$(dirname "$0")
shards=$(sbatch --parsable --array="0-$((SHARDS - 1))${AT_ONCE:+%$AT_ONCE}" "$here/shards.sbatch" infer "$@" --out "$out")
merge=$(sbatch --parsable --dependency="afterany:${shards%%;*}" "$here/merge.sbatch" "$out")
echo "array job ${shards%%;*}, merge ${merge%%;*}"
