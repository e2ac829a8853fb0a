"""CamVid at 96x128: streets in eleven classes, twenty minutes of training on two CPU cores.

    python -m symmflow_jax.main --config=configs/camvid_small.py --config.data.dir=CAMVID

`CAMVID` holds the pictures `train`, `val` and `test` and the masks `trainannot`, `valannot` and
`testannot`, as the SegNet tutorial has them. Ids 0 to 10 are the classes; 11 is void, which is not
learned. Scores are of val; `--config.data.eval_images=test --config.data.eval_masks=testannot`
with `--mode=evaluate` takes test.

docs/augmentation.md has the commands that add augmentation, class weights and rare classes, and
those of the paper's way and of a plain segmenter.

The network has two clocks and predicts class probabilities, as in `shapes.py`.
"""

from symmflow_jax.config import conversion


def get_config():
    """The config."""
    config = conversion.default()
    config.data.source = "paired_folder"
    config.data.train_images, config.data.train_masks = "train", "trainannot"
    config.data.eval_images, config.data.eval_masks = "val", "valannot"
    config.data.eval_split = "val"
    config.data.class_names = (
        *("sky", "building", "pole", "road", "pavement", "tree"),
        *("sign", "fence", "car", "pedestrian", "bicyclist"),
    )
    config.data.ignored_id = 11
    config.data.image_size = (96, 128)
    config.data.random_flip = True
    config.semantics.encoding = "onehot"
    config.network.channels = 16
    config.network.channel_multipliers = (1, 2, 3, 4)
    config.network.num_res_blocks = 1
    config.network.num_groups = 8
    config.network.head_channels = 16
    config.train.batch_size = 8
    config.train.num_epochs = 40.0
    config.train.warmup_epochs = 2.0
    config.train.peak_learning_rate = 1e-3
    config.train.ema_decay = 0.995
    config.train.image_weight = 0.7
    config.train.clock = "mixed"
    config.train.clock_shares.tied = 0.0
    config.train.clock_shares.independent = 0.1
    config.train.clock_shares.clean_image = 0.45
    config.train.clock_shares.clean_semantics = 0.45
    config.train.prob_at_one = 0.3
    config.train.log_every_steps = 25
    config.train.eval_every_steps = 500
    config.train.checkpoint_every_steps = 250
    config.eval.batch_size = 8
    config.eval.num_quick_examples = 16
    config.eval.num_steps = (1,)
    config.eval.num_generated = 16
    return config
