"""A hundred cases of the campaign, over all kinds of input; and the judge is judged."""

import logging
import pathlib
import time

import pytest

from tests.campaigns import judgement
from tests.campaigns.campaign import Campaign, report
from tests.campaigns.judgement import EXCUSED, FAILED, REFUSED, SAME, TOLD
from tests.campaigns.kinds import Kind
from tests.campaigns.tables import CONFIGS, KINDS

# Runs are trained, and every kind of input is read as a command would.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_NAMES = (*KINDS, *CONFIGS)
_CASES = 3  # Of each kind.


@pytest.fixture(scope="module")
def campaign(tmp_path_factory) -> Campaign:
    return Campaign(tmp_path_factory.mktemp("campaign"))


def test_there_are_a_hundred_cases():
    assert len(_NAMES) * _CASES >= 100


@pytest.mark.parametrize("name", _NAMES)
def test_damage_is_refused_in_one_line_or_told_or_does_nothing(campaign, name):
    seeds = (seed for seed in range(100_000) if campaign.kind_of(seed) == name)
    for seed in (next(seeds) for _ in range(_CASES)):
        outcome = campaign.case(seed)
        assert outcome.outcome != FAILED, outcome


def _make(folder: pathlib.Path, variant: int) -> None:
    (folder / "numbers.txt").write_text("1 2 3")


def _judged(read, tmp_path, **attributes) -> set[tuple[str, str]]:
    """Outcomes and details of a few cases of a reader."""
    campaign = Campaign(tmp_path, seconds=0.2)
    campaign._kinds, campaign._configs = {"numbers": Kind(_make, read, **attributes)}, {}
    outcomes = [campaign.case(seed) for seed in range(12)]
    assert report(outcomes, 1.0)
    return {(o.outcome, o.detail) for o in outcomes if o.target}


def _reading(answer):
    """A reader that answers in its own way once the file is not what it was."""

    def read(folder: pathlib.Path, variant: int):
        path = folder / "numbers.txt"
        if path.is_file() and path.read_bytes() == b"1 2 3":
            return {"numbers": 3}
        return answer(path)

    return read


def _fails(error: BaseException):
    def answer(path: pathlib.Path):
        raise error

    return answer


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (_fails(KeyError("numbers")), "traceback: KeyError"),
        (_fails(ValueError("numbers.txt\nis wrong")), "2 lines: numbers.txt"),
        (_fails(ValueError("something is wrong")), "names neither numbers.txt nor"),
        (_fails(ValueError("numbers.txt" * 200)), "2200 characters"),
        (_fails(ValueError("")), "an empty message"),
        (lambda path: {"numbers": 4}, "another answer without a word: /numbers was '3', is '4'"),
        (lambda path: time.sleep(5), "hang: more than 0.2 s"),
    ],
)
def test_what_must_not_happen_is_found(answer, found, tmp_path):
    outcomes = _judged(_reading(answer), tmp_path)
    assert any(outcome == FAILED and found in detail for outcome, detail in outcomes)


def test_a_refusal_that_names_the_file_is_right(tmp_path):
    outcomes = _judged(_reading(_fails(ValueError("numbers.txt is damaged"))), tmp_path)
    assert {outcome for outcome, _ in outcomes} <= {SAME, REFUSED}
    assert (REFUSED, "numbers.txt is damaged") in outcomes


def test_another_answer_is_right_if_it_is_told_or_nobody_could_see(tmp_path):
    def tell(path: pathlib.Path):
        logging.getLogger("symmflow_jax.campaign").warning("%s was left out.", path.name)
        return {"numbers": 0}

    (tmp_path / "told").mkdir()
    told = _judged(_reading(tell), tmp_path / "told")
    assert (TOLD, "numbers.txt was left out.") in told
    (tmp_path / "excused").mkdir()
    excused = _judged(
        _reading(lambda path: {"numbers": 0}),
        tmp_path / "excused",
        excuse=lambda damage, difference: "numbers have no checksum",
    )
    assert any(o == EXCUSED and d.startswith("numbers have no checksum") for o, d in excused)


def test_a_seed_makes_the_same_case_every_time(tmp_path):
    campaign = Campaign(tmp_path)
    campaign._kinds, campaign._configs = {"npz": KINDS["npz"]}, {}
    first, again = campaign.case(4), campaign.case(4)
    assert (first.mutation, first.target, first.outcome) == (
        again.mutation, again.target, again.outcome
    )  # fmt: skip


def test_memory_is_measured():
    judgement.forget_peak()
    before = judgement.peak_megabytes()
    block = bytearray(200 << 20)
    block[:: 1 << 12] = b"1" * len(block[:: 1 << 12])
    assert judgement.peak_megabytes() > before + 150
