"""The label of an image or point."""

import numpy as np

from symmflow_jax.inference.given.images import given_images
from symmflow_jax.inference.results.classification import Classification, Classifications
from symmflow_jax.semantics.labels import consecutive

_SCHEMA = consecutive(("cat", "<dog>", "bird"))


def _result(label=1, probabilities=None, given=None) -> Classification:
    return Classification(label, 0.7, 0.5, probabilities, None, _SCHEMA, given)


def test_numpy_and_python_take_results_for_their_labels():
    results = Classifications([_result(1), _result(-1)])
    labels = np.asarray(results)
    assert labels.tolist() == [1, -1] and labels.dtype == np.int32
    assert int(results[0]) == 1 and ["a", "b"][results[0]] == "b"
    assert [result.name for result in results] == ["<dog>", "unsure"]


def test_the_most_probable_classes_come_first():
    result = _result(2, np.float32([0.2, 0.1, 0.7]))
    assert list(result.top(2)) == ["bird", "cat"]
    assert _result(1).top() == {"<dog>": 0.7}


def test_it_is_shown_with_its_file_and_no_markup_of_names(tmp_path):
    (item,) = given_images(np.zeros((2, 2), np.uint8), 1).items
    result = _result(1, np.float32([0.2, 0.7, 0.1]), item)
    assert repr(result) == "<Classification of The image: <dog> (1), confidence 0.700>"
    shown = result._repr_html_()
    assert "&lt;dog&gt;" in shown and "<dog>" not in shown and "0.700" in shown
    assert repr(Classifications([_result()])) == "[<Classification: <dog> (1), confidence 0.700>]"
