"""Campaign: do the best pairs that a model makes help it, where there are few masks?

    python -m tests.campaigns.made_pairs CAMVID --masks=25,50,100 --seeds=0,1,2

For each number of masks and each seed, `configs/camvid_small.py` is trained at 48x64 on so many
pictures of `CAMVID`; the model makes twice as many pairs and keeps the half that agrees best with
its own reading; and the same training with as many steps runs again, a part of whose examples are
the kept pairs. The report has the one-step mIoU of both on the pictures of test.

What is finished in `--folder` is not run again, so that several calls share the work.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
from collections.abc import Iterable

import numpy as np

from symmflow_jax.runs import markdown

_BATCH_SIZE = 4
_EXTRA_SHARE = 0.25
_SETTINGS = (
    "--config.data.image_size=48,64",
    "--config.data.eval_images=test",
    "--config.data.eval_masks=testannot",
    "--config.data.eval_split=test",
    f"--config.train.batch_size={_BATCH_SIZE}",
    # Pairs begin with noise in both components: more examples of independent times than for masks.
    "--config.train.clock_shares.independent=0.3",
    "--config.train.clock_shares.clean_image=0.5",
    "--config.train.clock_shares.clean_semantics=0.2",
    "--config.train.prob_at_one=0.6",
    "--config.train.eval_every_steps=0",
    "--config.eval.metrics=recognition",
)


class Comparison:
    """The two trainings of one number of masks and one seed.

    Args:
        data: the folder of CamVid.
        folder: an own folder for the data, the runs and the pairs.
        count: number of masks.
        seed: chooses the pictures, the parameters and the noise.
        num_steps: training steps of each run.
    """

    def __init__(
        self, data: pathlib.Path, folder: pathlib.Path, count: int, seed: int, num_steps: int
    ):
        self.data, self.folder, self.count, self.seed = data, folder, count, seed
        self.num_steps = num_steps
        self.few, self.alone, self.helped = folder / "data", folder / "alone", folder / "helped"
        self.pairs = folder / "pairs"

    def run(self) -> None:
        """Runs what is not finished."""
        self._choose()
        self._train(self.alone, 1.0)
        if not self.pairs.exists():
            self._command(self.alone, *self._sampling())
        extra = f"--config.data.extra_dir={self.pairs}", f"--config.data.extra_share={_EXTRA_SHARE}"
        self._train(self.helped, 1.0 - _EXTRA_SHARE, *extra)

    def scores(self) -> tuple[float, float]:
        """The mIoU of the masks alone, and with made pairs."""
        return _miou(self.alone), _miou(self.helped)

    def _choose(self) -> None:
        """Links so many pictures of train with their masks, and all of test."""
        for kind in ("train", "trainannot"):
            (self.few / kind).mkdir(parents=True, exist_ok=True)
            files = sorted((self.data / kind).iterdir(), key=lambda path: path.stem)
            # Pictures and masks have equal stems, so the same seed takes those of each other.
            for path in random.Random(self.seed).sample(files, self.count):
                _link(self.few / kind / path.name, path)
        for kind in ("test", "testannot"):
            _link(self.few / kind, self.data / kind)

    def _train(self, workdir: pathlib.Path, share: float, *extra: str) -> None:
        """Trains; `share` is that of the examples that are pictures of train."""
        if (workdir / "metrics.json").exists():
            return
        epochs = self.num_steps * _BATCH_SIZE * share / self.count
        self._command(
            workdir,
            f"--config.train.num_epochs={epochs}",
            f"--config.train.warmup_epochs={epochs / 20}",
            *extra,
        )

    def _sampling(self) -> tuple[str, ...]:
        made = f"--num_samples={2 * self.count}", f"--output={self.pairs}"
        return "--mode=sample", "--what=pairs", "--keep_best=0.5", *made

    def _command(self, workdir: pathlib.Path, *arguments: str) -> None:
        command = (
            *(sys.executable, "-m", "symmflow_jax.main", "--config=configs/camvid_small.py"),
            *(f"--config.data.dir={self.few}", f"--config.seed={self.seed}", *_SETTINGS),
            *(f"--workdir={workdir}", *arguments),
        )
        with (self.folder / f"{workdir.name}.log").open("a") as log:
            subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=True)


def _link(link: pathlib.Path, target: pathlib.Path) -> None:
    if not link.exists():
        link.symlink_to(target)


def _miou(run: pathlib.Path) -> float:
    scores = json.loads((run / "metrics.json").read_text())
    return next(score["value"] for score in scores if score["metric"] == "miou")


def table(found: Iterable[Comparison]) -> str:
    """The means over seeds, and the mean difference with its standard deviation."""
    by_count: dict[int, list[tuple[float, float]]] = {}
    for comparison in found:
        by_count.setdefault(comparison.count, []).append(comparison.scores())
    lines = []
    for count, scores in by_count.items():
        alone, helped = np.array(scores).T
        columns = (markdown.mean_and_spread(values) for values in (alone, helped, helped - alone))
        lines.append([str(count), *columns])
    return markdown.table(["masks", "masks alone", "with made pairs", "difference"], lines)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def main() -> None:
    """Runs all comparisons and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=pathlib.Path, help="CamVid: train, trainannot, test, ...")
    parser.add_argument("--masks", type=_numbers, default=[25, 50, 100])
    parser.add_argument("--seeds", type=_numbers, default=[0, 1, 2])
    parser.add_argument("--num_steps", type=int, default=1_500)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("runs/made_pairs"))
    arguments = parser.parse_args()
    data, place = arguments.data.resolve(), arguments.folder.resolve()
    comparisons = []
    for count in arguments.masks:
        for seed in arguments.seeds:
            folder = place / f"{count}_{seed}"
            comparison = Comparison(data, folder, count, seed, arguments.num_steps)
            comparison.run()
            comparisons.append(comparison)
            alone, helped = comparison.scores()
            _say(f"{count} masks, seed {seed}: alone {alone:.4f}, with made pairs {helped:.4f}")
    _say(table(comparisons))


if __name__ == "__main__":
    main()
