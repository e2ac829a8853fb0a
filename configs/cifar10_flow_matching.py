"""Flow Matching of CIFAR-10 images alone (Lipman et al. 2023, arXiv 2210.02747).

    python -m symmflow_jax.main --config=configs/cifar10_flow_matching.py \
        --config.data.dir=data/cifar10 --workdir=runs/cifar10_flow_matching

`data.dir` is the folder of the python or the binary version, as its author publishes it. The
diffusion path of the paper's comparison, cut where the paper cuts it, is

    python -m symmflow_jax.main --config=configs/cifar10_flow_matching.py \
        --config.data.dir=data/cifar10 --config.train.path=diffusion \
        --config.train.sigma_min=1e-3 --workdir=runs/cifar10_diffusion

The training ends with the evaluation of the test split: bits per dimension, by dopri5 at 1e-5. The
paper's mean over 50 dequantised copies, and FID of 50,000 samples with the passes that they took
(docs/weights.md has the weights of Inception), are

    python -m symmflow_jax.main --config=configs/cifar10_flow_matching.py --mode=evaluate \
        --config.data.dir=data/cifar10 --config.eval.likelihood_examples=10000 \
        --config.eval.likelihood_draws=50 --config.eval.features=inception \
        --config.eval.feature_weights=inception.safetensors --config.eval.real_split=train \
        --config.eval.num_feature_samples=50000 --workdir=runs/cifar10_flow_matching

Hardware: accelerators; the network has 144 M parameters. The paper took two GPUs for 391,000 steps
of 256 images, and does not say how long; expect days. Expect (paper) 2.99 bits per dimension and
FID 6.35 in 142 passes; with the diffusion path 3.10, and 8.06 in 183. Nobody has run this to the
end here: docs/likelihood.md has a small version for two cores.

What the paper does not say is ours: sigma_min, the averaging of the weights, and dequantised
training. Its linear warm-up and decay is a cosine here. Its 1,000 epochs are not its 391,000 steps
of 256; these are the steps. The network sees a plane of noise where others have the semantics.
"""

from symmflow_jax.config import conversion


def get_config():
    """The config."""
    config = conversion.default()
    config.data.source = "cifar10"
    config.data.dir = ""
    config.data.image_size = (32, 32)
    config.data.dequantize_images = True
    config.semantics.encoding = "plane"
    config.semantics.dequantization_beta = 4.0
    config.network.channels = 256
    config.network.channel_multipliers = (1, 2, 2, 2)
    config.network.num_res_blocks = 2
    config.network.attention_rates = (2,)
    config.network.head_channels = 64
    config.train.clock = "unconditional"
    config.train.image_weight = 1.0
    config.train.batch_size = 256
    config.train.num_epochs = 2_002.0
    config.train.warmup_epochs = 230.0
    config.train.peak_learning_rate = 5e-4
    config.train.end_learning_rate = 1e-8
    config.train.ema_decay = 0.9999
    config.train.eval_every_steps = 5_000
    config.train.checkpoint_every_steps = 5_000
    config.eval.metrics = ("sample_quality", "likelihood", "objective")
    config.eval.solvers = ("dopri5",)
    config.eval.tolerance = 1e-5
    config.eval.likelihood_examples = 1_000
    return config
