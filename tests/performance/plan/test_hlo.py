"""Compiled modules are read as XLA writes them."""

import jax
import jax.numpy as jnp
import pytest

from symmflow_jax.performance.plan import hlo

MODULE = """HloModule m

%body (state: (s32[], f32[4])) -> (s32[], f32[4]) {
  %state = (s32[], f32[4]{0}) parameter(0)
  ROOT %fused = (s32[], f32[4]{0}) fusion(%state), kind=kLoop, calls=%inner
}

%inner (p: (s32[], f32[4])) -> (s32[], f32[4]) {
  ROOT %p = (s32[], f32[4]{0}) parameter(0)
}

%condition (state.1: (s32[], f32[4])) -> pred[] {
  %state.1 = (s32[], f32[4]{0}) parameter(0)
  %index = s32[] get-tuple-element(%state.1), index=0
  %bound = s32[] constant(25)
  ROOT %less = pred[] compare(%index, %bound), direction=LT
}

%left (x.1: f32[4]) -> f32[4] {
  ROOT %x.1 = f32[4]{0} parameter(0)
}

%right (x.2: f32[4]) -> f32[4] {
  ROOT %x.2 = f32[4]{0} parameter(0)
}

ENTRY %main (loop: (s32[], f32[4]), which: s32[], x: f32[4]) -> f32[4] {
  %loop = (s32[], f32[4]{0}) parameter(0)
  %which = s32[] parameter(1)
  %x = f32[4]{0} parameter(2)
  %w = (s32[], f32[4]{0}) while(%loop), condition=%condition, body=%body
  ROOT %c = f32[4]{0} conditional(%which, %x, %x), branch_computations={%left, %right}
}
"""


def test_computations_run_as_often_as_their_loops():
    assert hlo.parse(MODULE).runs() == {
        "main": 1,
        "body": 25,
        "condition": 25,
        "inner": 25,
        "left": 1,
        "right": 1,
    }


def test_only_the_calls_asked_for_are_followed():
    runs = hlo.parse(MODULE).runs(frozenset({"while"}))
    assert runs == {"main": 1, "body": 25, "condition": 25}


def test_a_noted_number_of_turns_is_believed():
    noted = MODULE.replace(
        "body=%body", 'body=%body, backend_config={"known_trip_count":{"n":"3"}}'
    )
    assert hlo.parse(noted).runs()["body"] == 3


@pytest.mark.parametrize(
    ("type_text", "expected"),
    [
        ("f32[2,3]{1,0}", [24]),
        ("(bf16[8]{0:T(256)}, pred[5], u32[])", [16, 5, 4]),
        ("s4[3]", [2]),
        ("f8e4m3fn[7]", [7]),
    ],
)
def test_bytes_of_a_type(type_text, expected):
    assert hlo.sizes(type_text) == expected


def test_where_arrays_are():
    found = hlo.arrays("(f32[2,3]{1,0:T(8,128)S(1)}, bf16[4]{0:T(256)}, u32[]{:S(2)})")
    assert found == [hlo.Array(24, 1), hlo.Array(8, 0), hlo.Array(4, 2)]


def test_a_module_of_this_jax_is_read():
    def turns(x):
        return jax.lax.fori_loop(0, 7, lambda _, x: jnp.sin(x) @ x, x)

    module = hlo.parse(jax.jit(turns).lower(jnp.ones((8, 8))).compile().as_text())
    assert module.computations[module.entry]
    assert 7 in module.runs().values()
