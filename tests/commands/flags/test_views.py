"""The flags of images of any size."""

import pytest

from symmflow_jax.commands.flags import views


@pytest.fixture
def model(tiny_experiment):
    class Model:
        experiment = tiny_experiment()
        native_scale = 0.5

    return Model()


def test_without_flags_images_are_read_as_the_run_was_trained(model, flag_values):
    flag_values()
    assert views.view(model).name == "crop"
    assert views.view_of_masks(model) is None


def test_flags_are_those_of_a_view(model, flag_values):
    flag_values(fit="tiles", overlap="0.25", scales="0.5,1", flips="true")
    view = views.view(model)
    assert (view.name, view.overlap, view.scale) == ("tiles", 0.25, 0.5)
    assert view.scales == (0.5, 1.0) and view.flips
    assert views.view_of_masks(model) == view


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"overlap": "0.95"}, "overlap=0.95: it must be at least 0 and at most 0.9"),
        ({"scale": "0"}, "scale=0: it must be above 0"),
        ({"scales": "1,big"}, "--scales is 1,big; give numbers separated by commas"),
        ({"fit": "tile"}, "--fit is 'tile'; choose one of tiles"),
    ],
)
def test_bad_values_are_refused(model, flag_values, values, message):
    with pytest.raises(Exception, match=message):
        flag_values(**values)
        views.view(model)
