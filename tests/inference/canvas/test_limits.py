"""What one pass can take."""

import pytest

from symmflow_jax.inference.canvas.limits import check_whole


def test_attention_over_too_many_places_is_refused_with_the_remedy(random_model):
    method = random_model(**{"network.channel_multipliers": (1, 1)}).method
    check_whole(method, (256, 256))
    with pytest.raises(ValueError, match="512x256 pixels has 32768 places .* 16384 .* by 0.71"):
        check_whole(method, (256, 512))
    # Finer attention bounds the size more.
    fine = random_model(**{"network.attention_rates": (1,)}).method
    with pytest.raises(ValueError, match="65536 places"):
        check_whole(fine, (256, 256))
