"""Training: objective, times, optimizer and checkpoints."""

import dataclasses
from typing import Annotated

from symmflow_jax.config.schema.fields import FilePath
from symmflow_jax.config.schema.ranges import (
    Range,
    at_least,
)
from symmflow_jax.config.sections.numbers import (
    BelowOne,
    Count,
    CountOrZero,
    NotNegative,
    Part,
    Positive,
    Share,
)


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
            "recognition" and "generation" learn one task alone (docs/baseline.md): they set
            `clock_shares`, `prob_at_one` and `image_weight` themselves.
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
        init_from: folder of a run, or of imported weights, also in a bucket, whose averaged
            weights the training begins with; "" begins from nothing. New times start at zero. With
            other classes, the part of the first and last layer for the semantics is made anew. See
            docs/few_steps.md.
        objective: what training minimizes, a name of `OBJECTIVES` (docs/choices.md). A flow map
            needs a network with two clocks.
        map_share: share of the jumps of "flow_map" among the examples whose image moves beside
            clean semantics, or semantics of pure noise; the rest learn velocities. Below 1.
        map_target: folder of a run with two clocks, also in a bucket, whose frozen velocities
            "flow_map" learns the map of, with less noise; "" learns that of the data, beside its
            own velocity.
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
