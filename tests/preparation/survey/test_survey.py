"""Every example is looked at once, and what it holds is counted."""

from symmflow_jax.preparation.survey.survey import examine


def test_a_colour_without_class_is_named(folder):
    experiment = folder([[[[255, 0, 0], [1, 2, 3]]]], class_colours=("#ff0000", "#000080"))
    findings = examine(experiment.training_source, "mask")
    assert "has the colour #010203 (1 in all)" in findings.errors[0]
