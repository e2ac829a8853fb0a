"""The configuration: the meaning, range and default of each key.

Config files edit these values as a `ConfigDict` (see `conversion`). The rest of the project reads
them as the frozen dataclasses below, after `checks` has found them valid. "A name of `TABLE`" means
one of the names that docs/choices.md lists for the key.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """The data set, and how its examples become arrays of one shape.

    Attributes:
        source: the data source, a name of `SOURCES` (docs/choices.md).
        dir: folder of the data set, or an `.npz` file for "npz"; unused by the synthetic sources.
        name: for "tfds" the name of the set, such as "mnist"; for "npz" the name of an archive in
            `dir` without its suffix, such as "pathmnist_64"; unused by the other sources.
        train_split: name of the training split, as the source calls it.
        eval_split: name of the evaluation split, as the source calls it.
        train_size: number of training examples of a synthetic source, at least 1.
        eval_size: number of evaluation examples of a synthetic source, at least 1.
        image_size: height and width in pixels to which images are cropped and resized; empty for
            points.
        image_channels: channels of the images, 1 (grey) or 3 (colour).
        point_size: numbers per point if `image_size` is empty, at least 1.
        random_crop: in training, crop at a random position instead of the centre if the aspect
            ratio of an image differs from that of `image_size`.
        random_flip: in training, mirror half of the examples left to right.
        dequantize_images: in training, add uniform noise of half an 8-bit level to either side.
        class_names: names of the classes in the order of their ids. Required by "paired_folder";
            elsewhere a list replaces the names that the data set gives. For "idx" and "npz" it may
            name more classes than the training labels have.
        class_ids: id of each class in the mask files ("paired_folder"); empty for 0, 1, 2, ...
        class_colours: colour of each class, such as "#ff0080", if the masks are colour images
            ("paired_folder"); one more colour for "void" if `ignored_id` adds that class.
        ignored_id: id of the pixels that belong to no class, at least 0, or None
            ("paired_folder"). An id that is not in `class_ids` adds a class "void".
        train_images, train_masks, eval_images, eval_masks: folders under `dir` ("paired_folder").
            Sub-folders are read if a folder has no pictures itself.
        max_megapixels: largest image or mask file, in millions of pixels, positive; larger files
            are refused before they are decoded.
        exif: "apply" turns images and masks by their EXIF orientation; "ignore" reads both as raw
            pixels, for masks that were drawn on raw pixels.
        latents: folder of encoded training examples, which `--mode=encode` writes and training
            reads; empty to encode in every step. Cached images are cropped at the centre and not
            dequantized, whatever `random_crop` and `dequantize_images` say. Their mirror images
            are cached too if `random_flip` is set. Masks are encoded in every step in any case.
        on_error: handling of an example that cannot be read, "raise" or "skip". Skipped examples
            are listed in the run's `skipped.jsonl` and report; training takes the next readable
            example instead, and evaluation leaves the example out.
        num_workers: number of processes that read training data; 0 reads in threads.
    """

    source: str = "shapes"
    dir: str = ""
    name: str = ""
    train_split: str = "train"
    eval_split: str = "test"
    train_size: int = 50_000
    eval_size: int = 500
    image_size: tuple[int, ...] = (32, 32)
    image_channels: int = 3
    point_size: int = 2
    random_crop: bool = False
    random_flip: bool = False
    dequantize_images: bool = False
    class_names: tuple[str, ...] = ()
    class_ids: tuple[int, ...] = ()
    class_colours: tuple[str, ...] = ()
    ignored_id: int | None = None
    train_images: str = "train/images"
    train_masks: str = "train/masks"
    eval_images: str = "val/images"
    eval_masks: str = "val/masks"
    max_megapixels: float = 179.0
    exif: str = "apply"
    latents: str = ""
    on_error: str = "raise"
    num_workers: int = 0


@dataclasses.dataclass(frozen=True)
class SemanticsConfig:
    """The encoding of labels as a continuous signal.

    Attributes:
        encoding: the encoding, a name of `ENCODINGS` (docs/choices.md). It decides whether masks
            or labels are learned.
        dequantization_beta: strength of the dequantization noise; for "plane" also the distance
            between the values of the first and the last class; unused by "onehot".
        label_scale: factor of the codes relative to the noise, positive; 1 in the paper. Latents
            need 1.
    """

    encoding: str = "palette"
    dequantization_beta: float = 6.0
    label_scale: float = 1.0


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """The velocity network.

    Attributes:
        name: the network, a name of `NETWORKS` (docs/choices.md).
        channels: width of the first level of a U-Net, a multiple of `num_groups`; or width of
            every hidden layer of the MLP.
        channel_multipliers: width of each level of a U-Net, in units of `channels`.
        num_res_blocks: residual blocks per level of a U-Net, or hidden layers of the MLP, positive.
        attention_rates: downsampling rates (1, 2, 4, ...) of the levels with attention.
        head_channels: width of one attention head, positive; divides the width of each such level.
        num_groups: groups of each group normalization, positive.
        dropout_rate: dropout rate in training, in [0, 1).
        remat: recompute activations in the backward pass to save memory.
        cross_attention_width: width of the text embeddings of "latent_unet".
        dtype: dtype of the computation, "float32" or "bfloat16"; parameters stay float32.
    """

    name: str = "unet"
    channels: int = 32
    channel_multipliers: tuple[int, ...] = (1, 2, 2, 2)
    num_res_blocks: int = 2
    attention_rates: tuple[int, ...] = ()
    head_channels: int = 64
    num_groups: int = 32
    dropout_rate: float = 0.0
    remat: bool = False
    cross_attention_width: int = 1024
    dtype: str = "float32"


@dataclasses.dataclass(frozen=True)
class AutoencoderConfig:
    """The frozen autoencoder between pixels and the latents of the flow.

    The default sizes are those of Stable Diffusion.

    Attributes:
        weights: file or folder of an `AutoencoderKL` of diffusers; empty for a flow in pixels. A
            run keeps a copy, so the file is needed only once.
        mask_decoder: file that `--mode=finetune_vae` wrote in the folder of another run; its
            decoder then decodes masks. A file in the run's own folder is used without this key.
        channels: width of the first level, positive.
        channel_multipliers: width of each level, in units of `channels`.
        num_res_blocks: residual blocks per level of the encoder, positive.
        latent_channels: channels of the latents, positive.
        num_groups: groups of each group normalization.
        latent_scale: factor that brings latents to unit variance, positive.
        dtype: dtype of the computation, "float32" or "bfloat16".
    """

    weights: str = ""
    mask_decoder: str = ""
    channels: int = 128
    channel_multipliers: tuple[int, ...] = (1, 2, 4, 4)
    num_res_blocks: int = 2
    latent_channels: int = 4
    num_groups: int = 32
    latent_scale: float = 0.18215
    dtype: str = "float32"


@dataclasses.dataclass(frozen=True)
class FinetuneConfig:
    """Fine-tuning of the decoder for masks by `--mode=finetune_vae`.

    Attributes:
        batch_size: masks per step over all devices, positive.
        num_steps: number of steps, positive.
        learning_rate: constant learning rate of Adam, positive.
    """

    batch_size: int = 8
    num_steps: int = 10_000
    learning_rate: float = 1e-5


@dataclasses.dataclass(frozen=True)
class ClockShares:
    """Shares of the training examples by the kind of their times.

    Each share is at least 0; together they add up to 1.

    Attributes:
        tied: share with one time for both components.
        independent: share with two independent times.
        clean_image: share with a clean image, as in recognition.
        clean_semantics: share with clean semantics, as in generation.
    """

    tied: float = 0.25
    independent: float = 0.25
    clean_image: float = 0.25
    clean_semantics: float = 0.25


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Training of the velocity network.

    Attributes:
        batch_size: examples per step over all devices and processes, positive.
        num_microbatches: parts over which the gradient of a step is accumulated, positive; the
            devices times this number must divide `batch_size`.
        num_epochs: passes over the training split, positive; may be a fraction.
        warmup_epochs: passes in which the learning rate rises to its peak.
        peak_learning_rate: highest learning rate of the one-cycle schedule, positive.
        end_learning_rate: learning rate at the start and at the end of the schedule, positive.
        weight_decay: weight decay of AdamW.
        clip_norm: bound of the global norm of the gradient; None for no bound.
        ema_decay: decay of the moving average of the parameters, in [0, 1).
        image_weight: weight of the image's loss, in [0, 1]; that of the semantics' loss is
            `1 - image_weight`.
        cross_entropy_weight: additional factor of the semantics' loss if it is a cross-entropy
            (`semantics.encoding` "onehot"), positive.
        clock: the times at which the network learns, a name of `CLOCKS` (docs/choices.md). Only a
            network with two clocks can keep one component clean while the other one changes.
        clock_shares: shares of each kind of times for `clock` "mixed"; see `ClockShares`.
        prob_at_one: probability that the semantics are pure noise (t = 1), where recognition
            starts, in [0, 1); otherwise their time is uniform. 0 in the paper. With 0.5, class
            labels are learned several times sooner.
        path: probability path of both components, a name of `PATHS` (docs/choices.md).
        sigma_min: standard deviation of the noise that remains at the clean end of the path.
        coupling: pairing of noise with data, a name of `COUPLINGS` (docs/choices.md).
        image_parameterization: quantity that the network predicts for the image, a name of
            `PARAMETERIZATIONS` (docs/choices.md).
        semantics_parameterization: the same for the semantics; "" takes the default of the
            encoding.
        log_every_steps: steps between two progress lines, positive.
        eval_every_steps: steps between two quick evaluations, each with a sample grid and a
            checkpoint; 0 for none.
        checkpoint_every_steps: steps between two checkpoints, positive.
        keep_checkpoints: number of latest checkpoints to keep besides the best one, positive.
    """

    batch_size: int = 64
    num_microbatches: int = 1
    num_epochs: float = 1.0
    warmup_epochs: float = 0.1
    peak_learning_rate: float = 5e-4
    end_learning_rate: float = 1e-6
    weight_decay: float = 0.0
    clip_norm: float | None = None
    ema_decay: float = 0.999
    image_weight: float = 0.9
    cross_entropy_weight: float = 1.0
    clock: str = "tied"
    clock_shares: ClockShares = ClockShares()
    prob_at_one: float = 0.0
    path: str = "linear"
    sigma_min: float = 1e-4
    coupling: str = "independent"
    image_parameterization: str = "velocity"
    semantics_parameterization: str = ""
    log_every_steps: int = 50
    eval_every_steps: int = 500
    checkpoint_every_steps: int = 500
    keep_checkpoints: int = 2


@dataclasses.dataclass(frozen=True)
class EvalConfig:
    """Evaluation: the metrics, and how they are measured.

    Attributes:
        batch_size: examples per batch of one process, over its devices, positive.
        num_examples: examples of the final evaluation; 0 takes the whole split.
        num_quick_examples: examples of the quick evaluations during training; 0 takes the whole
            split.
        metrics: the metrics, at least one, names of `METRICS` (docs/choices.md).
        solvers: the solvers of the table, at least one, names of `SOLVERS` (docs/choices.md).
        num_steps: step counts of the table, each at least 1; the adaptive solver ignores them.
        generation_steps: Euler steps of generated images, positive.
        num_generated: generated images that are read back and compared with their conditions;
            0 takes the conditions of the whole split.
        ensemble_size: noise draws per image whose predictions are combined by vote, positive.
        clock: clock of inference: "tied" (both components change, as in the paper), "clean" (the
            given component stays clean; needs a network with two clocks), or "" ("clean" for a
            network with two clocks, "tied" for one clock).
        tolerance: local error tolerance of the adaptive solver, positive.
        num_seeds: number of repetitions with fresh noise, with the seeds `seed`, `seed + 1`, ...,
            positive; means and standard deviations are reported.
        original_size: also compare masks at their own size, with predictions enlarged to the
            crop that the model saw; masks only.
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

    batch_size: int = 100
    num_examples: int = 0
    num_quick_examples: int = 100
    metrics: tuple[str, ...] = ("recognition", "agreement", "cycle", "sample_quality", "objective")
    solvers: tuple[str, ...] = ("euler",)
    num_steps: tuple[int, ...] = (1, 2, 5, 10, 25)
    generation_steps: int = 25
    num_generated: int = 100
    ensemble_size: int = 1
    clock: str = ""
    tolerance: float = 1e-3
    num_seeds: int = 1
    original_size: bool = False
    num_feature_samples: int = 0
    features: str = ""
    feature_weights: str = ""
    lpips_weights: str = ""
    real_split: str = "eval"
    statistics_dir: str = "runs/statistics"
    checkpoint: str = "latest"


@dataclasses.dataclass(frozen=True)
class GuidanceConfig:
    """Classifier-free guidance of generated images.

    A `weight` other than 1 needs a network with two clocks.

    Attributes:
        weight: weight w of `u + w (c - u)`, where c is the conditional and u the unconditional
            velocity; 1 for no guidance.
        start, end: interval of the image's times with guidance, `0 <= start <= end <= 1`.
        project: scale the unconditional velocity to its best fit of the conditional one
            (CFG-Zero*).
        skip_first_step: keep the image unchanged in the first step (CFG-Zero*); needs a solver
            of fixed steps.
    """

    weight: float = 1.0
    start: float = 0.0
    end: float = 1.0
    project: bool = False
    skip_first_step: bool = False


@dataclasses.dataclass(frozen=True)
class PlanConfig:
    """The target of `--mode=plan`.

    Attributes:
        topology: chip and layout of a TPU slice, such as "v5e:4x4".
        batch_size: examples per train step over all chips; 0 takes `train.batch_size`.
        search: also search for the largest batch that fits, with several compilations.
        optimization_level: optimization level of XLA, "O0", "O1", "O2" or "O3". Training and
            inference compile at "O2". For the largest networks "O0" takes a few minutes instead
            of an hour, and its figures are less exact.
        dump: folder for the text of the compiled modules; "" for none.
    """

    topology: str = ""
    batch_size: int = 0
    search: bool = False
    optimization_level: str = "O2"
    dump: str = ""


@dataclasses.dataclass(frozen=True)
class Config:
    """A complete configuration of a run.

    Attributes:
        seed: seed of all randomness; the synthetic sources need at least 0.
        parallel: distribution of training over devices, a name of `PARALLELISMS`
            (docs/choices.md); it does not change the results.
        data, semantics, network, autoencoder, train, finetune, eval, guidance, plan: the
            sections; see their classes.
    """

    seed: int = 0
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
