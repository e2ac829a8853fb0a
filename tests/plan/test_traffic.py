"""Memory traffic in loops."""

import jax
import jax.numpy as jnp
import pytest

from symmflow_jax.plan import hlo
from symmflow_jax.plan.traffic import loop_factor

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
  %cs = (f32[100]{0}, f32[100]{0}, u32[]) copy-start(%last)
  %cd = f32[100]{0} copy-done(%cs)
  ROOT %negative = f32[100]{0} negate(%cd)
}
""".replace("%COUNT", 'backend_config={"known_trip_count":{"n":"10"}}')


def test_what_loops_counts_as_often_as_it_runs():
    # 800 bytes in the body; the copy, with its state of 4, and the negation move 1,604 outside.
    assert loop_factor(hlo.parse(MODULE)) == pytest.approx((10 * 800 + 1604) / (800 + 1604))


def test_nothing_to_multiply_without_loops():
    compiled = jax.jit(lambda x: jnp.sin(x) @ x).lower(jnp.ones((8, 8))).compile()
    assert loop_factor(hlo.parse(compiled.as_text())) == 1.0


def test_a_loop_of_this_jax():
    def factor(turns):
        def loop(x):
            return jax.lax.fori_loop(0, turns, lambda _, x: jnp.sin(x) @ x, x)

        compiled = jax.jit(loop).lower(jnp.ones((256, 256))).compile()
        return loop_factor(hlo.parse(compiled.as_text()))

    # Each further turn adds the traffic of one body, which is most of what there is.
    assert (factor(60) - 1) / (factor(30) - 1) == pytest.approx(59 / 29)
    assert 20 < factor(30) < 30
