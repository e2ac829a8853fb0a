"""Settings: those of the page, and no others."""

import pytest

from symmflow_jax.methods.editing import Origin
from symmflow_jax.studio import settings
from symmflow_jax.studio.refusal import Refusal
from symmflow_jax.studio.settings import Settings


def test_settings_come_back_as_they_went():
    chosen = Settings(8, 2.0, 2**32 - 1, 3, Origin.NOISE, keeps_unchanged=False)
    assert Settings.read(chosen.to_json()) == chosen
    assert Settings.read(None) == Settings.read({}) == Settings()


def test_each_variant_has_the_next_seed():
    assert Settings(seed=2**32 - 2, num_variants=3).seeds == (2**32 - 2, 2**32 - 1, 0)


def test_what_the_page_offers_is_taken():
    offered = settings.choices()
    for name, values in (("num_steps", offered["num_steps"]), ("origin", offered["origins"])):
        for value in values:
            assert Settings.read({name: value}).to_json()[name] == value


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"num_steps": 3}, "num_steps is 3; it must be one of 1, 2, 4"),
        ({"num_steps": True}, "num_steps is True"),
        ({"guidance": "2"}, "guidance is '2'; it must be one of 1.0"),
        ({"seed": -1}, "seed is -1; it must be a whole number, 0 to 4294967295"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"seed": 10**5000}, "seed is a number of thousands of digits"),
        ({"num_variants": 7}, "num_variants is 7; it must be a whole number, 1 to 6"),
        ({"origin": "disk"}, "origin is 'disk'; it must be one of photo, noise, inversion"),
        ({"keeps_unchanged": 1}, "keeps_unchanged is 1; it must be one of False, True"),
        ({"steps": 3}, "no setting 'steps'; there are num_steps"),
        ([], "no object of JSON"),
    ],
)
def test_other_values_are_refused(values, message):
    with pytest.raises(Refusal, match=message):
        Settings.read(values)
