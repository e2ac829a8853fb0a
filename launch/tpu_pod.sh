#!/usr/bin/env bash
# Runs symmflow_jax.main on a TPU slice or pod of Google Cloud; --help explains.
set -euo pipefail

if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
  echo "tpu_pod.sh: python3 is missing or older than 3.10" >&2
  exit 2
fi
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Not by PYTHONPATH, which gcloud, a Python program too, would inherit.
exec python3 -c '
import sys
sys.path.insert(0, sys.argv.pop(1))
from tpu_pod.main import main
sys.exit(main(sys.argv[1:]))
' "$folder" "$@"
