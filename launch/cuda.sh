#!/usr/bin/env bash
set -euo pipefail

usage() {
  cat <<'TEXT'
Installs the project and runs symmflow_jax.main on one host with all its NVIDIA GPUs.

Usage: launch/cuda.sh --config=CONFIG [--dry-run] [ARGUMENT...]

  --config=CONFIG  config file, such as configs/mnist.py
  --dry-run        print the commands, one per line, and do not run them
  --help           print this text
  ARGUMENT         any other argument is passed on to symmflow_jax.main, for instance
                   --workdir=runs/mnist --config.train.batch_size=64

The commands run in the root of the checkout; paths are relative to it.
TEXT
}

fail() {
  echo "$(basename "$0"): $1 (--help explains)" >&2
  exit 2
}

# Quotes only what a shell would take apart.
quote() {
  if [[ $1 =~ ^[A-Za-z0-9_./=:,@%+-]+$ ]]; then printf '%s' "$1"; else printf '%s' "${1@Q}"; fi
}

run() {
  if [[ $dry_run == true ]]; then
    local words=()
    for word in "$@"; do words+=("$(quote "$word")"); done
    echo "${words[*]}"
  else
    "$@"
  fi
}

config=''
dry_run=false
arguments=()
while (($#)); do
  case $1 in
    --config=*) config=${1#*=} ;;
    --config)
      (($# > 1)) || fail "--config needs a value"
      config=$2
      shift
      ;;
    --dry-run) dry_run=true ;;
    --help | -h)
      usage
      exit
      ;;
    *) arguments+=("$1") ;;
  esac
  shift
done
[[ -n $config ]] || fail "--config is missing; give a config file, such as --config=configs/mnist.py"

run cd "$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
run python -m pip install -e '.[cuda]'
run python -m symmflow_jax.main "--config=$config" ${arguments[@]+"${arguments[@]}"}
