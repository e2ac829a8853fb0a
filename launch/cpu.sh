#!/usr/bin/env bash
set -euo pipefail

usage() {
  cat <<'TEXT'
Runs symmflow_jax.main on a CPU and keeps memory between steps, in large pages. A train step then
spends no time on memory allocation. Needs Linux with glibc 2.35 or later.

Usage: launch/cpu.sh [--dry-run] ARGUMENT...

  --dry-run  print the command and do not run it
  --help     print this text
  ARGUMENT   is passed on to symmflow_jax.main, for instance --config=configs/shapes.py

The command runs in the root of the checkout; paths are relative to it.
TEXT
}

tunables=(
  glibc.malloc.hugetlb=1
  glibc.malloc.mmap_max=0
  glibc.malloc.top_pad=1000000000
  glibc.malloc.trim_threshold=100000000000
)

dry_run=false
arguments=()
for argument in "$@"; do
  case $argument in
    --dry-run) dry_run=true ;;
    --help | -h)
      usage
      exit
      ;;
    *) arguments+=("$argument") ;;
  esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.."
command=(
  env "GLIBC_TUNABLES=$(IFS=:; echo "${tunables[*]}")" JAX_PLATFORMS=cpu
  python -m symmflow_jax.main ${arguments[@]+"${arguments[@]}"}
)
if [[ $dry_run == true ]]; then
  echo "${command[*]@Q}"
else
  exec "${command[@]}"
fi
