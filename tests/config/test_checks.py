import pytest

from symmflow_jax.config import conversion


@pytest.mark.parametrize(
    ("section", "key", "choice"),
    [
        ("data", "source", "paired_folder"),
        ("data", "on_error", "skip"),
        ("semantics", "encoding", "palette"),
        ("network", "name", "unet"),
        ("network", "dtype", "bfloat16"),
        ("eval", "checkpoint", "best"),
    ],
)
def test_choices_are_listed(section, key, choice):
    with pytest.raises(ValueError, match=rf"config\.{section}\.{key} is 'nothing'; .*{choice}"):
        conversion.from_json({section: {key: "nothing"}})


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [("train", "batch_size", 0), ("train", "num_epochs", -1.0), ("eval", "tolerance", 0.0)],
)
def test_numbers_that_must_be_positive(section, key, value):
    with pytest.raises(ValueError, match=rf"config\.{section}\.{key} is .* must be positive"):
        conversion.from_json({section: {key: value}})


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_of_times_is_below_one(share):
    values = conversion.default()
    values.train.prob_at_one = share
    with pytest.raises(ValueError, match=f"prob_at_one is {share}; it must be at least 0"):
        conversion.from_config_dict(values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train.clock": "loose"}, "clock is 'loose'; choose one of tied, free, mixed"),
        ({"train.clock_shares.tied": 0.5}, "clock_shares are tied 0.5, .* must add up to 1"),
        (
            {
                "train.clock": "mixed",
                "train.clock_shares.tied": 1.0,
                "train.clock_shares.independent": 0.0,
                "train.clock_shares.clean_image": 0.0,
                "train.clock_shares.clean_semantics": 0.0,
            },
            "has tied times only; choose 'tied'",
        ),
        (
            {"eval.clock": "clean"},
            "eval.clock is 'clean', which needs a network that learns with a",
        ),
        ({"guidance.weight": 2.0}, "guidance.weight is 2.0, which needs a network that learns"),
        ({"semantics.label_scale": 0.0}, "label_scale is 0.0; it must be positive"),
    ],
)
def test_clocks_that_cannot_be_are_refused(changes, message):
    values = conversion.default()
    values.update_from_flattened_dict(changes)
    with pytest.raises(ValueError, match=message):
        conversion.from_config_dict(values)
