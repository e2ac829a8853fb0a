"""Messages counted in the text of modules."""

from symmflow_jax.performance.plan import hlo
from symmflow_jax.performance.plan.collectives import Collective, collectives

MODULE = """HloModule jit_step, is_scheduled=true

%add (a: f32[], b: f32[]) -> f32[] {
  %a = f32[] parameter(0)
  %b = f32[] parameter(1)
  ROOT %sum = f32[] add(%a, %b)
}

%start_of_gather (p0: bf16[2,64]) -> bf16[16,64] {
  %p0 = bf16[2,64]{1,0:T(8,128)(2,1)} parameter(0)
  ROOT %g.1 = bf16[16,64]{1,0} all-gather(%p0), channel_id=3, frontend_attributes={chain_id="7"}
}

%end_of_gather (p1: bf16[2,64]) -> bf16[16,64] {
  %p1 = bf16[2,64]{1,0:T(8,128)(2,1)} parameter(0)
  ROOT %g.2 = bf16[16,64]{1,0} all-gather(%p1), channel_id=3, frontend_attributes={chain_id="7"}
}

%body (state: (s32[], f32[8,4])) -> (s32[], f32[8,4]) {
  %state = (s32[], f32[8,4]{1,0}) parameter(0)
  %index = s32[] get-tuple-element(%state), index=0
  %array = f32[8,4]{1,0} get-tuple-element(%state), index=1
  %scattered = f32[1,4]{1,0} reduce-scatter(%array), channel_id=2, dimensions={0}, to_apply=%add
  %whole = f32[8,4]{1,0} all-gather(%scattered), channel_id=3, dimensions={0}
  ROOT %next = (s32[], f32[8,4]{1,0}) tuple(%index, %whole)
}

%condition (state.1: (s32[], f32[8,4])) -> pred[] {
  %state.1 = (s32[], f32[8,4]{1,0}) parameter(0)
  %index.1 = s32[] get-tuple-element(%state.1), index=0
  %bound = s32[] constant(25)
  ROOT %less = pred[] compare(%index.1, %bound), direction=LT
}

ENTRY %main (x: f32[100], y: f32[50], z: bf16[2,64], loop: (s32[], f32[8,4])) -> f32[100] {
  %x = f32[100]{0} parameter(0)
  %y = f32[50]{0} parameter(1)
  %z = bf16[2,64]{1,0} parameter(2)
  %loop = (s32[], f32[8,4]{1,0}) parameter(3)
  %both = (f32[100]{0}, /*index=1*/f32[50]{0}) all-reduce(%x, %y), channel_id=1, to_apply=%add
  %gs = (f32[50]{0}, f32[400]{0}) all-gather-start(%y), channel_id=4, dimensions={0}
  %gd = f32[400]{0} all-gather-done(%gs)
  %ps = (f32[100]{0}, f32[100]{0}, u32[], u32[]) collective-permute-start(%x), channel_id=5
  %pd = f32[100]{0} collective-permute-done(%ps)
  %f1 = bf16[16,64]{1,0} fusion(%z), kind=kCustom, calls=%start_of_gather
  %f2 = bf16[16,64]{1,0} fusion(%z), kind=kCustom, calls=%end_of_gather
  %w = (s32[], f32[8,4]{1,0}) while(%loop), condition=%condition, body=%body
  ROOT %r = f32[100]{0} get-tuple-element(%both), index=0
}
"""


def test_pairs_tuples_copies_and_loops_count_as_they_run():
    assert collectives(hlo.parse(MODULE)) == [
        # 400 floats, 16 x 64 of two bytes, and 8 x 4 floats in each of 25 turns.
        Collective("all-gather", False, 1 + 1 + 25, 1600 + 2048 + 25 * 128),
        Collective("reduce-scatter", False, 25, 25 * 128),
        Collective("all-reduce", False, 1, 600),
        Collective("collective-permute", False, 1, 400),
    ]


SLICES = """HloModule jit_step

ENTRY %main (x: f32[16,8]) -> f32[2,8] {
  %x = f32[16,8]{1,0} parameter(0)
  %token = token[] after-all()
  %part = f32[2,8]{1,0} reduce-scatter(%x), channel_id=1, dimensions={0}, to_apply=%add
  %out = (f32[2,8]{1,0}, u32[], token[]) send(%part, %token), FRONT
  %in = (f32[2,8]{1,0}, u32[], token[]) recv(%token), FRONT
  %host = (f32[99]{0}, u32[], token[]) send(%y, %token), is_host_transfer=true
  ROOT %r = f32[2,8]{1,0} get-tuple-element(%in), index=0
}
""".replace(
    "FRONT",
    'is_host_transfer=true, frontend_attributes={_xla_host_transfer_rendezvous="psum.7_0",'
    '_xla_megascale_transfer_type="ALL_REDUCE"}',
)


def test_what_crosses_from_slice_to_slice_is_told_apart():
    assert collectives(hlo.parse(SLICES)) == [
        Collective("reduce-scatter", False, 1, 512),
        Collective("all-reduce", True, 1, 64),
    ]


def test_a_module_for_one_device_has_none():
    alone = "ENTRY %main (x: f32[2]) -> f32[2] {\n  %x = f32[2]{0} parameter(0)\n}"
    assert collectives(hlo.parse(alone)) == []
