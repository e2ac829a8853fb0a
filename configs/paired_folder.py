"""Your own images and id masks, with the same file names in pairs of folders.

    python -m symmflow_jax.main --config=configs/paired_folder.py --config.data.dir=DATA \
        --config.data.class_names="('sky', 'road', 'tree')" --config.data.ignored_id=255

`DATA` holds `train/images`, `train/masks`, `val/images` and `val/masks`. `data.train_images` and
its neighbours set other names. Sub-folders are read if these have no pictures themselves. Masks
are PNGs with one channel whose values are the ids: 0 for the first of `class_names`, and so on.
Their names may have a usual ending, such as `a_mask.png` for `a.jpg`. Pixels of `ignored_id`
belong to no class: they are not learned, never predicted, and count in no score
(docs/unknown_labels.md).

Many thousands of files are packed into few large ones by the same command with `--mode=pack
--output=PACKED`. Then `--config.data.source=packed --config.data.dir=PACKED` reads these; they keep
the names and ids of the classes.

The network has two clocks and predicts class probabilities, as in `shapes.py`. The docstring
there gives the settings of the paper.

Hardware: any to try it out; an accelerator for more than a few hundred pictures. Images are
cropped to the aspect ratio of `image_size` and resized to it.
"""

from symmflow_jax.config import conversion


def get_config():
    """The config."""
    config = conversion.default()
    config.data.source = "paired_folder"
    config.data.image_size = (96, 128)
    config.data.random_crop = True
    config.data.random_flip = True
    config.data.eval_split = "val"
    config.semantics.encoding = "onehot"
    config.network.channels = 32
    config.network.channel_multipliers = (1, 2, 2, 4)
    config.network.num_res_blocks = 1
    config.train.batch_size = 8
    config.train.num_epochs = 100.0
    config.train.warmup_epochs = 5.0
    config.train.peak_learning_rate = 5e-4
    config.train.ema_decay = 0.999
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
    config.eval.num_generated = 16
    return config
