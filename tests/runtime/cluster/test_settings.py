"""Where processes meet: flags, variables, and what is refused."""

import pytest

from symmflow_jax.runtime.cluster import detection, settings
from symmflow_jax.runtime.cluster.settings import Settings, of_process

_FLAGS = {"coordinator": "10.0.0.1:8476", "num_processes": "4", "process_id": "2"}


def test_flags_and_variables_say_the_same():
    expected = Settings("10.0.0.1", 8476, 4, 2)
    assert of_process(_FLAGS, {}) == expected
    variables = {settings.VARIABLES[name]: value for name, value in _FLAGS.items()}
    assert of_process({}, variables) == expected
    # A flag counts more.
    assert of_process({"process_id": "3"}, variables).process_id == 3
    timed = of_process(_FLAGS, {"SYMMFLOW_STARTUP_TIMEOUT": "7.5"})
    assert timed.startup_timeout == 7.5


def test_an_address_of_version_6_keeps_its_brackets():
    found = of_process(_FLAGS | {"coordinator": "[fe80::1]:80"}, {})
    assert (found.host, found.port, found.coordinator) == ("fe80::1", 80, "[fe80::1]:80")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"process_id": None}, r"given without --process_id \(or SYMMFLOW_PROCESS_ID\); give all"),
        ({"coordinator": None, "process_id": None}, "without --coordinator .* and --process_id"),
        ({"process_id": "4"}, r"--process_id=4 is no process of 4; their ids are 0 to 3\."),
        ({"process_id": "-1"}, "--process_id='-1' is no number of at least 0"),
        ({"num_processes": "0"}, "--num_processes='0' is no number of at least 1"),
        ({"num_processes": "two"}, "--num_processes='two' is no number"),
        ({"coordinator": "host"}, "--coordinator='host' is no address; give host and port"),
        ({"coordinator": "host:70000"}, "is no address"),
        ({"startup_timeout": "0"}, "--startup_timeout='0' is no positive number of seconds"),
        ({"startup_timeout": "nan"}, "no positive number of seconds"),
    ],
)
def test_incomplete_or_contradictory_values_are_told_in_one_line(changes, message):
    with pytest.raises(ValueError, match=message):
        of_process(_FLAGS | changes, {})


def test_a_host_alone_sets_nothing_up(monkeypatch):
    assert of_process({}, {}) is None
    # Whatever the cluster says.
    monkeypatch.setattr(detection, "detect", lambda timeout: pytest.fail("asked"))
    assert of_process({"num_processes": "1"}, {}) is None
    variables = {settings.VARIABLES[name]: value for name, value in _FLAGS.items()}
    assert of_process({"num_processes": "1"}, variables) is None
    assert of_process({}, {"SYMMFLOW_NUM_PROCESSES": "1"}) is None
    assert of_process(_FLAGS | {"num_processes": "1", "process_id": "0"}, {}) is None


def test_a_time_limit_alone_leaves_the_rest_to_the_cluster(monkeypatch):
    found = detection.Detected("node1:61000", 8, 5, [1])
    monkeypatch.setattr(detection, "detect", lambda timeout: found)
    expected = Settings("node1", 61000, 8, 5, 20.0, [1])
    assert of_process({"startup_timeout": "20"}, {}) == expected
