"""The commands for networks beside the velocity."""

from symmflow_jax.commands import tuning


def test_a_classifier_is_a_file_of_the_run(called, flag_values, tmp_path):
    train = called("preparation.train_classifier:train_classifier")
    flag_values(classifier_steps="20")
    tuning.TRAIN_CLASSIFIER.run("experiment", tmp_path)
    assert train.arguments == ("experiment", tmp_path / "classifier.safetensors", 20)


def test_a_tuned_decoder_that_exists_is_kept(called, flag_values, tmp_path):
    tune = called("preparation.finetune_decoder:finetune_vae")
    tuning.FINETUNE_VAE.run("experiment", tmp_path)
    assert tune.named == {"overwrite": False}
    flag_values(overwrite="true")
    tuning.FINETUNE_VAE.run("experiment", tmp_path)
    assert tune.named == {"overwrite": True}
