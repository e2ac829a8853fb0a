"""Event files of TensorBoard, written by TensorBoard's own package.

`clu.metric_writers` writes the same files through TensorFlow, which is large, slow to import, and
broken in some environments. The names of the methods are those of its `MetricWriter`.
"""

import io
import os
import pathlib
import socket
import time
from collections.abc import Mapping

import numpy as np
from PIL import Image
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.scalar import metadata as scalar_metadata
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util import tensor_util

_FILE_VERSION = "brain.Event:2"


class EventWriter:
    """One new event file in a folder. What is written is on disk when a method returns.

    Args:
        folder: folder of the run, which exists.

    Raises:
        OSError: if the file system refuses, here and in all methods. The error names the file.
    """

    def __init__(self, folder: pathlib.Path):
        # Nanoseconds, because a process may open a second file within a second of the first.
        seconds, rest = divmod(time.time_ns(), 10**9)
        name = f"events.out.tfevents.{seconds:010d}.{socket.gethostname()}.{os.getpid()}.{rest}"
        self._path = folder / name
        self._records = RecordWriter(self._path.open("xb"))
        self._write(event_pb2.Event(wall_time=time.time(), file_version=_FILE_VERSION))

    def write_scalars(self, step: int, scalars: Mapping[str, float]) -> None:
        """Writes float32 numbers by name."""
        summary = summary_pb2.Summary()
        for name, value in scalars.items():
            summary.value.add(
                tag=name,
                tensor=tensor_util.make_tensor_proto(np.float32(value)),
                metadata=scalar_metadata.create_summary_metadata(None, None),
            )
        self._write_summary(step, summary)

    def write_images(self, step: int, images: Mapping[str, np.ndarray]) -> None:
        """Writes images by name, each uint8 `[height, width, 3]`."""
        summary = summary_pb2.Summary()
        for name, image in images.items():
            height, width, _ = image.shape
            # The plugin's form: width and height as text, then each image of the step.
            parts = [str(width).encode(), str(height).encode(), _png(image)]
            summary.value.add(
                tag=name,
                tensor=tensor_util.make_tensor_proto(np.asarray(parts, object)),
                metadata=image_metadata.create_summary_metadata(None, None),
            )
        self._write_summary(step, summary)

    def close(self) -> None:
        """Closes the file."""
        self._records.close()

    def _write_summary(self, step: int, summary: summary_pb2.Summary) -> None:
        self._write(event_pb2.Event(wall_time=time.time(), step=step, summary=summary))

    def _write(self, event: event_pb2.Event) -> None:
        try:
            self._records.write(event.SerializeToString())
            self._records.flush()
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from error


def _png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    return file.getvalue()
