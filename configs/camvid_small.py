"""CamVid at 96x128: streets in eleven classes, twenty minutes of training on two CPU cores.

    python -m symmflow_jax.main --config=configs/camvid_small.py --config.data.dir=CAMVID

`CAMVID` holds the pictures `train`, `val` and `test` and the masks `trainannot`, `valannot` and
`testannot`, as the SegNet tutorial has them. Ids 0 to 10 are the classes; 11 is void, which is not
learned. Scores are of val; `--config.data.eval_images=test --config.data.eval_masks=testannot`
with `--mode=evaluate` takes test.

docs/augmentation.md has the options that add augmentation and class weights, and those of the
paper's way and of a plain segmenter.

The network has two clocks and predicts class probabilities, as in `shapes.py`. The twenty minutes
go to masks: seven tenths of the examples have a clean image, most of them beside semantics of pure
noise, where masks are read in one step. So short a training learns to read only what it sees
often. Do not expect streets from it: the images that it makes are still noise in the colours of
their masks. They need more of `train.clock_shares.clean_semantics`, and far more time.
"""

from symmflow_jax.config.reading.config_file import beside

paired_folder = beside(__file__, "paired_folder.py")


def get_config():
    """The config."""
    config = paired_folder.get_config()
    config.data.train_images, config.data.train_masks = "train", "trainannot"
    config.data.eval_images, config.data.eval_masks = "val", "valannot"
    config.data.class_names = (
        *("sky", "building", "pole", "road", "pavement", "tree"),
        *("sign", "fence", "car", "pedestrian", "bicyclist"),
    )
    config.data.ignored_id = 11
    config.data.random_crop = False
    config.network.channels = 8
    config.network.channel_multipliers = (1, 2, 4, 8)
    config.network.num_groups = 4
    config.network.head_channels = 16
    config.train.batch_size = 4
    config.train.num_epochs = 52.0
    config.train.warmup_epochs = 2.0
    config.train.peak_learning_rate = 2e-3
    config.train.clock_shares.clean_image = 0.7
    config.train.clock_shares.clean_semantics = 0.2
    config.train.prob_at_one = 0.9
    config.train.ema_decay = 0.995
    config.eval.num_steps = (1,)
    return config
