"""Attention that keeps its logits out of a TPU's main memory."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, PartitionSpec
from jaxtyping import Array, Float

Query = Float[Array, "batch length heads n"]
KeyOrValue = Float[Array, "batch context_length heads n"]

_LANES = 128
"""The kernel's blocks are multiples of this size."""

_ROOM = 2048 * _LANES
"""Numbers of one array that a TPU's fast memory can hold, beside a few such arrays."""


def attend(query: Query, key: KeyOrValue, value: KeyOrValue, implementation: str = "auto") -> Query:
    """Softmax attention of each head, `[batch, length, heads, n]`, as `query`.

    On TPU, logits of many tokens are made and used block by block inside of a kernel (Dao et al.
    2022, arXiv 2205.14135). XLA would write and read `length ** 2` float32 numbers for each head,
    several times: most of the memory traffic at 64x64 tokens.

    The kernel has a gradient, but no tangent (forward mode), and JAX differentiates both sides of
    the choice of a platform. Tangents need the implementation of XLA.

    Args:
        query: `[batch, length, heads, n]`.
        key: `[batch, context length, heads, n]`.
        value: as `key`.
        implementation: a name of `IMPLEMENTATIONS`.
    """
    return IMPLEMENTATIONS[implementation](query, key, value)


def _by_platform(query: Query, key: KeyOrValue, value: KeyOrValue) -> Query:
    # The kernel needs to know the size of the batch, which an export leaves open.
    is_open = not isinstance(query.shape[0], int)
    if is_open or query.shape[1] % _LANES or key.shape[1] % _LANES:
        return jax.nn.dot_product_attention(query, key, value)
    return jax.lax.platform_dependent(
        query, key, value, tpu=_on_each_device, default=jax.nn.dot_product_attention
    )


IMPLEMENTATIONS: dict[str, Callable[..., Query]] = {
    "auto": _by_platform,
    "xla": jax.nn.dot_product_attention,
}
"""Implementations of attention: the kernel on TPU and XLA's elsewhere, or always XLA's."""


def _on_each_device(query: Query, key: KeyOrValue, value: KeyOrValue) -> Query:
    """The kernel, which the compiler cannot split; devices that share a batch each run it."""
    mesh = jax.typeof(query).sharding.mesh
    if mesh.empty or AxisType.Auto not in mesh.axis_types:
        return _flash_attention(query, key, value)
    spec = PartitionSpec(mesh.axis_names) if len(query) % mesh.size == 0 else PartitionSpec()
    return jax.shard_map(
        _flash_attention, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False
    )(query, key, value)


def _flash_attention(query: Query, key: KeyOrValue, value: KeyOrValue) -> Query:
    # Pallas is imported here, since it would slow down every start.
    from jax.experimental.pallas.ops.tpu import flash_attention

    # A program keeps as many keys and values as fit: queries are read once for each such part.
    # The logits of one block are smaller.
    room = _ROOM // max(query.shape[-1], _LANES)
    rows, columns = (_largest_block(array.shape[1], 512) for array in (query, key))
    kept = columns * _largest_block(key.shape[1] // columns, room // columns, step=1)
    heads_first = functools.partial(jnp.swapaxes, axis1=1, axis2=2)
    result = flash_attention.flash_attention(
        heads_first(query),
        heads_first(key),
        heads_first(value),
        sm_scale=query.shape[-1] ** -0.5,
        block_sizes=flash_attention.BlockSizes(
            block_b=1,
            block_q=rows,
            block_k_major=kept,
            block_k=columns,
            block_q_major_dkv=rows,
            block_q_dkv=rows,
            block_k_major_dkv=kept,
            block_k_dkv=columns,
            # More at a time would have this kernel's logits written out.
            block_q_dq=rows,
            block_k_major_dq=columns,
            block_k_dq=columns,
        ),
    )
    return heads_first(result)


def _largest_block(length: int, most: int, step: int = _LANES) -> int:
    """The largest multiple of `step`, up to `most`, that divides the length."""
    return max(size for size in range(step, most + 1, step) if length % size == 0)
