"""A flow map of drawn scenes: images in one pass, from the weights of a run of `shapes.py`.

    python -m symmflow_jax.main --config=configs/shapes.py
    python -m symmflow_jax.main --config=configs/shapes_map.py
    python -m symmflow_jax.main --config=configs/shapes_map.py --mode=evaluate

The first run is in `runs/shapes`, the default of `train.init_from` and of `train.map_target` here.
See docs/few_steps.md.

Hardware: any. A step takes about twice as long as one of `shapes.py`. Expect one-step masks as good
as those of `runs/shapes`, and images of one pass that are near its images of 25.
"""

from symmflow_jax.config.reading.config_file import beside

shapes = beside(__file__, "shapes.py")


def get_config():
    """The config."""
    config = shapes.get_config()
    config.train.objective = "flow_map"
    config.train.init_from = "runs/shapes"
    config.train.map_target = "runs/shapes"
    config.train.num_epochs = 0.32
    config.train.warmup_epochs = 0.03
    config.train.peak_learning_rate = 1e-3
    config.eval.generation_solver = "flow_map"
    config.eval.generation_steps = 1
    return config
