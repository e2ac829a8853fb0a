"""Memory traffic in loops."""

import jax
import jax.numpy as jnp

from symmflow_jax.performance.plan import hlo
from symmflow_jax.performance.plan.traffic import traffic

MODULE = """HloModule m

%inner (p: f32[100]) -> f32[100] {
  %p = f32[100]{0} parameter(0)
  ROOT %twice = f32[100]{0} add(%p, %p)
}

%body (state: (s32[], f32[100])) -> (s32[], f32[100]) {
  %state = (s32[], f32[100]{0}) parameter(0)
  %index = s32[] get-tuple-element(%state), index=0
  %array = f32[100]{0} get-tuple-element(%state), index=1
  %fused = f32[100]{0} fusion(%array), kind=kLoop, calls=%inner
  ROOT %next = (s32[], f32[100]{0}) tuple(%index, %fused)
}

%condition (state.1: (s32[], f32[100])) -> pred[] {
  %state.1 = (s32[], f32[100]{0}) parameter(0)
  ROOT %true = pred[] constant(true)
}

ENTRY %main (loop: (s32[], f32[100])) -> f32[100] {
  %loop = (s32[], f32[100]{0}) parameter(0)
  %w = (s32[], f32[100]{0}) while(%loop), condition=%condition, body=%body, %COUNT
  %last = f32[100]{0} get-tuple-element(%w), index=1
  %cs = (f32[100]{0:S(1)}, f32[100]{0}, u32[]{:S(2)}) copy-start(%last)
  %cd = f32[100]{0:S(1)} copy-done(%cs)
  %ss = ((f32[100]{0}), f32[20]{0:S(1)}, s32[]{:S(2)}) slice-start(%last), slice={[0:20]}
  %sd = f32[20]{0:S(1)} slice-done(%ss)
  %gs = (f32[50]{0}, f32[400]{0}) all-gather-start(%last), channel_id=4, dimensions={0}
  %gd = f32[400]{0} all-gather-done(%gs)
  ROOT %negative = f32[100]{0} negate(%cd)
}
""".replace("%COUNT", 'backend_config={"known_trip_count":{"n":"10"}}')


def test_loops_count_as_they_run_and_vector_memory_does_not():
    # In the body 400 bytes are read and written. Outside a copy reads 400 and a slice 80, a
    # gathering has 200 and 1,600, and the negation, of what is on the chip, writes 400.
    assert traffic(hlo.parse(MODULE)) == 10 * 800 + 400 + 80 + 1800 + 400


def test_a_product_reads_and_writes_its_matrices():
    compiled = jax.jit(lambda x, y: x @ y).lower(jnp.ones((64, 32)), jnp.ones((32, 16))).compile()
    # A library may take some room for itself.
    least = 4 * (64 * 32 + 32 * 16 + 64 * 16)
    assert least <= traffic(hlo.parse(compiled.as_text())) < 3 * least


def test_a_loop_of_this_jax():
    def moved(turns):
        def loop(x):
            return jax.lax.fori_loop(0, turns, lambda _, x: jnp.sin(x) @ x, x)

        compiled = jax.jit(loop).lower(jnp.ones((256, 256))).compile()
        return traffic(hlo.parse(compiled.as_text()))

    assert moved(60) - moved(30) == 30 * (moved(31) - moved(30)) > 0
