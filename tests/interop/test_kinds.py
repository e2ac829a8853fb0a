"""What networks are called in PyTorch."""

import pytest

from symmflow_jax.interop import files
from symmflow_jax.interop.kinds import check_attention_order, kind_of
from symmflow_jax.networks.velocity.latent_unet import LatentUNet
from symmflow_jax.networks.velocity.mlp import MLP
from symmflow_jax.networks.velocity.unet import UNet


def test_every_u_net_has_a_kind_of_its_own(tiny_experiment):
    assert kind_of(LatentUNet()) == files.LATENT_UNET
    network = tiny_experiment().method.network
    assert isinstance(network, UNet) and kind_of(network) == files.PIXEL_UNET
    assert files.LATENT_UNET != files.PIXEL_UNET


def test_another_network_has_no_form_in_pytorch(tiny_experiment):
    points = {
        "data.source": "spirals",
        "data.image_size": (),
        "semantics.encoding": "plane",
        "network.name": "mlp",
    }
    network = tiny_experiment(**points).method.network
    assert isinstance(network, MLP)
    with pytest.raises(ValueError, match=r"name='mlp' has no form in PyTorch; .* unet and latent"):
        kind_of(network)


def test_only_pixel_u_nets_have_two_orders_of_attention(tiny_experiment):
    pixel = tiny_experiment().method.network
    for order in (False, True):
        check_attention_order(pixel, order)
    check_attention_order(LatentUNet(), False)
    with pytest.raises(ValueError, match="--use_new_attention_order is a setting of pixel U-Nets"):
        check_attention_order(LatentUNet(), True)
