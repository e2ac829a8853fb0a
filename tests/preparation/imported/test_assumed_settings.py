"""Settings that weights cannot tell."""

import pytest

from symmflow_jax.networks.velocity.unet import UNet
from symmflow_jax.preparation.imported.assumed_settings import AssumedSettings


def test_all_values_are_told_with_their_places():
    text = AssumedSettings(64, 32, False).described()
    assert text.startswith(
        "heads of 64 channels, 32 groups, order of attention heads first: not in the file, taken "
        "from config.network.head_channels, config.network.num_groups and the flag "
        "(--use_new_attention_order means queries, keys and values first)."
    )
    text = AssumedSettings(32, 32, True).described()
    assert "order of attention queries, keys and values first" in text
    assert "--nouse_new_attention_order means heads first" in text


@pytest.mark.parametrize(
    ("network", "heads"),
    [
        # The paper's MNIST network, in which the middle alone attends, and that of CIFAR-10.
        (UNet(32, (1, 2, 2, 2)), {64, 32}),
        (UNet(256, (1, 2, 2, 2)), {64, 32, 128}),
        (UNet(64, (1, 2), attention_rates=(1,), head_channels=32), {32, 64, 16}),
        (UNet(8, (1, 2), attention_rates=(1, 2), head_channels=4, num_groups=4), {4, 8, 2}),
    ],
)
def test_alternatives_fit_the_widths(network, heads):
    assumed = AssumedSettings.of(network, False)
    others = assumed.alternatives(network)
    assert {settings.head_channels for settings in others} == heads
    assert len(others) == 2 * len(heads) - 1 and assumed not in others


def test_published_groups_are_an_alternative_to_others():
    network = UNet(64, (1,), num_groups=16)
    others = AssumedSettings.of(network, True).alternatives(network)
    assert AssumedSettings(64, 32, True) in others


def test_changes_are_flags():
    own = AssumedSettings(64, 32, False)
    assert own.changes_to(AssumedSettings(32, 32, True)) == (
        "--config.network.head_channels=32 --use_new_attention_order"
    )
    assert AssumedSettings(64, 16, True).changes_to(own) == (
        "--config.network.num_groups=32 --nouse_new_attention_order"
    )
