#!/bin/sh
# The whole way on synthetic data: raw annotations -> store -> trained model -> figures.
# Usage: sh docs/demo.sh [folder of the commands]; writes to ./demo
set -eu
PATH="${1:-.venv/bin}:$PATH"
export POSEDATA_HOME=demo
rm -rf demo

say() { printf '\n$ %s\n' "$*"; "$@"; }

say posedata sample brace --sequences 16 --frames 60
say posedata build --dataset brace --k 2 --sigma-set random
say posedata verify demo/stores/brace-k2-random.zarr
say posetrain run --epochs 3
say posetrain eval identity
say posetrain eval conv3d-brace-k2-random
