"""The configuration: the meaning, range and default of each key.

Config files edit these values as a `ConfigDict` (see `conversion`). The rest of the project reads
them as the frozen dataclasses below, after `checks` has found them valid. "A name of `TABLE`" means
one of the names that docs/choices.md lists for the key.

The type of a number gives its range, such as `Count` or `Annotated[int, between(0, 9)]`; every
number has one (a test looks). `schema.relations` holds what numbers must be to each other. In a
path, `~` and `$VARIABLES` are expanded. In the place of a file or folder of weights,
`hf:OWNER/NAME/FILE` fetches it from the Hugging Face hub (docs/weights.md).
"""

import dataclasses
from typing import Annotated

from symmflow_jax.config.schema.fields import FilePath, WeightsPath
from symmflow_jax.config.schema.ranges import (
    OVERLAP,
    OneOf,
    Range,
    above,
    at_least,
    between,
    from_to_below,
)

Count = Annotated[int, at_least(1)]
Side = Annotated[int, between(1, 2**15)]
CountOrZero = Annotated[int, at_least(0)]
Positive = Annotated[float, above(0)]
NotNegative = Annotated[float, at_least(0)]
Share = Annotated[float, between(0, 1)]
BelowOne = Annotated[float, from_to_below(0, 1)]
Part = Annotated[float, Range(0, 1, open_low=True, open_high=True)]


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """The data set, and how its examples become arrays of one shape.

    Attributes:
        source: the data source, a name of `SOURCES` (docs/choices.md).
        dir: folder of the data set, or an `.npz` file for "npz"; for "packed" the folder that
            `--mode=pack` wrote; unused by the synthetic sources.
        name: for "tfds" the name of the set, such as "mnist"; for "npz" the name of an archive in
            `dir` without its suffix, such as "pathmnist_64"; unused by the other sources.
        train_split: name of the training split, as the source calls it.
        eval_split: name of the evaluation split, as the source calls it.
        train_size: number of training examples of a synthetic source.
        eval_size: number of evaluation examples of a synthetic source.
        image_size: height and width in pixels to which images are brought by `fit`; empty for
            points.
        image_channels: channels of the images: 1 is grey and 3 is colour.
        point_size: numbers per point if `image_size` is empty.
        resampling: filter that resizes images, a name of `RESAMPLINGS` (docs/choices.md).
        fit: how images of another aspect ratio come to `image_size`, a name of `FITS`
            (docs/choices.md). The run keeps it, and inference uses it too. See docs/any_size.md.
        random_scale: smallest and largest scale, such as (0.75, 1.5), at which training cuts
            windows of `image_size` at random places out of the images' own pixels; 0.5 halves an
            image before it is cut. Masks of images of any size are then read at the geometric mean
            of both. Empty to bring whole images to `image_size`.
        random_crop: in training, crop at a random position instead of the centre if the aspect
            ratio of an image differs from that of `image_size`.
        random_flip: in training, mirror half of the examples left to right.
        random_vertical_flip: in training, mirror half of the examples top to bottom; not together
            with `latents`, which hold no such images.
        dequantize_images: in training, add uniform noise of half an 8-bit level to either side.
        class_names: names of the classes in the order of their ids. Required by "paired_folder";
            elsewhere a list replaces the names that the data set gives. For "idx" and "npz" it may
            name more classes than the training labels have.
        class_ids: id of each class in the mask files ("paired_folder"); empty for 0, 1, 2, ...
        class_colours: colour of each class, such as "#ff0080", if the masks are colour images
            ("paired_folder"); one more colour for "void" if `ignored_id` adds that class.
        ignored_id: id of the pixels that belong to no class, or None ("paired_folder"); see
            `ignored`. An id that is not in `class_ids` adds a class "void" to the data.
        ignored: the meaning of classes that count in no score, those of `ignored_id` and "void" of
            data sets. "unknown": their pixels are left out; they have no loss, no plane or colour,
            and are never predicted (docs/unknown_labels.md). "class": they are a class like the
            others, which is learned and may be predicted, as in the paper.
        unlabelled: training images without a mask or label, and masks without an image. "refuse":
            an error says which. "learn": they are learned from too, an image alone as in generation
            without semantics. "paired_folder" may then have files without a partner, and "npz"
            labels of -1. Needs a network with two clocks.
        unlabelled_images: folder of further images without masks or labels; needs `unlabelled`
            "learn".
        hidden_share: share of the training masks of which random boxes, up to two thirds, are made
            unknown, so that the model also takes masks of which a part is unknown. What is hidden
            is not learned there.
        extra_dir: folder of further training pairs in the layout of `--mode=sample --what=pairs`:
            `train/images` and `train/masks` with the ids of the data, or `samples.npz` with labels;
            "" for none.
        extra_share: share of the training examples that come from `extra_dir`.
        train_images, train_masks, eval_images, eval_masks: folders under `dir` ("paired_folder").
            Sub-folders are read if a folder has no pictures itself.
        max_megapixels: largest image or mask file, in millions of pixels, positive; larger files
            are refused before they are decoded.
        exif: "apply" turns images and masks by their EXIF orientation; "ignore" reads both as raw
            pixels, for masks that were drawn on raw pixels. Packed data keeps the orientations.
        latents: folder of encoded training examples, which `--mode=encode` writes and training
            reads; empty to encode in every step. Cached images are cropped at the centre and not
            dequantized, whatever `random_crop` and `dequantize_images` say. Their mirror images
            are cached too if `random_flip` is set. Masks are encoded in every step in any case.
        on_error: handling of an example that cannot be read, "raise" or "skip". Skipped examples
            are listed in the run's `skipped.jsonl` and report; training takes the next readable
            example instead, and evaluation leaves the example out.
        num_workers: number of processes that read training data; 0 reads in threads. Also the
            number of processes of `--mode=pack`; 0 packs in the main process.
    """

    source: str = "shapes"
    dir: FilePath = ""
    name: str = ""
    train_split: str = "train"
    eval_split: str = "test"
    train_size: Count = 50_000
    eval_size: Count = 500
    image_size: tuple[Side, ...] = (32, 32)
    image_channels: Annotated[int, OneOf((1, 3))] = 3
    point_size: Count = 2
    resampling: str = "bicubic"
    fit: str = "crop"
    random_scale: tuple[Positive, ...] = ()
    random_crop: bool = False
    random_flip: bool = False
    random_vertical_flip: bool = False
    dequantize_images: bool = False
    class_names: tuple[str, ...] = ()
    class_ids: tuple[CountOrZero, ...] = ()
    class_colours: tuple[str, ...] = ()
    ignored_id: CountOrZero | None = None
    ignored: str = "unknown"
    unlabelled: str = "refuse"
    unlabelled_images: FilePath = ""
    hidden_share: Share = 0.0
    extra_dir: FilePath = ""
    extra_share: Part = 0.5
    train_images: FilePath = "train/images"
    train_masks: FilePath = "train/masks"
    eval_images: FilePath = "val/images"
    eval_masks: FilePath = "val/masks"
    max_megapixels: Positive = 179.0
    exif: str = "apply"
    latents: FilePath = ""
    on_error: str = "raise"
    num_workers: CountOrZero = 0


@dataclasses.dataclass(frozen=True)
class SemanticsConfig:
    """The encoding of labels as a continuous signal.

    Attributes:
        encoding: the encoding, a name of `ENCODINGS` (docs/choices.md). It decides whether masks
            or labels are learned.
        kind: "mask" or "label", for an encoding of both and data that has both, or may have; "" for
            the one that the encoding prefers. Packed labels with "onehot" need "label".
        dequantization_beta: strength of the dequantization noise; for "plane" also the distance
            between the values of the first and the last class, which cannot be 0; unused by
            "onehot".
        label_scale: factor of the codes relative to the noise; 1 in the paper. Latents need 1.
    """

    encoding: str = "palette"
    kind: str = ""
    dequantization_beta: NotNegative = 6.0
    label_scale: Positive = 1.0


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """The velocity network.

    Attributes:
        name: the network, a name of `NETWORKS` (docs/choices.md).
        channels: width of the first level of a U-Net, a multiple of `num_groups`; or width of
            every hidden layer of the MLP.
        channel_multipliers: width of each level of a U-Net, in units of `channels`.
        num_res_blocks: residual blocks per level of a U-Net, or hidden layers of the MLP.
        attention_rates: downsampling rates of the levels with attention, such as (2, 4); a U-Net
            has the rates 1, 2, 4, ..., one for each of `channel_multipliers`.
        head_channels: width of one attention head; divides the width of each such level, and of the
            last level, which always has attention.
        num_groups: groups of each group normalization.
        dropout_rate: dropout rate in training.
        remat: recompute activations in the backward pass to save memory.
        cross_attention_width: width of the text embeddings of "latent_unet".
        dtype: dtype of the computation, "float32" or "bfloat16"; parameters stay float32.
    """

    name: str = "unet"
    channels: Count = 32
    channel_multipliers: tuple[Count, ...] = (1, 2, 2, 2)
    num_res_blocks: Count = 2
    attention_rates: tuple[Count, ...] = ()
    head_channels: Count = 64
    num_groups: Count = 32
    dropout_rate: BelowOne = 0.0
    remat: bool = False
    cross_attention_width: Count = 1024
    dtype: str = "float32"


@dataclasses.dataclass(frozen=True)
class AutoencoderConfig:
    """The frozen autoencoder between pixels and the latents of the flow.

    The default sizes are those of Stable Diffusion.

    Attributes:
        weights: file or folder of an `AutoencoderKL` of diffusers; empty for a flow in pixels. A
            run keeps a copy, so the file is needed only once.
        mask_decoder: file that `--mode=finetune_vae` wrote in the folder of another run, or a
            decoder alone as the published `finetune_vae.py` saves it (`vae_decoder_step_N.pt`); it
            then decodes masks. A file in the run's own folder is used without this key.
        channels: width of the first level, a multiple of `num_groups`.
        channel_multipliers: width of each level, in units of `channels`.
        num_res_blocks: residual blocks per level of the encoder.
        latent_channels: channels of the latents.
        num_groups: groups of each group normalization.
        latent_scale: factor that brings latents to unit variance.
        dtype: dtype of the computation, "float32" or "bfloat16".
    """

    weights: WeightsPath = ""
    mask_decoder: WeightsPath = ""
    channels: Count = 128
    channel_multipliers: tuple[Count, ...] = (1, 2, 4, 4)
    num_res_blocks: Count = 2
    latent_channels: Count = 4
    num_groups: Count = 32
    latent_scale: Positive = 0.18215
    dtype: str = "float32"


@dataclasses.dataclass(frozen=True)
class FinetuneConfig:
    """Fine-tuning of the decoder for masks by `--mode=finetune_vae`.

    Attributes:
        batch_size: masks per step over all devices.
        num_steps: number of steps.
        learning_rate: constant learning rate of Adam.
    """

    batch_size: Count = 8
    num_steps: Count = 10_000
    learning_rate: Positive = 1e-5


@dataclasses.dataclass(frozen=True)
class ClockShares:
    """Shares of the training examples by the kind of their times.

    Together they add up to 1.

    Attributes:
        tied: share with one time for both components.
        independent: share with two independent times.
        clean_image: share with a clean image, as in recognition.
        clean_semantics: share with clean semantics, as in generation.
        noise_semantics: share with semantics of pure noise, as in generation without them.
    """

    tied: Share = 0.25
    independent: Share = 0.25
    clean_image: Share = 0.25
    clean_semantics: Share = 0.25
    noise_semantics: Share = 0.0


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Training of the velocity network.

    Attributes:
        batch_size: examples per step over all devices and processes.
        num_microbatches: parts over which the gradient of a step is accumulated; the devices
            times this number must divide `batch_size`.
        num_epochs: passes over the training split; may be a fraction.
        epoch_steps: how many steps an epoch has if the batches do not divide it, a name of
            `EPOCH_STEPS` (docs/choices.md). Batches are full in either case.
        warmup_epochs: passes in which the learning rate rises to its peak; at most
            `num_epochs`.
        peak_learning_rate: highest learning rate of the one-cycle schedule.
        end_learning_rate: learning rate at the start and at the end of the schedule; at most
            `peak_learning_rate`.
        weight_decay: weight decay of AdamW.
        clip_norm: bound of the global norm of the gradient; None for no bound.
        ema_decay: decay of the moving average of the parameters.
        image_weight: weight of the image's loss; that of the semantics' loss is
            `1 - image_weight`.
        cross_entropy_weight: additional factor of the semantics' loss if it is a cross-entropy
            (`semantics.encoding` "onehot").
        class_weights: weights of the classes in this cross-entropy, a name of `CLASS_WEIGHTS`
            (docs/choices.md). Those from counts of the training data's pixels are scaled to a mean
            of 1 over the pixels; a run keeps the counts.
        given_class_weights: the weight of each class, in their order, for `class_weights` "given".
        unlabelled_share: share of the training examples that lack the mask or label, or the image,
            if `data.unlabelled` is "learn" and there are some.
        clock: the times at which the network learns, a name of `CLOCKS` (docs/choices.md). Only a
            network with two clocks can keep one component clean while the other one changes.
        clock_shares: shares of each kind of times for `clock` "mixed"; see `ClockShares`.
        prob_at_one: probability that the semantics are pure noise (t = 1), where recognition
            starts; otherwise their time is uniform. 0 in the paper. With 0.5, class
            labels are learned several times sooner.
        path: probability path of both components, a name of `PATHS` (docs/choices.md).
        sigma_min: standard deviation of the noise that remains at the clean end of the path.
        coupling: pairing of noise with data, a name of `COUPLINGS` (docs/choices.md).
        image_parameterization: quantity that the network predicts for the image, a name of
            `PARAMETERIZATIONS` (docs/choices.md).
        semantics_parameterization: the same for the semantics; "" takes the default of the
            encoding.
        init_from: folder of a run, or of imported weights, whose averaged weights the training
            begins with; "" begins from nothing. New times start at zero. With other classes, the
            part of the first and last layer for the semantics is made anew. See docs/few_steps.md.
        objective: what training minimizes, a name of `OBJECTIVES` (docs/choices.md). A flow map
            needs a network with two clocks.
        map_share: share of the jumps of "flow_map" among the examples whose image moves beside
            clean semantics, or semantics of pure noise; the rest learn velocities. Below 1.
        map_target: folder of a run with two clocks whose frozen velocities "flow_map" learns the
            map of, with less noise; "" learns that of the data, beside its own velocity.
        map_guidance: weight of guidance that "flow_map" bakes in, so that generation needs no
            second pass; 1 for none.
        log_every_steps: steps between two progress lines.
        eval_every_steps: steps between two quick evaluations, each with a sample grid and a
            checkpoint; 0 for none.
        checkpoint_every_steps: steps between two checkpoints.
        keep_checkpoints: number of latest checkpoints to keep besides the best one.
    """

    batch_size: Count = 64
    num_microbatches: Count = 1
    num_epochs: Positive = 1.0
    epoch_steps: str = "exact"
    warmup_epochs: NotNegative = 0.1
    peak_learning_rate: Positive = 5e-4
    end_learning_rate: Positive = 1e-6
    weight_decay: NotNegative = 0.0
    clip_norm: Positive | None = None
    ema_decay: BelowOne = 0.999
    image_weight: Share = 0.9
    cross_entropy_weight: Positive = 1.0
    class_weights: str = "equal"
    given_class_weights: tuple[NotNegative, ...] = ()
    unlabelled_share: Part = 0.5
    clock: str = "tied"
    clock_shares: ClockShares = ClockShares()
    prob_at_one: BelowOne = 0.0
    path: str = "linear"
    sigma_min: BelowOne = 1e-4
    coupling: str = "independent"
    image_parameterization: str = "velocity"
    semantics_parameterization: str = ""
    init_from: FilePath = ""
    objective: str = "flow"
    map_share: Annotated[float, Range(0, 1, open_low=True, open_high=True)] = 0.5
    map_target: FilePath = ""
    map_guidance: Annotated[float, at_least(1)] = 1.0
    log_every_steps: Count = 50
    eval_every_steps: CountOrZero = 500
    checkpoint_every_steps: Count = 500
    keep_checkpoints: Count = 2


@dataclasses.dataclass(frozen=True)
class EvalConfig:
    """Evaluation: the metrics, and how they are measured.

    Attributes:
        protocol: the conventions of the scores, a name of `PROTOCOLS` (docs/choices.md). Each
            score tells its own. docs/published_code.md has the differences.
        batch_size: examples per batch of one process, over its devices.
        num_examples: examples of the final evaluation; 0 takes the whole split.
        num_quick_examples: examples of the quick evaluations during training; 0 takes the whole
            split.
        metrics: the metrics, at least one, names of `METRICS` (docs/choices.md).
        solvers: the solvers of the table, at least one, names of `SOLVERS` (docs/choices.md);
            those of images alone have no rows of recognition.
        num_steps: step counts of the table, at least one; the adaptive solver ignores them.
        generation_solver: solver of the generated images that are read back or shown, a name of
            `SOLVERS` (docs/choices.md).
        generation_steps: its steps.
        num_generated: generated images that are read back and compared with their conditions;
            0 takes the conditions of the whole split.
        ensemble_size: noise draws per image whose predictions are combined by vote; confidences,
            and distances from the codes of labels, are averaged.
        clock: clock of inference: "tied" (both components change, as in the paper), "clean" (the
            given component stays clean; needs a network with two clocks), or "" ("clean" for a
            network with two clocks, "tied" for one clock).
        likelihood_draws: dequantised copies of an example, the mean of whose densities is its
            likelihood; the more, the lower the bits. They share the probes.
        likelihood_examples: examples whose likelihood is measured by the metric "likelihood"; 0 for
            none. docs/likelihood.md has the details.
        likelihood_probes: random probes of the divergence of more than 64 dimensions; up to 64 it
            is exact.
        likelihood_solver: the solver of likelihoods, a name of `SOLVERS` (docs/choices.md).
            "euler" is refused.
        likelihood_steps: its number of steps; the adaptive solver ignores it.
        tolerance: local error tolerance of the adaptive solver.
        num_seeds: number of repetitions with fresh noise, with the seeds `seed`, `seed + 1`, ...;
            means and standard deviations are reported.
        original_size: also compare masks at their own size; masks only. Predictions are enlarged
            to the part of the image that the model saw, unless `fit` is set.
        fit: how whole images are read for `original_size`, a name of `VIEWS` (docs/choices.md),
            such as "tiles"; "" reads the part that `data.fit` keeps. See docs/any_size.md.
        overlap: share of a window of `fit` that the next one covers.
        flips: also read the mirror image of each window, and average.
        scale: pixels of the model for each pixel of an image, for the fits "tiles" and "whole";
            None takes the scale that the run was trained at.
        scales: factors of that scale at which images are read; the answers are averaged.
        num_feature_samples: images generated for each row of the table and compared with real
            ones by `features` or LPIPS; 0 for no comparison, else at least 2. The labels of the
            split are repeated with fresh noise as often as necessary. 50,000 in the paper.
        features: features of the Fréchet and kernel distances, a name of `FEATURES`
            (docs/choices.md); "" for no such distances.
        feature_weights: weights file of the features; required if `features` is not "".
        lpips_weights: weights file of LPIPS, which compares each sample with the real image of
            its label or mask; "" for no LPIPS.
        real_split: split of the real images, "eval" or "train".
        statistics_dir: folder in which the features of real images are cached, under the content
            of their files.
        checkpoint: the checkpoint to evaluate, "latest" or "best".
    """

    protocol: str = "ours"
    batch_size: Count = 100
    num_examples: CountOrZero = 0
    num_quick_examples: CountOrZero = 100
    metrics: tuple[str, ...] = (
        *("recognition", "agreement", "cycle", "sample_quality", "likelihood", "objective"),
    )
    solvers: tuple[str, ...] = ("euler",)
    num_steps: tuple[Count, ...] = (1, 2, 5, 10, 25)
    generation_solver: str = "euler"
    generation_steps: Count = 25
    num_generated: CountOrZero = 100
    ensemble_size: Count = 1
    clock: str = ""
    likelihood_draws: Count = 1
    likelihood_examples: CountOrZero = 0
    likelihood_probes: Count = 1
    likelihood_solver: str = "rk4"
    likelihood_steps: Count = 10
    tolerance: Annotated[float, between(1e-7, 1)] = 1e-3
    num_seeds: Count = 1
    original_size: bool = False
    fit: str = ""
    overlap: Annotated[float, OVERLAP] = 0.5
    flips: bool = False
    scale: Positive | None = None
    scales: tuple[Positive, ...] = (1.0,)
    num_feature_samples: CountOrZero = 0
    features: str = ""
    feature_weights: WeightsPath = ""
    lpips_weights: WeightsPath = ""
    real_split: str = "eval"
    statistics_dir: FilePath = "runs/statistics"
    checkpoint: str = "latest"


@dataclasses.dataclass(frozen=True)
class GuidanceConfig:
    """Classifier-free guidance of generated images.

    A `weight` other than 1 needs a network with two clocks.

    Attributes:
        weight: weight w of `u + w (c - u)`, where c is the conditional and u the unconditional
            velocity; 1 for no guidance.
        start, end: interval of the image's times with guidance, `start <= end`.
        project: scale the unconditional velocity to its best fit of the conditional one
            (CFG-Zero*).
        skip_first_step: keep the image unchanged in the first step (CFG-Zero*); needs a solver
            of fixed steps.
    """

    weight: Annotated[float, Range()] = 1.0
    start: Share = 0.0
    end: Share = 1.0
    project: bool = False
    skip_first_step: bool = False


@dataclasses.dataclass(frozen=True)
class PlanConfig:
    """The target of `--mode=plan`.

    Attributes:
        topology: chip and layout of a TPU slice, such as "v5e:4x4".
        num_slices: number of such slices, joined by the slower network of the data centre.
        batch_size: examples per train step over all chips; 0 takes `train.batch_size`.
        search: also search for the largest batch that fits, with several compilations.
        optimization_level: optimization level of XLA, "O0", "O1", "O2" or "O3". Training and
            inference compile at "O2". For the largest networks "O0" takes a few minutes instead
            of an hour, and its figures are less exact.
        dump: folder for the text of the compiled modules; "" for none.
    """

    topology: str = ""
    num_slices: Count = 1
    batch_size: CountOrZero = 0
    search: bool = False
    optimization_level: str = "O2"
    dump: FilePath = ""


@dataclasses.dataclass(frozen=True)
class Config:
    """A complete configuration of a run.

    Attributes:
        seed: seed of all randomness.
        parallel: distribution of training over devices, a name of `PARALLELISMS`
            (docs/choices.md); it does not change the results.
        data, semantics, network, autoencoder, train, finetune, eval, guidance, plan: the
            sections; see their classes.
    """

    seed: Annotated[int, between(0, 2**32 - 1)] = 0
    parallel: str = "pmap"
    data: DataConfig = DataConfig()
    semantics: SemanticsConfig = SemanticsConfig()
    network: NetworkConfig = NetworkConfig()
    autoencoder: AutoencoderConfig = AutoencoderConfig()
    train: TrainConfig = TrainConfig()
    finetune: FinetuneConfig = FinetuneConfig()
    eval: EvalConfig = EvalConfig()
    guidance: GuidanceConfig = GuidanceConfig()
    plan: PlanConfig = PlanConfig()
