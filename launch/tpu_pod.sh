#!/usr/bin/env bash
# Runs symmflow_jax.main on a TPU slice or pod of Google Cloud; --help explains.
set -euo pipefail

folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PYTHONPATH=$folder exec python3 -m tpu_pod "$@"
