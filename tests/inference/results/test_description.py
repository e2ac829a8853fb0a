"""A model in one line."""

from symmflow_jax.inference.results.description import describe


def test_a_line_has_what_tells_models_apart():
    values = {
        "semantics": {"encoding": "onehot"},
        "network": {"name": "unet"},
        "train": {"clock": "mixed"},
    }
    options = {"dataset": "shapes", "num_parameters": 12345, "step": 7}
    names = tuple(f"class {n}" for n in range(10))
    line = describe(
        values, place="runs/a", learned="masks", image_shape=(8, 9, 3), names=names, **options
    )
    assert line == (
        "<Model in runs/a: masks and 8x9x3 images of shapes, 10 classes (class 0, class 1, class "
        "2, class 3, class 4, class 5, class 6, class 7 and 2 more), encoding onehot, clock mixed, "
        "unet of 12,345 parameters, step 7>"
    )
    line = describe(values, place="", learned="", image_shape=(2,), names=("a",), **options)
    assert line.startswith("<Model: points of 2 numbers of shapes, 1 classes (a), ")
