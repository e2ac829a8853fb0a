"""The counts of classes that a run keeps, so that it counts its training examples only once."""

import pathlib

import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.runtime import files, outputs
from symmflow_jax.runtime.storage import downloads

CLASS_COUNTS = "class_counts.npz"
"""File of a run with the pixels of each class in each training example."""


def with_kept(experiment: Experiment, workdir: pathlib.Path) -> Experiment:
    """The experiment with the counts in a run's folder, if they are of its training examples.

    Args:
        experiment: the run.
        workdir: its folder, which need not exist.
    """
    path = workdir / CLASS_COUNTS
    if not path.is_file():
        return experiment
    try:
        with np.load(downloads.fetched(path), allow_pickle=False) as arrays:
            made_of, table = str(arrays["made_of"]), arrays["table"]
    except Exception:  # A damaged archive may raise any error; counting again costs only time.
        return experiment
    shape = (len(experiment.training_source), experiment.schema.num_classes)
    is_same = made_of == _made_of(experiment) and table.shape == shape
    return experiment.with_class_table(table.astype(np.int64)) if is_same else experiment


def keep(experiment: Experiment, workdir: pathlib.Path) -> None:
    """Writes the counts of an experiment's training examples to the folder of its run.

    Raises:
        DataError: if an example cannot be read, unless they are skipped.
        OutputError: if the file system refuses.
    """
    outputs.write_arrays(
        workdir / CLASS_COUNTS,
        made_of=np.asarray(_made_of(experiment)),
        table=experiment.class_table,
    )


def _made_of(experiment: Experiment) -> str:
    """What the training examples are, as text: their keys, and the digest of their files."""
    told = experiment.training_provenance()
    return files.as_json({"keys": told["keys"], "digest": told["digest"]})
