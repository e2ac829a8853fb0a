#!/usr/bin/env bash
set -euo pipefail

usage() {
  cat <<'TEXT'
Installs the project and runs symmflow_jax.main on every host of a TPU VM, with gcloud. The TPU VM
is a single board or a whole pod slice.

Usage: launch/tpu_pod.sh --name=NAME --zone=ZONE --config=CONFIG [OPTION...] [ARGUMENT...]

  --name=NAME       name of the TPU VM
  --zone=ZONE       its zone, such as us-central2-b
  --config=CONFIG   config file in the checkout, such as configs/coco.py
  --project=PROJECT Google Cloud project; default: the setting of gcloud
  --accelerator-type=TYPE
                    first create the TPU VM with this type, such as v4-32
  --version=VERSION software of the created TPU VM; default: tpu-ubuntu2204-base
  --python=PROGRAM  Python of the hosts, 3.11 or newer; default: python3
  --dry-run         print the commands, one per line, and do not run them
  --help            print this text
  ARGUMENT          any other argument is passed on to symmflow_jax.main, for instance
                    --workdir=gs://BUCKET/coco --config.train.batch_size=128

The code is copied to ~/symmflow_jax on every host. Other files there are kept. All hosts must see
the same working directory, so --workdir should be in a bucket.
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

quote_all() {
  local words=()
  for word in "$@"; do words+=("$(quote "$word")"); done
  echo "${words[*]}"
}

run() {
  if [[ $dry_run == true ]]; then quote_all "$@"; else "$@"; fi
}

name='' zone='' config='' project='' accelerator_type='' version='' python=python3
dry_run=false
arguments=()
while (($#)); do
  case $1 in
    --name=* | --zone=* | --config=* | --project=* | --accelerator-type=* | --version=* | \
    --python=*)
      option=${1%%=*} value=${1#*=}
      ;;
    --name | --zone | --config | --project | --accelerator-type | --version | --python)
      (($# > 1)) || fail "$1 needs a value"
      option=$1 value=$2
      shift
      ;;
    --dry-run) option='' dry_run=true ;;
    --help | -h)
      usage
      exit
      ;;
    *) option='' arguments+=("$1") ;;
  esac
  shift
  case $option in
    --name) name=$value ;;
    --zone) zone=$value ;;
    --config) config=$value ;;
    --project) project=$value ;;
    --accelerator-type) accelerator_type=$value ;;
    --version) version=$value ;;
    --python) python=$value ;;
  esac
done

missing=()
[[ -n $name ]] || missing+=(--name)
[[ -n $zone ]] || missing+=(--zone)
[[ -n $config ]] || missing+=(--config)
((${#missing[@]} == 0)) || fail "missing: ${missing[*]}"
[[ -z $version || -n $accelerator_type ]] ||
  fail "--version is for a TPU VM to be created; give --accelerator-type too"

tpu_vm=(gcloud compute tpus tpu-vm)
where=("--zone=$zone")
[[ -z $project ]] || where+=("--project=$project")
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [[ -n $accelerator_type ]]; then
  run "${tpu_vm[@]}" create "$name" "${where[@]}" "--accelerator-type=$accelerator_type" \
    "--version=${version:-tpu-ubuntu2204-base}"
fi

# Only what the run needs: local results under runs/ would be taken for the pod's own.
run "${tpu_vm[@]}" ssh "$name" "${where[@]}" --worker=all "--command=mkdir -p symmflow_jax"
run "${tpu_vm[@]}" scp --recurse "$root/symmflow_jax" "$root/configs" "$root/setup.cfg" \
  "$root/pyproject.toml" "$root/README.md" "$root/LICENSE" "$name:symmflow_jax" \
  "${where[@]}" --worker=all

install=$(quote_all "$python" -m pip install -e '.[tpu]')
start=$(quote_all "$python" -m symmflow_jax.main "--config=$config" \
  ${arguments[@]+"${arguments[@]}"})
run "${tpu_vm[@]}" ssh "$name" "${where[@]}" --worker=all \
  "--command=cd symmflow_jax && $install && $start"
