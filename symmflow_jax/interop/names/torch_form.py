"""The form of a state dict: what PyTorch programs name or order in different ways."""

import dataclasses
import re

from symmflow_jax.runtime.errors import shown_value


@dataclasses.dataclass(frozen=True)
class TorchForm:
    """The form of a state dict, which no array in it tells.

    Attributes:
        prefix: text before every name, empty or with a dot at its end, such as "unet." for the
            published SymmFMSD, whose network holds a `UNet2DConditionModel` as its `unet`.
        new_attention_order: whether a pixel U-Net was made with `use_new_attention_order`.
    """

    prefix: str = ""
    new_attention_order: bool = False

    @classmethod
    def of_flags(cls, weights_prefix: str, new_attention_order: bool) -> "TorchForm":
        """The form of a prefix with or without its last dot.

        Raises:
            ValueError: if the prefix is no dotted name.
        """
        if weights_prefix and not re.fullmatch(r"\w+(\.\w+)*\.?", weights_prefix, re.ASCII):
            raise ValueError(
                f"--weights_prefix is {shown_value(weights_prefix)}; give names of modules with "
                "dots between them, such as unet or model.unet."
            )
        prefix = weights_prefix.rstrip(".")
        return cls(f"{prefix}." if prefix else "", new_attention_order)


PLAIN_FORM = TorchForm()
"""The names of the network itself, and the order of attention that is the default."""
