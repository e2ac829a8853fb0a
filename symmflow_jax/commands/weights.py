"""Weights in and out: PyTorch files, and programs that run without this package."""

import pathlib
import sys
from typing import TYPE_CHECKING

from absl import flags

from symmflow_jax.commands.flags import integration, paths, usage
from symmflow_jax.commands.mode import FILES, INTEGRATION, MODEL_KEYS, RUN, Mode
from symmflow_jax.config import command_line
from symmflow_jax.config.command_line import path_flag
from symmflow_jax.config.reading import overrides
from symmflow_jax.config.reading.range_flags import define_number
from symmflow_jax.config.schema.ranges import at_least

if TYPE_CHECKING:
    from symmflow_jax.config.build.experiment import Experiment

_PROMPT_EMBEDDING = flags.DEFINE_string(
    "prompt_embedding",
    None,
    "File of the empty prompt's embedding, or zeros (import of a latent U-Net).",
)
_WEIGHTS_KEY = flags.DEFINE_string(
    "weights_key",
    "",
    "Key of the weights in a training checkpoint, such as ema or state_dict/ema_model (import); "
    "looked for by default, averaged weights first.",
)
_WEIGHTS_PREFIX = flags.DEFINE_string(
    "weights_prefix",
    "",
    "Module before every name of exported weights, such as unet for the published SymmFMSD; import "
    "finds it itself.",
)
_NEW_ATTENTION_ORDER = flags.DEFINE_bool(
    "use_new_attention_order",
    False,
    "Weights of a pixel U-Net that has this setting in PyTorch (import, export); no file tells it.",
)
_NUM_CHECKED = define_number(
    "num_checked",
    None,
    "Examples of the data on which import checks the loss of the weights: 64, or 8 for a latent "
    "U-Net, if it is not given; 0 for no check.",
    int,
    at_least(0),
)
_FORMAT = flags.DEFINE_enum(
    "format",
    "safetensors",
    ["safetensors", "stablehlo", "onnx"],
    "What to export: weights with PyTorch's names, or programs that run without this package "
    "(docs/export.md).",
)
_FUNCTIONS = flags.DEFINE_list(
    "functions",
    None,
    "Functions to export as StableHLO, of generate, segment and classify; all that the model has, "
    "if they are not given.",
)
_PLATFORMS = flags.DEFINE_list(
    "platforms", ["cpu", "cuda", "tpu"], "Platforms of JAX for which StableHLO is exported."
)


def _import(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.preparation.import_weights import import_weights

    if not paths.INPUT.value:
        sys.exit("Error: --mode=import needs --input, a file, folder or hf: address of weights.")
    import_weights(
        experiment,
        path_flag(paths.INPUT) or "",
        workdir,
        path_flag(_PROMPT_EMBEDDING),
        _WEIGHTS_KEY.value,
        new_attention_order=_NEW_ATTENTION_ORDER.value,
        num_checked=_NUM_CHECKED.value,
    )


def _export(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.inference.export.exporters import EXPORTERS, export
    from symmflow_jax.inference.export.programs import ProgramForm
    from symmflow_jax.interop.names.torch_form import TorchForm

    name = _FORMAT.value
    users = {other: exporter.flags for other, exporter in EXPORTERS.items()}
    usage.refuse_flags_of_others("format", name, users)
    usage.name_unused_keys(overrides.unused(command_line.given_keys(), EXPORTERS[name].keys))
    ending = EXPORTERS[name].ending
    form: TorchForm | ProgramForm
    if ending:
        form = TorchForm.of_flags(_WEIGHTS_PREFIX.value, _NEW_ATTENTION_ORDER.value)
    else:
        num_steps = integration.num_steps(experiment, 25)
        form = ProgramForm(
            functions=tuple(_FUNCTIONS.value or ()),
            solver=integration.SOLVER.value,
            num_steps=integration.NUM_STEPS.value,
            tolerance=integration.tolerance(experiment),
            ensemble_size=integration.NUM_DRAWS.value,
            guidance=experiment.guidance(num_steps),
            platforms=tuple(_PLATFORMS.value),
            seed=integration.SEED.value,
        )
    output = paths.output(workdir / (f"weights{ending}" if ending else name))
    checkpoint = experiment.eval.checkpoint
    export(workdir, output, checkpoint, form, format_name=name, overwrite=paths.OVERWRITE.value)


IMPORT = Mode(
    _import,
    "makes a run from PyTorch weights",
    ("input", "prompt_embedding", "weights_key", "use_new_attention_order", "num_checked"),
    (*RUN, "plan"),
)
EXPORT = Mode(
    _export,
    "writes weights with PyTorch's names, or programs that run without this package",
    (
        *(*FILES, "format", "weights_prefix", "use_new_attention_order"),
        *("functions", "platforms", *INTEGRATION, "num_draws"),
    ),
    (*MODEL_KEYS, "guidance"),
)
