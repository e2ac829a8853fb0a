"""Flow Matching of ImageNet images of 32x32 pixels alone (arXiv 2210.02747).

    python -m symmflow_jax.main --config=configs/imagenet32_flow_matching.py \
        --config.data.dir=tensorflow_datasets --workdir=runs/imagenet32_flow_matching

`data.dir` is the folder in which TensorFlow Datasets has prepared `imagenet_resized/32x32`: the
downsampled images of Chrabaszcz et al. 2017 (arXiv 1707.08819), as in the paper. The diffusion
path, more dequantised copies and FID are asked for as in configs/cifar10_flow_matching.py; the
paper's likelihood is over up to 15 copies.

Hardware: accelerators; the network has 197 M parameters. The paper took four GPUs for 250,000
steps of 1,024 images, and does not say how long; expect days. Expect (paper) 3.53 bits per
dimension and FID 5.02 in 122 passes; with the diffusion path 3.54, and 6.37 in 193. Nobody has run
this here. For ImageNet of 64x64 pixels the paper has 3.31 bits per dimension and FID 14.45 in 138
passes, with channels 192, multipliers (1, 2, 3, 4), attention at the rates 2, 4 and 8, 157,000
steps of 2,048 images and a constant learning rate.
"""

from symmflow_jax.config.reading.config_file import beside

cifar10 = beside(__file__, "cifar10_flow_matching.py")


def get_config():
    """The config."""
    config = cifar10.get_config()
    config.data.source = "tfds"
    config.data.name = "imagenet_resized/32x32"
    config.data.eval_split = "validation"
    config.network.num_res_blocks = 3
    config.network.attention_rates = (2, 4)
    config.train.batch_size = 1_024
    config.train.num_epochs = 200.0
    config.train.warmup_epochs = 16.0
    config.train.peak_learning_rate = 1e-4
    return config
