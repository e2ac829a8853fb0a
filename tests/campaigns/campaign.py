"""A campaign of damaged inputs: none may end in a traceback, a hang or a wrong answer in silence.

    python -m tests.campaigns.campaign --seeds=0:10000 --workers=2 --report=campaign.md

A case is a seed. It makes a valid input, damages it in one way, reads it as a command would, and
judges what came of it (see `judgement`). Worker processes run the cases, so that the death of one,
a hang in foreign code, or too much memory is counted and the campaign goes on.
"""

import argparse
import collections
import contextlib
import dataclasses
import gc
import json
import logging
import multiprocessing
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
import warnings
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tests.campaigns import judgement
from tests.campaigns.judgement import EXCUSED, FAILED, REFUSED, SAME, TOLD, Hang, Outcome
from tests.campaigns.mutations import BYTES, FILES, Damage, stop_pipes

_POLL = 0.2
_CASES_PER_WORKER = 4_000
_WORKER_MEGABYTES = 2_500
_MAKING = 300  # Seconds in which the first case of a kind may make its valid input.


class Campaign:
    """Runs cases in this process.

    Args:
        folder: an empty folder for valid inputs, which are made once, and for the cases.
        seconds: time that a case may take.
    """

    def __init__(self, folder: pathlib.Path, seconds: float = judgement.SECONDS):
        # Imported here, because these take seconds and the parent of workers needs none.
        from tests.campaigns.tables import CONFIGS, KINDS

        self._folder, self._seconds = folder, seconds
        self._kinds, self._configs = KINDS, CONFIGS
        self._truths: dict[tuple[str, int], tuple[Any, list[str]]] = {}

    @property
    def shares(self) -> dict[str, float]:
        """Share of the cases of each kind, relative to the others."""
        kinds = {name: kind.share for name, kind in self._kinds.items()}
        return kinds | {name: config.share for name, config in self._configs.items()}

    def kind_of(self, seed: int) -> str:
        """The kind of input of a case."""
        return self._choose_kind(np.random.default_rng(seed))

    def case(self, seed: int) -> Outcome:
        """Runs one case."""
        rng = np.random.default_rng(seed)
        name = self._choose_kind(rng)
        place = pathlib.Path(tempfile.mkdtemp(dir=self._folder))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if name in self._configs:
                    return self._config_case(seed, name, rng, place)
                return self._file_case(seed, name, rng, place)
        finally:
            stop_pipes(place)
            shutil.rmtree(place, ignore_errors=True)

    def _choose_kind(self, rng: np.random.Generator) -> str:
        shares = self.shares
        chances = np.asarray(list(shares.values()))
        return list(shares)[int(rng.choice(len(shares), p=chances / chances.sum()))]

    def _config_case(
        self, seed: int, name: str, rng: np.random.Generator, place: pathlib.Path
    ) -> Outcome:
        _note(self._folder, name, "", "")
        judgement.forget_peak()
        try:
            with judgement.at_most(self._seconds):
                outcome = self._configs[name].run(rng, place)
        except Hang as error:
            outcome = Outcome(0, "", "", "", FAILED, f"hang: {error}", judgement.place_of(error))
        return _with_memory(dataclasses.replace(outcome, seed=seed, kind=name))

    def _file_case(
        self, seed: int, name: str, rng: np.random.Generator, place: pathlib.Path
    ) -> Outcome:
        kind = self._kinds[name]
        variant = int(rng.integers(kind.variants))
        truth, usual = self._truth(name, variant)
        folder = place / "input"
        shutil.copytree(self._template(name, variant), folder, symlinks=True)
        damage = _damage(rng, folder, kind)
        names = (*damage.names, *kind.names)
        _note(self._folder, name, damage.mutation, damage.target)
        judgement.forget_peak()
        error: BaseException | None = None
        result: Any = None
        with judgement.heard() as heard:
            try:
                with judgement.at_most(self._seconds):
                    result = kind.read(folder, variant)
            except Exception as caught:
                error = caught
            except (Hang, SystemExit) as caught:
                error = caught
        lines = [line.replace(str(folder), "") for line in heard]
        outcome, detail, where = _judge(kind, damage, truth, result, error, lines, usual, names)
        return _with_memory(
            Outcome(seed, name, damage.mutation, damage.target, outcome, detail, where)
        )

    def _template(self, name: str, variant: int) -> pathlib.Path:
        return self._folder / f"valid {list(self._kinds).index(name)}-{variant}"

    def _truth(self, name: str, variant: int) -> tuple[Any, list[str]]:
        """The answer for the valid input, and the lines that were logged."""
        if (name, variant) not in self._truths:
            template = self._template(name, variant)
            template.mkdir()
            self._kinds[name].make(template, variant)
            again = self._folder / "again"
            shutil.copytree(template, again, symlinks=True)
            with judgement.heard() as heard:
                truth = self._kinds[name].read(again, variant)
            shutil.rmtree(again)
            assert not judgement.errors_in(truth), (name, judgement.errors_in(truth)[0])
            lines = [line.replace(str(again), "") for line in heard]
            self._truths[name, variant] = truth, lines
        return self._truths[name, variant]


def _damage(rng: np.random.Generator, folder: pathlib.Path, kind: Any) -> Damage:
    """Damages one file of a folder."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    paths = [path for path in files if kind.targets(str(path.relative_to(folder)))]
    path = paths[int(rng.integers(len(paths)))]
    target, before = str(path.relative_to(folder)), path.read_bytes()
    names: list[str] = []
    own = [m for ending, ms in kind.damages.items() if path.name.endswith(ending) for m in ms]
    chance = rng.random()
    after: bytes | None = before
    changed: bytes | None = None
    if own and chance < 0.35:
        function = own[int(rng.integers(len(own)))]
        mutation = function.__name__
        # Not every array can become every other, and not every file has the format of its name.
        with contextlib.suppress(ValueError, TypeError, KeyError, zipfile.BadZipFile):
            changed = function(rng, before)
    if changed is not None:
        after = changed
    elif chance < 0.75:
        mutation = list(BYTES)[int(rng.integers(len(BYTES)))]
        after = BYTES[mutation](rng, before)
    else:
        mutation = list(FILES)[int(rng.integers(len(FILES)))]
        names = FILES[mutation](rng, path)
        after = path.read_bytes() if _is_plain(path) else None
    if after is not None and after != before and _is_plain(path):
        path.write_bytes(after)
    names = [path.name, path.stem, *names]
    return Damage(mutation, target, tuple(dict.fromkeys(filter(None, names))), before, after)


def _is_plain(path: pathlib.Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _judge(
    kind: Any,
    damage: Damage,
    truth: Any,
    result: Any,
    error: BaseException | None,
    lines: list[str],
    usual: list[str],
    names: tuple[str, ...],
) -> tuple[str, str, str]:
    """Outcome, detail, and the place of an error in the package."""
    if isinstance(error, Hang):
        return FAILED, f"hang: {error}", judgement.place_of(error)
    refused = judgement.errors_in(result) if error is None else [error]
    for each in refused:
        fault = judgement.fault_of(each, names)
        if fault:
            return FAILED, fault, judgement.place_of(each)
    if error is not None:
        return REFUSED, str(error), ""
    different = judgement.difference(truth, result)
    if different:
        word = judgement.mentions(lines, usual, names)
        if word:
            return TOLD, word, ""
        reason = kind.excuse(damage, different)
        if reason:
            return EXCUSED, f"{reason} ({different})", ""
        return FAILED, f"another answer without a word: {different}", ""
    return (REFUSED, str(refused[0]), "") if refused else (SAME, "", "")


def _with_memory(outcome: Outcome) -> Outcome:
    peak = judgement.peak_megabytes()
    if peak > judgement.MEGABYTES:
        return dataclasses.replace(outcome, outcome=FAILED, detail=f"memory: {peak:.0f} MB")
    return outcome


# Workers.

_CURRENT = "current.json"


def _note(folder: pathlib.Path, *parts: str) -> None:
    """Leaves word of the case that begins, for whoever has to end it."""
    (folder / _CURRENT).write_text(json.dumps(parts))


def _work(connection: Any, folder: str, seconds: float) -> None:
    """Runs the cases whose seeds arrive, in a process of its own."""
    _be_quiet(pathlib.Path(folder))
    from symmflow_jax.runtime import compilation

    compilation.choose_fast_cpu_kernels()
    campaign = Campaign(pathlib.Path(folder), seconds)
    connection.send(None)
    while True:
        seed = connection.recv()
        if seed is None:
            os._exit(0)
        try:
            outcome = campaign.case(seed)
        except Exception as error:
            text = "".join(traceback.format_exception(error))[-2_000:]
            outcome = Outcome(seed, "", "", "", FAILED, f"the campaign itself: {text}")
        gc.collect()
        connection.send(outcome)


def _be_quiet(folder: pathlib.Path) -> None:
    """Sends what libraries print to a file, and makes compilation cheap."""
    os.environ["XLA_FLAGS"] = "--xla_backend_optimization_level=0"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    # The workers share compiled programs.
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder.parent / "compiled")
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.1"
    tempfile.tempdir = str(folder)
    noise = os.open(folder / "noise.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(noise, 1)
    os.dup2(noise, 2)
    logging.getLogger("symmflow_jax").propagate = False
    logging.getLogger("absl").setLevel(logging.ERROR)


class _Worker:
    """A process that runs cases, watched from here."""

    def __init__(self, folder: pathlib.Path, seconds: float):
        self._seconds = seconds
        self._folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_work, args=(theirs, str(self._folder), seconds), daemon=True
        )
        self._process.start()
        theirs.close()
        self._connection.recv()
        self.cases = 0

    def run(self, seed: int) -> Outcome:
        """The outcome of a case; afterwards the process may be dead."""
        self._connection.send(seed)
        self.cases += 1
        end = time.monotonic() + self._seconds + _MAKING
        while not self._connection.poll(_POLL):
            if self.megabytes() > judgement.MEGABYTES:
                return self._killed(seed, f"memory: {self.megabytes():.0f} MB")
            if time.monotonic() > end:
                return self._killed(seed, "hang: in foreign code, which no signal ends")
        try:
            return self._connection.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            return self._killed(seed, f"death: {self._process.exitcode}")

    def _killed(self, seed: int, detail: str) -> Outcome:
        note = self._folder / _CURRENT
        kind, mutation, target = json.loads(note.read_text()) if note.exists() else ("", "", "")
        self.stop()
        return Outcome(seed, kind, mutation, target, FAILED, detail)

    def megabytes(self) -> float:
        """Memory of the process."""
        try:
            status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
            return int(status.split("VmRSS:")[1].split()[0]) / 1024
        except (OSError, IndexError):
            return 0.0

    def is_worn(self) -> bool:
        """True if another process should go on."""
        is_full = self.cases >= _CASES_PER_WORKER or self.megabytes() > _WORKER_MEGABYTES
        return is_full or not self._process.is_alive()

    def stop(self) -> None:
        """Ends the process and removes its files."""
        if self._process.is_alive():
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.join()
        shutil.rmtree(self._folder, ignore_errors=True)


def run(
    seeds: Iterable[int], num_workers: int, folder: pathlib.Path, seconds: float, show: Any
) -> list[Outcome]:
    """The outcomes of cases, run in worker processes."""
    waiting = iter(seeds)
    lock = threading.Lock()
    outcomes: list[Outcome] = []

    def work() -> None:
        worker = None
        while True:
            with lock:
                seed = next(waiting, None)
            if seed is None:
                break
            if worker is not None and worker.is_worn():
                worker.stop()
                worker = None
            worker = worker or _Worker(folder, seconds)
            outcome = worker.run(seed)
            with lock:
                outcomes.append(outcome)
                show(outcome, len(outcomes))
        if worker is not None:
            worker.stop()

    threads = [threading.Thread(target=work) for _ in range(num_workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes, key=lambda outcome: outcome.seed)


# The report.


def report(outcomes: Sequence[Outcome], took: float) -> str:
    """Counts by kind and by mutation, what failed, and what nobody can see."""
    names = (SAME, REFUSED, TOLD, EXCUSED, FAILED)
    counts = collections.Counter(outcome.outcome for outcome in outcomes)
    parts = [
        "# Campaign",
        f"{len(outcomes)} cases in {took:.0f} s: "
        + ", ".join(f"{counts[name]} {name}" for name in names)
        + ".",
    ]
    for title, key in (("kind", "kind"), ("mutation", "mutation")):
        table = collections.defaultdict(collections.Counter)
        for outcome in outcomes:
            table[getattr(outcome, key)][outcome.outcome] += 1
        rows = [[row, *(table[row][name] for name in names)] for row in sorted(table)]
        parts.append(_table([title, *names], rows))
    reasons = collections.Counter(
        (outcome.kind, outcome.detail.split(" (")[0])
        for outcome in outcomes
        if outcome.outcome == EXCUSED
    )
    rows = [[kind, reason, count] for (kind, reason), count in sorted(reasons.items())]
    parts.append("## What nobody can see\n\n" + _table(["kind", "reason", "cases"], rows))
    failed = [outcome for outcome in outcomes if outcome.outcome == FAILED]
    rows = [
        [o.seed, o.kind, o.mutation, o.target, o.place, o.detail.replace("\n", " / ")]
        for o in sorted(failed, key=lambda o: (o.place, o.kind, o.detail))
    ]
    header = ["seed", "kind", "mutation", "target", "place", "what is wrong"]
    parts.append("## Failures\n\n" + _table(header, rows))
    return "\n\n".join(parts) + "\n"


def _table(header: list[str], rows: list[list[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _start() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="0:10000", help="first:end, or numbers with commas")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=judgement.SECONDS)
    parser.add_argument("--report", type=pathlib.Path, default=pathlib.Path("campaign.md"))
    arguments = parser.parse_args()
    if ":" in arguments.seeds:
        first, end = map(int, arguments.seeds.split(":"))
        seeds: Sequence[int] = range(first, end)
    else:
        seeds = [int(seed) for seed in arguments.seeds.split(",")]

    def show(outcome: Outcome, count: int) -> None:
        if outcome.outcome == FAILED or count % 500 == 0:
            text = f"{count}/{len(seeds)} {dataclasses.astuple(outcome)}"
            sys.stderr.write(text.encode("ascii", "backslashreplace").decode() + "\n")

    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = run(seeds, arguments.workers, pathlib.Path(folder), arguments.seconds, show)
    took = time.monotonic() - start
    text = report(outcomes, took).encode("utf-8", "backslashreplace")
    arguments.report.write_bytes(text)
    values = [dataclasses.asdict(outcome) for outcome in outcomes]
    arguments.report.with_suffix(".json").write_text(json.dumps(values, indent=1))
    sys.exit(any(outcome.outcome == FAILED for outcome in outcomes))


if __name__ == "__main__":
    _start()
