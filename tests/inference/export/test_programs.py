"""Functions from pixels to ids, and from ids to pixels."""

import dataclasses

import jax
import numpy as np
import pytest

from symmflow_jax.inference.export import packed_weights
from symmflow_jax.inference.export.programs import InputKind, ProgramForm, generator, programs
from symmflow_jax.inference.model import Model
from symmflow_jax.semantics import labels

_SEED = np.uint32(4)


@pytest.fixture
def filed_model(point_model) -> Model:
    """A model whose classes have the ids 30 and 7 in the files, and one of them also 9."""
    schema = labels.filed_under((30, 7), ("first", "second"))
    schema = labels.LabelSchema(schema.names, schema.raw_ids, schema.palette, (), ((9, 1),))
    experiment = point_model.experiment.with_schema(schema)
    return Model(experiment, point_model.weights, point_model.step)


def test_ids_are_those_of_the_files(filed_model):
    recognizer = programs(filed_model, ProgramForm(functions=("classify",)))[0]
    assert (recognizer.kind, recognizer.shape) == (InputKind.POINT, (2,))
    weights = packed_weights.pack(filed_model.method, filed_model.weights)
    points = np.random.default_rng(0).standard_normal((9, 2), np.float32)
    ids = recognizer.run(weights, points, _SEED)["ids"]
    expected = np.asarray(filed_model.predict_semantics(points, jax.random.key(4)).labels)
    np.testing.assert_array_equal(ids, filed_model.schema.to_raw(expected))


def test_an_id_without_a_class_makes_nothing_that_looks_right(filed_model):
    program = generator(filed_model, ProgramForm(num_steps=2))
    weights = packed_weights.pack(filed_model.method, filed_model.weights)
    made = program.run(weights, np.asarray([30, 8, 9, 7], np.int32), _SEED)["images"]
    expected = filed_model.generate_arrays([0, 0, 1, 1], jax.random.key(4), num_steps=2)
    assert np.isnan(made[1]).all()
    np.testing.assert_array_equal(np.asarray(made)[[0, 2, 3]], expected[[0, 2, 3]])


@pytest.mark.parametrize(("solver", "num_steps"), [("heun", 3), ("dopri5", None)])
def test_a_solver_is_that_of_the_model(filed_model, solver, num_steps):
    program = generator(filed_model, ProgramForm(solver=solver, num_steps=num_steps))
    assert program.num_steps == num_steps
    weights = packed_weights.pack(filed_model.method, filed_model.weights)
    made = program.run(weights, np.asarray([30, 7], np.int32), _SEED)["images"]
    steps = num_steps or 1
    expected = filed_model.generate_arrays(
        [0, 1], jax.random.key(4), num_steps=steps, solver=solver
    )
    np.testing.assert_array_equal(made, expected)


def test_the_tolerance_of_the_form_counts_more_than_that_of_the_run(filed_model):
    weights = packed_weights.pack(filed_model.method, filed_model.weights)

    def made(tolerance):
        program = generator(filed_model, ProgramForm(solver="dopri5", tolerance=tolerance))
        return program.run(weights, np.asarray([30, 7], np.int32), _SEED)["images"]

    finer = filed_model.experiment.with_tolerance(1e-7)
    model = dataclasses.replace(filed_model, experiment=finer)
    expected = model.generate_arrays([0, 1], jax.random.key(4), solver="dopri5")
    np.testing.assert_array_equal(made(1e-7), expected)
    assert not np.array_equal(made(None), expected)


def test_functions_are_those_of_the_model(scene_model, point_model):
    assert [p.name for p in programs(scene_model, ProgramForm())] == ["generate", "segment"]
    assert [p.name for p in programs(point_model, ProgramForm())] == ["generate", "classify"]
    assert [p.num_steps for p in programs(scene_model, ProgramForm())] == [25, 1]
    message = "--functions holds 'classify'; this model can generate and segment"
    with pytest.raises(ValueError, match=message):
        programs(scene_model, ProgramForm(functions=("segment", "classify")))
