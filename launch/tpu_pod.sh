#!/usr/bin/env bash
# Runs symmflow_jax.main on a TPU slice or pod of Google Cloud; --help explains.
set -euo pipefail

if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
  echo "tpu_pod.sh: python3 is missing or older than 3.10" >&2
  exit 2
fi
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PYTHONPATH=$folder exec python3 -m tpu_pod "$@"
