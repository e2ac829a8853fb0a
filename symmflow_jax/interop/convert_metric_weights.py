"""Converts the published weights of the networks of metrics to small `.safetensors` files.

    python -m symmflow_jax.interop.convert_metric_weights --network=inception \
        --input=pt_inception-2015-12-05-6726825d.pth --output=inception.safetensors

    python -m symmflow_jax.interop.convert_metric_weights --network=lpips \
        --input=alexnet-owt-7be5be79.pth,alex.pth --output=lpips.safetensors

The first file comes from the release "fid_weights" of pytorch-fid. The others are the AlexNet of
torchvision and `weights/v0.1/alex.pth` of the lpips package. Arrays keep their names; arrays that
the metrics do not need, such as classifiers, are removed.
"""

import logging
import pathlib
import sys
from collections.abc import Sequence

import numpy as np
import safetensors.numpy
from absl import app, flags, logging as absl_logging

from symmflow_jax.interop.files import read_state_dict
from symmflow_jax.interop.names import inception, lpips
from symmflow_jax.interop.torch_files import of_file
from symmflow_jax.runtime import outputs, paths
from symmflow_jax.runtime.storage import place
from symmflow_jax.runtime.storage.faults import StorageError

_logger = logging.getLogger("symmflow_jax.interop.convert_metric_weights")


NETWORKS = {"inception": inception, "lpips": lpips}
"""The values of `--network`."""


def convert(
    network: str,
    inputs: Sequence[str | pathlib.Path],
    output: str | pathlib.Path,
    weights_key: str = "",
    *,
    overwrite: bool = False,
) -> None:
    """Checks that weights belong to a network, and writes them.

    Args:
        network: a name of `NETWORKS`.
        inputs: files of PyTorch or safetensors that together hold the weights, or addresses of
            such files on the hub.
        output: file to write, `.safetensors`.
        weights_key: key of the state dict in the files; "" looks for it.
        overwrite: whether to replace a file that exists; inputs are always kept.

    Raises:
        ValueError: if there are no inputs, a file cannot be read, the weights do not belong to
            the network, or the name of the output has another suffix.
        OutputError: if the output exists or cannot be written.
    """
    output = place.as_path(output)
    if output.suffix != ".safetensors":
        raise ValueError(f"--output is {str(output)!r}; give a name that ends in .safetensors.")
    if not inputs:
        raise ValueError("Give --input, the files of the published weights.")
    outputs.check_outputs([output], map(place.as_path, inputs), overwrite=overwrite)
    state_dict: dict[str, np.ndarray] = {}
    for path in inputs:
        state_dict |= read_state_dict(path, weights_key)
    names = NETWORKS[network]
    with of_file(", ".join(map(str, inputs))):
        names.check(state_dict)
    state_dict = names.needed(state_dict)
    arrays = {name: np.ascontiguousarray(array) for name, array in state_dict.items()}
    with outputs.writing(output) as file:
        file.write(safetensors.numpy.save(arrays))
    _logger.info("wrote %d arrays to %s", len(arrays), output)


if __name__ == "__main__":
    network_flag = flags.DEFINE_enum(
        "network", "inception", list(NETWORKS), "What the weights are of."
    )
    input_flag = flags.DEFINE_list("input", [], "Files of the published weights.")
    key_flag = flags.DEFINE_string(
        "weights_key", "", "Key of the state dict in the files, such as a/b, if they hold several."
    )
    output_flag = flags.DEFINE_string("output", "", "File to write, .safetensors.")
    overwrite_flag = flags.DEFINE_bool("overwrite", False, "Replace a file that exists.")

    def main(argv: list[str]) -> None:
        """Converts the weights; invalid input ends with an error of one line."""
        del argv
        logging.basicConfig(format="%(message)s", force=True)
        _logger.setLevel(logging.INFO)
        # Hides progress messages of the libraries.
        absl_logging.set_verbosity(absl_logging.ERROR)
        try:
            convert(
                network_flag.value,
                [paths.expand(path, "--input") for path in input_flag.value],
                paths.expand(output_flag.value, "--output"),
                key_flag.value,
                overwrite=overwrite_flag.value,
            )
        except (ValueError, StorageError) as error:
            sys.exit(f"Error: {error}")

    app.run(main)
