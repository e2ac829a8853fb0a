"""Packing of a data set into few large files (`--mode=pack`)."""

import logging
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.fingerprint import files_of
from symmflow_jax.data.packed import folder, index as descriptions
from symmflow_jax.data.packed.index import DataSet, Plan, Split
from symmflow_jax.data.packed.layout import INSTEAD, Place, write_json
from symmflow_jax.data.packed.packed import Packed
from symmflow_jax.data.packed.shard_writer import ShardWriter
from symmflow_jax.data.packed.stored import stored_example
from symmflow_jax.data.source import DataError, Source, classes_found
from symmflow_jax.preparation.packing_processes import write_shards
from symmflow_jax.runtime import outputs, processes
from symmflow_jax.runtime.errors import shown

_logger = logging.getLogger(__name__)

# Keys that choose a split, which has its own name and examples, and those of how files are read.
_OF_SPLIT = {f"data.{key}" for key in ("train_split", "eval_split", "train_size", "eval_size")}
_OF_READING = {"data.max_megapixels", "data.exif"}


def pack(
    experiment: Experiment,
    output: pathlib.Path,
    examples_per_shard: int,
    *,
    overwrite: bool = False,
) -> None:
    """Packs both splits of the config, so that `config.data.source="packed"` reads them.

    Image files keep their bytes, masks become PNGs of ids, labels numbers. Every example is read
    once before it is packed. A second call goes on after the last complete shard. A split that is
    complete is left as it is. A further split is added by another call with its name.

    Args:
        experiment: the run that reads the loose data. It packs in `config.data.num_workers`
            processes; unreadable examples are left out if the config skips them.
        output: folder of the packed data set.
        examples_per_shard: number of examples in each file but the last one.
        overwrite: whether to replace what was packed there before.

    Raises:
        DataError: if the data is missing or cannot be read.
        OutputError: if the folder holds other things, or cannot be written.
        ValueError: if both splits have one name, or if there are several processes.
    """
    processes.check_single_process("--mode=pack")
    experiment = experiment.changed({"data.latents": ""})
    _refuse_parts(experiment)
    sources = _sources(experiment)
    dataset = _dataset(experiment)
    plans = {split: _plan(split, made_of, examples_per_shard) for split, (_, made_of)
             in sources.items()}  # fmt: skip
    place = Place(output)
    _check_not_input(output, [source for source, _ in sources.values()])
    with folder.locked(place):
        folder.check(place, dataset, list(plans.values()), overwrite=overwrite)
        for split, (source, made_of) in sources.items():
            if not folder.start(place, dataset, plans[split], overwrite=overwrite):
                Packed(output, split)  # Says if a shard is missing or too short.
                _logger.info("%s is complete already.", shown(place.split(split).folder))
                continue
            writer = ShardWriter(
                source,
                made_of["folder"],
                dataset,
                plans[split],
                place.split(split),
                experiment.skips_errors,
            )
            _pack_split(writer, experiment.data.num_workers)


def _pack_split(writer: ShardWriter, num_workers: int) -> None:
    """Writes the shards of a split that are not complete, and then its index."""
    entries = write_shards(writer, num_workers)
    split = Split.of_entries(writer.plan, entries)
    if not split.num_examples:
        raise DataError(
            f"None of the {split.num_skipped} examples of the split {writer.plan.split!r} can be "
            "read; --mode=check_data tells why."
        )
    write_json(writer.where.index, split.to_json())
    writer.where.finish()
    skipped = f"; {split.num_skipped} could not be read" if split.num_skipped else ""
    _logger.info(
        "%s: %d examples in %d shards, %.1f MB%s.",
        shown(writer.where.folder),
        split.num_examples,
        len(split.shards),
        sum(shard.num_bytes for shard in split.shards) / 1e6,
        skipped,
    )


def _refuse_parts(experiment: Experiment) -> None:
    """Raises a ValueError for examples that packed data cannot hold."""
    if experiment.learns_unlabelled:
        raise ValueError(
            "config.data.unlabelled is 'learn', but packed examples are complete; pack with "
            "--config.data.unlabelled=refuse, and name the folder of the images without masks in "
            "config.data.unlabelled_images when you train."
        )


def _sources(experiment: Experiment) -> dict[str, tuple[Source, dict[str, Any]]]:
    """The splits by name: each one's examples, and what they are made of."""
    data = experiment.data
    training = experiment.training_source, experiment.training_provenance()
    evaluation = experiment.evaluation_source, experiment.evaluation_provenance()
    if data.train_split != data.eval_split:
        return {data.train_split: training, data.eval_split: evaluation}
    if training[1]["digest"] != evaluation[1]["digest"]:
        raise ValueError(
            f"config.data.train_split and eval_split are both {data.train_split!r}, but of other "
            "examples; give each a name of its own."
        )
    return {data.train_split: training}


def _plan(split: str, made_of: Mapping[str, Any], examples_per_shard: int) -> Plan:
    keys = {key: value for key, value in made_of["keys"].items() if key not in _OF_SPLIT}
    kept = {key: value for key, value in made_of.items() if key != "folder"}
    return Plan(split, kept | {"keys": keys}, examples_per_shard)


def _dataset(experiment: Experiment) -> DataSet:
    source = experiment.training_source
    keys = experiment.training_provenance()["keys"]
    left_out = _OF_SPLIT | _OF_READING
    return DataSet(
        name=experiment.dataset,
        images=_images(source, skips_errors=experiment.skips_errors),
        counted=classes_found(source) is not None and not experiment.data.class_names,
        keys={key: value for key, value in keys.items() if key not in left_out},
        schemas=source.schemas | {experiment.kind.value: experiment.source_schema},
    )


def _images(source: Source, *, skips_errors: bool) -> str:
    """How the images of a source are kept, by its first example that can be read."""
    for number in range(len(source)):
        try:
            image = stored_example(source, number).image
        except DataError:
            if not skips_errors:
                raise
            continue
        if isinstance(image, bytes):
            return descriptions.FILES
        return descriptions.POINTS if np.ndim(image) == 1 else descriptions.PIXELS
    raise DataError(f"None of the {len(source)} examples can be read; --mode=check_data tells why.")


def _check_not_input(output: pathlib.Path, sources: list[Source]) -> None:
    """Raises OutputError if files of the data lie in the folder to write to."""
    inside = os.path.realpath(output) + os.sep
    for source in sources:
        for file in files_of(source):
            if os.path.realpath(file).startswith(inside):
                raise outputs.OutputError(
                    f"{shown(output)} holds the data to pack, such as {shown(file)}, and inputs "
                    f"are never overwritten. Give {INSTEAD}."
                )
