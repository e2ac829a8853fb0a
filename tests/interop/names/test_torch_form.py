import pytest

from symmflow_jax.interop.names.torch_form import TorchForm


@pytest.mark.parametrize(
    ("text", "prefix"), [("", ""), ("unet", "unet."), ("unet.", "unet."), ("a.b_1", "a.b_1.")]
)
def test_a_prefix_ends_in_a_dot(text, prefix):
    assert TorchForm.of_flags(text, True) == TorchForm(prefix, True)


@pytest.mark.parametrize("text", [".", ".unet", "a b", "a/b", "a..b", "ünet", "a\n"])
def test_what_is_no_name_of_a_module_is_refused(text):
    with pytest.raises(ValueError, match="--weights_prefix is .*; give names of modules"):
        TorchForm.of_flags(text, False)
