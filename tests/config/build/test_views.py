"""Views by name: defaults, options that they use, and what is refused."""

import pytest

from symmflow_jax.config.build import views
from symmflow_jax.config.schema.fields import fields_of
from symmflow_jax.config.values import Config, DataConfig, EvalConfig
from symmflow_jax.flow.windows import MOST_OVERLAP


def test_the_default_is_the_geometry_of_the_training():
    assert views.make_view(Config(), None).name == "crop"
    letterbox = Config(data=DataConfig(fit="letterbox"))
    assert views.make_view(letterbox, 0.5).name == "letterbox"
    cut = views.make_view(Config(data=DataConfig(random_scale=(0.5, 2.0))), 1.0)
    assert (cut.name, cut.scale, cut.overlap, cut.scales) == ("tiles", 1.0, 0.5, (1.0,))


def test_tiles_have_the_scale_of_the_run_or_a_given_one():
    assert views.make_view(Config(), 0.25, fit="tiles").scale == 0.25
    assert views.make_view(Config(), 0.25, fit="tiles", scale=2.0).scale == 2.0
    with pytest.raises(ValueError, match="earlier versions; give --scale, such as --scale=1"):
        views.make_view(Config(), None, fit="tiles", prefix="--")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fit": "tile"}, "--fit is 'tile'; choose one of tiles, whole"),
        ({"fit": "whole", "overlap": 0.5}, "--overlap is 0.5, but --fit=whole .* tiles or crop"),
        ({"fit": "stretch", "scales": (1, 2)}, "--scales is .* tiles or whole or crop"),
        ({"fit": "crop", "scale": 2.0}, "--scale is 2.0, but --fit=crop .* tiles or whole"),
        (
            {"fit": "tiles", "overlap": 0.95},
            "--overlap is 0.95; it must be at least 0 and at most 0.9",
        ),
        ({"fit": "tiles", "scales": (1.0, 0.0)}, "--scales is .* each number must be above 0"),
        ({"fit": "tiles", "scales": ()}, "--scales is empty; give factors such as 0.75,1,1.25"),
        ({"fit": "tiles", "scale": -1.0}, "--scale is -1.0; it must be above 0"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_remedy(options, message):
    with pytest.raises(ValueError, match=message):
        views.make_view(Config(), 1.0, prefix="--", **options)


def test_evaluation_reads_whole_images_only_if_the_config_says_how():
    assert views.make_evaluation_view(Config(), 1.0) is None
    config = Config(eval=EvalConfig(original_size=True, fit="whole", flips=True, scale=0.5))
    view = views.make_evaluation_view(config, None)
    assert view and (view.name, view.flips, view.scale) == ("whole", True, 0.5)


def test_the_range_of_the_overlap_is_that_of_windows():
    allowed = fields_of(EvalConfig)["overlap"].allowed
    assert MOST_OVERLAP in allowed and MOST_OVERLAP + 1e-6 not in allowed
