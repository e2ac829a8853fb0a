"""What `test_parallel.py` starts twice: `two_processes.py ADDRESS INDEX FOLDER`.

A training in parts over two processes of two devices each; prints what came out as JSON.
"""

import json
import pathlib
import runpy
import sys

import jax
import numpy as np

address, index, folder = sys.argv[1:]
jax.config.update("jax_num_cpu_devices", 2)
jax.distributed.initialize(address, num_processes=2, process_id=int(index))

# What follows asks JAX for its devices.
from eight_devices import POINTS, Training, _restore, _save  # noqa: E402

from symmflow_jax.config import conversion  # noqa: E402
from symmflow_jax.config.build.experiment import Experiment  # noqa: E402

values = runpy.run_path(str(pathlib.Path(__file__).parents[2] / "configs" / "tiny.py"))[
    "get_config"
]()
values.update_from_flattened_dict(POINTS)
run = Training(Experiment(conversion.from_config_dict(values)), "fsdp")

_save(run, run.parallelism.fetch(run.state), pathlib.Path(folder))
restored = _restore(run, run.parallelism, pathlib.Path(folder))
pairs = zip(jax.tree.leaves(restored), jax.tree.leaves(run.state), strict=True)
params = run.parallelism.for_inference(run.parallelism.fetch(run.state.ema_params))
result = {
    "losses": run.losses.tolist(),
    "restored": all(np.array_equal(a.addressable_data(0), b.addressable_data(0)) for a, b in pairs),
    "own devices": all(leaf.is_fully_addressable for leaf in jax.tree.leaves(params)),
    "ema_params": [float(np.linalg.norm(leaf)) for leaf in jax.tree.leaves(params)],
}
sys.stdout.write(json.dumps(result) + "\n")
