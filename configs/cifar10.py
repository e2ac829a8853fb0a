"""CIFAR-10 pictures and their labels, with the paper's settings (arXiv 2506.10634).

    python -m symmflow_jax.main --config=configs/cifar10.py --config.data.dir=tensorflow_datasets

`data.dir` is the folder in which TensorFlow Datasets has prepared `cifar10`; the extra `tfds`
installs what reads it.

Hardware: an accelerator. The network has 138 M parameters; 1,000 epochs take days on one GPU.
Expect 88.2 % one-step accuracy and 90.6 % in 25 steps (paper).
"""

from symmflow_jax.config.reading.config_file import beside

mnist = beside(__file__, "mnist.py")


def get_config():
    """The config."""
    config = mnist.get_config()
    config.data.source = "tfds"
    config.data.name = "cifar10"
    config.data.dir = ""
    config.data.image_channels = 3
    config.network.channels = 256
    config.train.batch_size = 180  # 278 steps an epoch.
    config.train.peak_learning_rate = 3e-4
    return config
