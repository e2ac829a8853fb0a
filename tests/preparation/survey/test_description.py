"""What a survey has found, in words."""

from symmflow_jax.preparation.check_data import check_data
from symmflow_jax.preparation.survey.description import describe
from symmflow_jax.preparation.survey.survey import examine


def look(experiment):
    source = experiment.training_source
    findings = examine(source, "mask")
    return findings, experiment.source_schema


def test_sizes_and_classes_are_counted(folder):
    experiment = folder([[[0, 0, 1]], [[1, 255, 255]], [[0, 1], [0, 0]]], ignored_id=255)
    findings, schema = look(experiment)
    assert findings.sizes == {(1, 3): 2, (2, 2): 1}
    assert findings.counts == {0: 5, 1: 3, 2: 2}
    text = describe(findings, schema, "training")
    assert "training: 3 examples, 3 of them readable." in text
    assert "3x1 (2), 2x2 (1)" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["0", "sky", "50.000%"] in lines
    assert ["255", "void", "20.000%", "(ignored)"] in lines
    assert check_data(experiment)
