"""Checkpoints in a bucket that Orbax has no driver for: saved on the disk, then copied.

A folder on the disk stands for that of the bucket. A checkpoint is copied file by file, and at last
its marker. One without marker is no checkpoint: it is passed over, and removed by the next command
that writes. Of the checkpoints that were there before, only scores and descriptions lie on the disk
until one is read.
"""

import concurrent.futures
import contextlib
import shutil
from typing import Any

import orbax.checkpoint as ocp

from symmflow_jax.runs.bucket.staging import temporary_folder
from symmflow_jax.runtime.storage.bucket_path import BucketPath

MARKER = "commit_success.txt"
"""The file of a complete checkpoint in a bucket; Orbax writes one of this name to `gs://`."""

_SMALL = ("description", "metrics", "_CHECKPOINT_METADATA")
"""What a manager reads of all checkpoints when it is opened."""


class StagedManager(ocp.CheckpointManager):
    """A manager of the checkpoints of a bucket, for one process.

    Args:
        place: the folder of checkpoints in the bucket.
        options: as of Orbax's manager.
        item_names: likewise.

    Attributes:
        place: as given.
        latest_in_bucket: the last step that is complete in the bucket, or None.
    """

    def __init__(self, place: BucketPath, options: Any, item_names: tuple[str, ...]):
        self.place = place
        self._reads_only = options.read_only
        self._disk = temporary_folder()
        self._whole: set[int] = set()
        self._copier = concurrent.futures.ThreadPoolExecutor(1, "checkpoints")
        self._copying: concurrent.futures.Future | None = None
        self.latest_in_bucket: int | None = None
        for step, is_complete in _steps(place).items():
            if is_complete:
                self._fetch(step, _SMALL)
                self.latest_in_bucket = step
            elif not self._reads_only:
                (place / str(step)).rmtree(missing_ok=True)
        super().__init__(self._disk, options=options, item_names=item_names)

    def save(self, step: int, *arguments: Any, **options: Any) -> bool:
        """Saves on the disk, and begins to copy when that is complete."""
        self._wait_for_copy()
        is_saved = super().save(step, *arguments, **options)
        self._whole.add(step)
        self._copying = self._copier.submit(self._copy, step)
        return is_saved

    def wait_until_finished(self) -> None:
        """Waits until the last checkpoint is complete in the bucket."""
        super().wait_until_finished()
        self._wait_for_copy()

    def restore(self, step: int | None, *arguments: Any, **options: Any) -> Any:
        """Restores a checkpoint, which is copied from the bucket first."""
        step = self.latest_step() if step is None else step
        if step is not None and step not in self._whole:
            self._fetch(step, None)
            self._whole.add(step)
        return super().restore(step, *arguments, **options)

    def close(self) -> None:
        """Waits as `wait_until_finished`, and removes the folder on the disk."""
        try:
            self._wait_for_copy()
        finally:
            self._copier.shutdown()
            super().close()
            shutil.rmtree(self._disk, ignore_errors=True)

    def _wait_for_copy(self) -> None:
        copying, self._copying = self._copying, None
        if copying is not None:
            copying.result()

    def _copy(self, step: int) -> None:
        super().wait_until_finished()
        source, target = self._disk / str(step), self.place / str(step)
        files = [path for path in sorted(source.rglob("*")) if path.is_file()]
        for path in files:
            BucketPath(target / path.relative_to(source).as_posix()).upload(path)
        (target / MARKER).write_text("", encoding="utf-8")
        self.latest_in_bucket = step
        kept = {path.name for path in self._disk.iterdir()}
        for other in _steps(self.place):
            if str(other) not in kept:
                remove(self.place / str(other))

    def _fetch(self, step: int, parts: tuple[str, ...] | None) -> None:
        """Copies a checkpoint, or some of its parts, to the disk."""
        target, source = self._disk / str(step), self.place / str(step)
        partial = self._disk / f"{step}.partial"
        for path in _files_below(source):
            name = path.relative_to(source)
            if name.name == MARKER or (parts is not None and name.parts[0] not in parts):
                continue
            (partial / name.as_posix()).parent.mkdir(parents=True, exist_ok=True)
            path.download(partial / name.as_posix())
        partial.mkdir(exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        partial.rename(target)


def remove(checkpoint: BucketPath) -> None:
    """Removes a checkpoint of a bucket, the marker first."""
    (checkpoint / MARKER).unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        checkpoint.rmtree(missing_ok=True)


def _steps(place: BucketPath) -> dict[int, bool]:
    """The steps of the checkpoints, and whether each is complete."""
    names = [path.name for path in place.glob("*")]
    steps = sorted(int(name) for name in names if name.isdecimal() and name == str(int(name)))
    return {step: (place / str(step) / MARKER).is_file() for step in steps}


def _files_below(folder: BucketPath) -> list[BucketPath]:
    found = []
    for path in folder.glob("*"):
        found += [path] if path.is_file() else _files_below(path)
    return found
