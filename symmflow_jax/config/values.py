"""The configuration: what each key means.

Config files edit these values as a `ConfigDict` (`config_conversion`); inside the project they
travel as the frozen dataclasses below, once `config_checks` has found them possible.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Which examples, and how they become arrays of one shape.

    Attributes:
        source: "shapes" (drawn), "spirals", "gaussian_mixture" or "split_posterior" (drawn
            points), "idx", "tfds", "npz", "cifar10" (labels), "paired_folder", "coco_stuff",
            "celebamask_hq", "cityscapes" or "ade20k" (masks).
        dir: folder (or `.npz` file) of the data set; unused by the drawn sources.
        name: name of a TFDS set, such as "mnist", or of an archive in `dir` without its
            ending, such as "pathmnist_64" (npz).
        train_split: split to learn from, in the words of the source.
        eval_split: split to evaluate on.
        train_size: examples of a drawn training set.
        eval_size: examples of a drawn evaluation set.
        image_size: height and width to bring images to; empty for points.
        image_channels: 1 for grey, 3 for colour.
        point_size: numbers of a point, where `image_size` is empty.
        random_crop: in training, crop at a random place where the aspect ratio differs.
        random_flip: in training, mirror half of the examples.
        dequantize_images: add half an 8-bit level of noise to images in training.
        class_names: names of the classes, in the order of their ids (paired_folder; elsewhere
            the source knows them, and a list here replaces its names).
        class_ids: id of each of the classes in the masks; 0, 1, 2, ... if empty (paired_folder).
        class_colours: for masks that are coloured pictures, the colour of each class such as
            "#ff0080", and one more for void if `ignored_id` is their number (paired_folder).
        ignored_id: id of pixels that belong to no class, or None (paired_folder).
        train_images, train_masks, eval_images, eval_masks: folders under `dir` (paired_folder).
        latents: folder of encoded training examples that `--mode=encode` writes and training
            reads; empty to encode on the fly. Its pictures were cropped at the centre and not
            dequantised, whatever the keys above say; their mirror images are beside them where
            `random_flip` was on. Masks are encoded anew in each step in any case.
        on_error: what to do with an example that cannot be read, "raise" or "skip". A skipped
            one is named in the run's `skipped.jsonl` and report; training takes the next one
            in its place, evaluation does without it.
        num_workers: reading processes; 0 reads in threads.
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
    latents: str = ""
    on_error: str = "raise"
    num_workers: int = 0


@dataclasses.dataclass(frozen=True)
class SemanticsConfig:
    """How labels become a continuous signal.

    Attributes:
        encoding: "palette" (dense masks), "plane" or "colour" (one label for an image), or
            "onehot" (masks where the source has them, otherwise labels), whose velocity comes of
            class probabilities.
        dequantization_beta: strength of the dequantisation noise; for "plane" also the
            distance of the outermost codes; unused by "onehot".
        label_scale: factor of the codes against the noise; 1 in the paper.
    """

    encoding: str = "palette"
    dequantization_beta: float = 6.0
    label_scale: float = 1.0


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """The velocity network.

    Attributes:
        name: "unet", "latent_unet" (with transformers and the text input of Stable Diffusion)
            or "mlp".
        channels: width of the first level, or of every hidden layer of the MLP.
        channel_multipliers: width of each level of the U-Net in units of `channels`.
        num_res_blocks: residual blocks of each level; hidden layers of the MLP.
        attention_rates: downsampling rates (1, 2, 4, ...) with attention.
        head_channels: width of one attention head.
        num_groups: groups of the group normalisations.
        dropout_rate: dropout in training.
        remat: recompute activations in the backward pass to save memory.
        cross_attention_width: width of the text that the latent U-Net attends to.
        dtype: "float32" or "bfloat16"; parameters stay float32.
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
    """The frozen autoencoder between pixels and the latents that the flow moves.

    The defaults are the sizes of Stable Diffusion's.

    Attributes:
        weights: file or folder of diffusers' `AutoencoderKL`; empty: the flow moves pixels. A
            run keeps a copy, so that the file is needed only once.
        mask_decoder: file that `--mode=finetune_vae` has written in another run's folder, whose
            decoder then reads masks. One in the run's own folder is used unasked.
        channels: width of the first level.
        channel_multipliers: width of each level in units of `channels`.
        num_res_blocks: residual blocks of each level.
        latent_channels: channels of the latents.
        num_groups: groups of the group normalisations.
        latent_scale: factor that brings latents to unit variance.
        dtype: "float32" or "bfloat16".
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
    """How `--mode=finetune_vae` trains the decoder for masks.

    Attributes:
        batch_size: masks of one step, over all devices.
        num_steps: steps.
        learning_rate: Adam's.
    """

    batch_size: int = 8
    num_steps: int = 10_000
    learning_rate: float = 1e-5


@dataclasses.dataclass(frozen=True)
class ClockShares:
    """Shares of the training examples by the kind of their times; they add up to 1.

    Attributes:
        tied: one time for both components.
        independent: two independent times.
        clean_image: a clean image, as in recognition.
        clean_semantics: clean semantics, as in generation.
    """

    tied: float = 0.25
    independent: float = 0.25
    clean_image: float = 0.25
    clean_semantics: float = 0.25


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """How the network learns.

    Attributes:
        batch_size: examples of one step, over all devices and processes.
        num_microbatches: parts in which a step's gradient is accumulated.
        num_epochs: passes over the training split.
        warmup_epochs: passes in which the learning rate rises.
        peak_learning_rate: highest learning rate of the one-cycle schedule.
        end_learning_rate: where it starts and ends.
        weight_decay: AdamW's decay.
        clip_norm: bound of the gradient's global norm, or None.
        ema_decay: decay of the parameters' moving average.
        image_weight: weight of the image's part of the loss.
        cross_entropy_weight: factor of the semantics' loss where it is a cross-entropy
            (`semantics.encoding` "onehot").
        clock: when the network learns: "tied" (one time for image and semantics, the paper's),
            "independent" (a time for each) or "mixed" (some of each kind). Only a network that has
            learned with two times can hold one component clean while the other changes.
        clock_shares: for "mixed", see `ClockShares`.
        prob_at_one: share of the examples whose semantics are pure noise, t = 1, where
            recognition starts; the others are uniform in time, as all are in the paper. Class
            labels are learned several times sooner with a half.
        path: the probability path of both components, a name of `PATHS`.
        sigma_min: noise left at the clean end of the path.
        coupling: which noise goes with which data, a name of `COUPLINGS`.
        image_parameterization: what the network predicts of the image, a name of
            `PARAMETERIZATIONS`.
        semantics_parameterization: the same for the semantics; "" takes what suits the encoding.
        log_every_steps: steps between two progress lines.
        eval_every_steps: steps between two small evaluations with a grid of pictures and a
            checkpoint; 0 leaves them out.
        checkpoint_every_steps: steps between two checkpoints.
        keep_checkpoints: latest checkpoints to keep, beside the best one.
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
    """What is measured.

    Attributes:
        batch_size: examples of one batch, over all devices of a process.
        num_examples: examples of the final evaluation; 0 takes the whole split.
        num_quick_examples: examples of the small evaluations during training.
        metrics: what to measure, names of `METRICS`.
        solvers: "euler", "midpoint", "heun", "rk4" or "dopri5".
        num_steps: step counts of the table (the adaptive solver has none).
        generation_steps: Euler steps of generated images.
        num_generated: generated images that are read back for the agreement with their
            conditions.
        ensemble_size: noises for each image, whose answers vote.
        clock: "tied" (both components move, the paper's inference) or "clean" (the one that is
            given stays clean); "" is "clean" where the network has learned with two times.
        tolerance: local error of the adaptive solver.
        num_seeds: repeats of everything with fresh noise, from the seeds `seed`, `seed + 1`,
            ...; means and standard deviations are reported.
        original_size: compare masks at their own size too, where predictions are enlarged to
            the crop that the model saw.
        num_feature_samples: images generated for each row of the table to be compared with real
            ones by their features, from the labels of the split, repeated with fresh noise as
            often as it takes (the paper's 50,000); 0 leaves it out.
        features: what Frechet and kernel distances are measured in: "inception" (FID and KID),
            "classifier", which `--mode=train_classifier` trains on the data set
            itself, or "" for neither.
        feature_weights: file of their weights.
        lpips_weights: file of the weights of LPIPS, between a sample and the real image of its
            label or mask; "" leaves it out.
        real_split: "eval" or "train", the split whose images are the real ones.
        statistics_dir: folder where features of real images are kept for the next time.
        checkpoint: "latest" or "best".
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
    """How generated images are drawn towards their conditions; needs a network of two clocks.

    Attributes:
        weight: of the conditional velocity against the unconditional one; 1 is no guidance.
        start, end: the image's times between which there is guidance.
        project: scale the unconditional velocity to fit the conditional one (CFG-Zero*).
        skip_first_step: let the image stand still in the first step (CFG-Zero*).
    """

    weight: float = 1.0
    start: float = 0.0
    end: float = 1.0
    project: bool = False
    skip_first_step: bool = False


@dataclasses.dataclass(frozen=True)
class PlanConfig:
    """What `--mode=plan` compiles for.

    Attributes:
        topology: chip and layout of a TPU slice, such as "v5e:4x4".
        batch_size: examples of one train step over all chips; 0 takes `train.batch_size`.
        search: also look for the largest batch that fits, compiling several times.
        optimization_level: how much XLA does for speed, "O0" to "O3". Programs that run are
            compiled at "O2"; at "O0" that takes a few minutes for the largest networks in place
            of an hour, and the figures are rougher.
        dump: folder for the text of the compiled modules, if any.
    """

    topology: str = ""
    batch_size: int = 0
    search: bool = False
    optimization_level: str = "O2"
    dump: str = ""


@dataclasses.dataclass(frozen=True)
class Config:
    """A whole run.

    Attributes:
        seed: origin of all randomness.
        parallel: how devices share a training: "pmap" (each has the whole state) or "fsdp"
            (each has a part of it); the numbers that come out are the same.
        data, semantics, network, autoencoder, train, finetune, eval, guidance, plan: see their
            classes.
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
