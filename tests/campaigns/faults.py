"""Fault campaigns: what runs survive, as one command each.

    python -m tests.campaigns.faults signals --rounds=50
    python -m tests.campaigns.faults losses --rounds=20
    python -m tests.campaigns.faults kills --rounds=100
    python -m tests.campaigns.faults disks --rounds=20
    python -m tests.campaigns.faults damages --rounds=100

Each prints a line for every round, and at the end how many of how many went well; the status is 0
if all did. `--seed` chooses other moments, `--folder` where the runs lie.
"""

import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from tests.campaigns.cluster import SMALL_RUN, Cluster, contents, differences

_RUN = (
    *SMALL_RUN,
    "--config.train.num_epochs=25",
    "--config.train.log_every_steps=1",
    "--config.train.eval_every_steps=50",
    "--config.train.checkpoint_every_steps=20",
)
"""200 steps of four devices, with three evaluations and ten checkpoints."""

_WHOLE = 600.0
"""Seconds that a run may take on a busy machine."""

_MOMENTS = ("start", "compilation", "step", "evaluation", "saving", "end")


class Campaign:
    """The rounds of one campaign.

    Args:
        folder: an empty folder.
        count: number of processes.
        within: seconds in which processes must end after a fault.
        arguments: flags of the run.
    """

    def __init__(self, folder: pathlib.Path, count: int, within: float, *arguments: str):
        self.folder, self.count, self.within, self.arguments = folder, count, within, arguments
        devices = {
            "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=0"
        }
        self.environment = devices | {
            "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1",
        }
        self.reference = self.finished(folder / "undisturbed")

    def start(self, workdir: pathlib.Path) -> Cluster:
        """Starts the command."""
        return Cluster(workdir, *self.arguments, count=self.count, environment=self.environment)

    def finished(self, workdir: pathlib.Path) -> dict:
        """Runs the command to its end; what it has learned."""
        with self.start(workdir) as run:
            statuses = run.statuses(_WHOLE)
            assert statuses == [0] * self.count, (statuses, run.texts())
        return contents(workdir)

    def goes_on(self, workdir: pathlib.Path) -> list[str]:
        """Runs the command again; what differs from the undisturbed run."""
        return differences(self.reference, self.finished(workdir))


def _wait_for_moment(run: Cluster, moment: str, victim: int, rng: random.Random) -> bool:
    """Waits for a moment of a run; False if it is over before."""
    if moment == "start":
        comes = run.wait_for_handler(victim, _WHOLE)
        longest = 6.0
    elif moment == "compilation":
        comes = run.wait_for("Parameters:", _WHOLE)
        longest = 3.0
    elif moment == "step":
        comes = run.wait_for(f"step {rng.randrange(10, 200, 10)}/", _WHOLE)
        longest = 0.05
    elif moment == "evaluation":
        comes = run.wait_for(f"step {rng.choice((50, 100, 150))}/", _WHOLE)
        longest = 2.0
    elif moment == "saving":
        comes = run.wait_for(f"step {rng.randrange(20, 200, 20)}/", _WHOLE)
        longest = 0.3
    else:
        comes = run.wait_for("step 200/", _WHOLE)
        longest = 2.0
    time.sleep(rng.uniform(0, longest))
    return comes


def signals(campaign: Campaign, number: int, rng: random.Random) -> tuple[bool, str]:
    """SIGTERM to one of the processes: all leave within 30 s, and the run goes on bit for bit."""
    moment = _MOMENTS[number % len(_MOMENTS)]
    victim = rng.randrange(campaign.count)
    workdir = campaign.folder / f"round{number}"
    with campaign.start(workdir) as run:
        _wait_for_moment(run, moment, victim, rng)
        begin = time.monotonic()
        run.processes[victim].send_signal(signal.SIGTERM)
        statuses = run.statuses(campaign.within)
        seconds = time.monotonic() - begin
        texts = "\n".join(run.texts())
    told = re.findall(r"(?:Saved step \d+|Nothing is trained|Stopped;)", texts)
    together = statuses in ([143] * campaign.count, [0] * campaign.count)
    clean = "Traceback" not in texts and "Check failure" not in texts
    line = f"{moment}, process {victim}: {statuses} after {seconds:.1f} s, {told or 'nothing told'}"
    different = campaign.goes_on(workdir)
    shutil.rmtree(workdir)
    if different:
        line += f"; differs: {different}"
    if not (together and clean):
        line += f"\n{texts}"
    return together and clean and not different, line


def losses(campaign: Campaign, number: int, rng: random.Random) -> tuple[bool, str]:
    """SIGKILL of one process: the rest end within 60 s with status 75 and a message."""
    moment = _MOMENTS[1 + number % (len(_MOMENTS) - 1)]
    victim = rng.randrange(campaign.count)
    workdir = campaign.folder / f"round{number}"
    with campaign.start(workdir) as run:
        comes = _wait_for_moment(run, moment, victim, rng)
        begin = time.monotonic()
        run.processes[victim].kill()
        statuses = run.statuses(campaign.within)
        seconds = time.monotonic() - begin
        texts = "\n".join(run.texts())
    rest = [status for index, status in enumerate(statuses) if index != victim]
    messages = re.findall(r"Error: process(?:es)? [\d, and]+ of \d+ (?:is|are) lost", texts)
    over = not comes or statuses == [0] * campaign.count
    ended = rest == [75] * (campaign.count - 1) and bool(messages)
    clean = "Traceback" not in texts and "Check failure" not in texts
    line = f"{moment}, process {victim}: {statuses} after {seconds:.1f} s, {messages}"
    different = campaign.goes_on(workdir)
    shutil.rmtree(workdir)
    if different:
        line += f"; differs: {different}"
    if not (clean and (ended or over)):
        line += f"\n{texts}"
    return (ended or over) and clean and not different, line


def kills(campaign: Campaign, number: int, rng: random.Random) -> tuple[bool, str]:
    """SIGKILL of a run of one process at up to three moments: it ends as if undisturbed."""
    workdir = campaign.folder / f"round{number}"
    moments = []
    for _ in range(rng.randint(1, 3)):
        moments.append(rng.choice(_MOMENTS))
        with campaign.start(workdir) as run:
            _wait_for_moment(run, moments[-1], 0, rng)
            run.processes[0].kill()
    different = campaign.goes_on(workdir)
    shutil.rmtree(workdir)
    return not different, f"{', '.join(moments)}; differs: {different or 'nothing'}"


def disks(campaign: Campaign, number: int, rng: random.Random) -> tuple[bool, str]:
    """A file system that is full at some moment: one message, and nothing saved is lost."""
    disk = campaign.folder / f"disk{number}"
    disk.mkdir()
    size = rng.randrange(100, 1500)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", str(disk)]
    subprocess.run(mount, check=True)
    try:
        with campaign.start(disk / "run") as run:
            statuses = run.statuses(_WHOLE)
            (text,) = run.texts()
        last = text.splitlines()[-1] if text else ""
        tells = statuses == [0] or (statuses == [1] and last.startswith("Error: "))
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        different = campaign.goes_on(disk / "run")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)
    line = f"{size} KiB: {statuses} {last[:160]}; differs: {different or 'nothing'}"
    return tells and "Traceback" not in text and not different, line


def damages(campaign: Campaign, number: int, rng: random.Random) -> tuple[bool, str]:
    """One file of the last checkpoint is damaged: it is refused by name, or restored right."""
    workdir = campaign.folder / f"round{number}"
    half = campaign.folder / "half"
    if not half.exists():
        with campaign.start(half) as run:
            run.wait_for("step 120/", _WHOLE)
            run.processes[0].send_signal(signal.SIGTERM)
            assert run.statuses(60.0) == [143], run.texts()
    shutil.copytree(half, workdir)
    steps = sorted((workdir / "checkpoints").iterdir(), key=lambda path: int(path.name))
    path = rng.choice(sorted(p for p in steps[-1].rglob("*") if p.is_file()))
    how = rng.choice(("truncated", "removed", "flipped"))
    data = bytearray(path.read_bytes())
    if how == "removed":
        path.unlink()
    elif how == "truncated":
        path.write_bytes(data[: rng.randrange(len(data))] if data else data)
    elif data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
    name = f"{path.relative_to(workdir)} {how}"
    with campaign.start(workdir) as run:
        statuses = run.statuses(_WHOLE)
        (text,) = run.texts()
    last = text.splitlines()[-1] if text else ""
    if statuses == [1] and last.startswith("Error: ") and "Traceback" not in text:
        # The one before, where the message says so.
        if "the one before" in last:
            shutil.rmtree(steps[-1])
            different = campaign.goes_on(workdir)
            outcome = f"refused; then from step {steps[-2].name}; differs: {different or 'nothing'}"
            good = not different
        else:
            good, outcome = True, "refused"
        outcome += f": {last[:200]}"
    elif statuses == [0]:
        different = differences(campaign.reference, contents(workdir))
        good, outcome = not different, f"restored; differs: {different or 'nothing'}"
    else:
        good, outcome = False, f"{statuses}\n{text}"
    shutil.rmtree(workdir)
    return good, f"{name}: {outcome}"


CAMPAIGNS = {
    "signals": (signals, 4, 30.0, "left together in time and went on bit for bit"),
    "losses": (losses, 4, 60.0, "ended in time with a message and went on bit for bit"),
    "kills": (kills, 1, 60.0, "ended with the bits of an undisturbed run"),
    "disks": (disks, 1, 60.0, "said so, lost nothing saved and went on bit for bit"),
    "damages": (damages, 1, 60.0, "were refused with a message or restored right"),
}
"""Each campaign, its number of processes, its seconds, and what its rounds should do."""


def main() -> int:
    """Runs the campaign that the command line names; returns the status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("campaign", choices=list(CAMPAIGNS))
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--first", type=int, default=0, help="number of the first round")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--within", type=float, help="seconds, on a machine that is busy")
    parser.add_argument("--processes", type=int, help="1, 2 or 4 processes")
    options = parser.parse_args()
    play, count, seconds, promise = CAMPAIGNS[options.campaign]
    count, seconds = options.processes or count, options.within or seconds
    good = 0
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        campaign = Campaign(pathlib.Path(folder), count, seconds, *_RUN)
        for number in range(options.first, options.first + options.rounds):
            rng = random.Random(f"{options.seed} {number}")
            well, line = play(campaign, number, rng)
            good += well
            sys.stdout.write(f"{number + 1}: {'well' if well else 'NOT WELL'}: {line}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{good} of {options.rounds} {promise} ({seconds:g} s).\n")
    return 0 if good == options.rounds else 1


if __name__ == "__main__":
    sys.exit(main())
