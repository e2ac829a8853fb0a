"""Settings of a pixel U-Net that no name or shape of its weights tells."""

import dataclasses

from symmflow_jax.networks.velocity.unet import UNet

PUBLISHED_GROUPS = 32
"""Groups of every normalization in the `UNetModel` of guided-diffusion, which has no setting."""

PUBLISHED_HEADS = (32, 64)
"""Channels of a head by default in the published code, and in the settings of the paper."""


@dataclasses.dataclass(frozen=True)
class AssumedSettings:
    """The settings that come from the user.

    Attributes:
        head_channels: channels of an attention head.
        num_groups: groups of each group normalization.
        new_attention_order: whether queries, keys and values come before the heads.
    """

    head_channels: int
    num_groups: int
    new_attention_order: bool

    @classmethod
    def of(cls, network: UNet, new_attention_order: bool) -> "AssumedSettings":
        """The settings of a network and of the flag for the order of its weights."""
        return cls(network.head_channels, network.num_groups, new_attention_order)

    def described(self) -> str:
        """One line with all values and where each comes from."""
        order, other = "heads first", "queries, keys and values first"
        flag = "--use_new_attention_order"
        if self.new_attention_order:
            order, other, flag = other, order, "--nouse_new_attention_order"
        return (
            f"heads of {self.head_channels} channels, {self.num_groups} groups, order of "
            f"attention {order}: not in the file, taken from config.network.head_channels, "
            f"config.network.num_groups and the flag ({flag} means {other}). The published code "
            f"has heads of {PUBLISHED_HEADS[0]} by default, {PUBLISHED_HEADS[1]} in the paper, and "
            f"always {PUBLISHED_GROUPS} groups."
        )

    def alternatives(self, network: UNet) -> list["AssumedSettings"]:
        """Other settings that the same weights may have been made with, at most seven.

        They are those of the published code, half and twice the channels of a head, and the other
        order with each.

        Args:
            network: the network, whose widths the settings must divide.
        """
        widths = {
            network.channels * multiplier
            for level, multiplier in enumerate(network.channel_multipliers)
            if 2**level in network.attention_rates
        } | {network.channels * network.channel_multipliers[-1]}
        heads = [*PUBLISHED_HEADS, 2 * self.head_channels, self.head_channels // 2]
        heads = [n for n in dict.fromkeys(heads) if n and not any(w % n for w in widths)]
        heads = [n for n in heads if n != self.head_channels][:_MOST_HEADS]
        groups = [n for n in (PUBLISHED_GROUPS,) if network.channels % n == 0]
        programs = [(n, self.num_groups) for n in heads]
        programs += [(self.head_channels, n) for n in groups if n != self.num_groups]
        return [
            AssumedSettings(*program, order)
            for program in [(self.head_channels, self.num_groups), *programs]
            for order in (self.new_attention_order, not self.new_attention_order)
        ][1:]

    def changes_to(self, other: "AssumedSettings") -> str:
        """The keys and flags that lead to other settings."""
        flag = (
            "use_new_attention_order" if other.new_attention_order else "nouse_new_attention_order"
        )
        changes = {
            f"config.network.head_channels={other.head_channels}": (
                self.head_channels != other.head_channels
            ),
            f"config.network.num_groups={other.num_groups}": self.num_groups != other.num_groups,
            flag: self.new_attention_order != other.new_attention_order,
        }
        return " ".join(f"--{change}" for change, is_one in changes.items() if is_one)


_MOST_HEADS = 2
