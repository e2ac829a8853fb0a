"""What the page asks for, checked, as the task of a job; its result is an entry."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symmflow_jax.data.transforms import resize_mask
from symmflow_jax.inference.files.made import Made, picture_content
from symmflow_jax.studio import recipe
from symmflow_jax.studio.engine import Engine
from symmflow_jax.studio.jobs import Progress, Task
from symmflow_jax.studio.recipe import KEEP, MASK, PHOTO, RECIPE, SOURCE_MASK, variant_name
from symmflow_jax.studio.refusal import Refusal
from symmflow_jax.studio.sessions import Entry, Session
from symmflow_jax.studio.settings import Settings
from symmflow_jax.studio.web import uploads
from symmflow_jax.studio.web.uploads import as_png, ids_as_png

PAGE_MASK, PAGE_SOURCE, CONFIDENCE = "page_mask.png", "page_source.png", "confidence.png"
"""Files for the page: numbers of classes, and the confidence in 255 levels."""

_PLACE = "page_drawing.png"
_LONGEST_SIDE_OF_DRAWINGS = 512

Values = Mapping[str, Any]


class Work:
    """Makes tasks of requests.

    Args:
        engine: the model.
        run_flags: the flags that name the run on a command line.
    """

    def __init__(self, engine: Engine, run_flags: Sequence[str]):
        self._engine = engine
        self._run_flags = tuple(run_flags)
        self._kinds: dict[str, Callable[[Values, Session], Task]] = {
            "read": self._read,
            "edit": self._edit,
            "generate": self._generate,
            "classify": self._classify,
        }

    def task(self, values: object, session: Session) -> Task:
        """The task of a request; what it makes is added to the session.

        Args:
            values: the JSON of the request: "kind", and what that kind needs.
            session: whose photos it may name.

        Raises:
            Refusal: if something in the request is wrong.
        """
        if not isinstance(values, Mapping):
            raise Refusal("The request is no object of JSON.")
        kind = values.get("kind")
        if not isinstance(kind, str) or kind not in self._kinds:
            raise Refusal(f"There is no such work; there is {', '.join(self._kinds)}.")
        work = self._kinds[kind](values, session)

        def run(progress: Progress) -> Entry:
            begin = time.monotonic()
            entry = work(progress)
            entry.about["seconds"] = round(time.monotonic() - begin, 3)
            session.add(entry)
            return entry

        return run

    def _read(self, values: Values, session: Session) -> Task:
        self._require(masks=True)
        photo = session.photo(values.get("photo"))
        about = {"photo": values.get("photo"), "name": photo.name, "note": photo.note}

        def run(progress: Progress) -> Entry:
            found = self._engine.read(photo.pixels, progress)
            sure = np.rint(np.clip(found.confidence, 0, 1) * 255).astype(np.uint8)
            contents = {
                PHOTO: photo.content,
                PAGE_MASK: ids_as_png(found.classes),
                CONFIDENCE: as_png(sure),
                MASK: self._mask_file(found.classes),
            }
            return Entry("read", about | _size(photo.pixels), contents)

        return run

    def _edit(self, values: Values, session: Session) -> Task:
        self._require(masks=True)
        photo = session.photo(values.get("photo"))
        settings = Settings.read(values.get("settings"))
        classes = self._classes(values.get("mask"), photo.size)
        source = self._classes(values.get("source"), photo.size)
        has_region = values.get("region") is not None
        region = uploads.read_region(values["region"], photo.size) if has_region else None
        is_live = values.get("live") is True
        about = {
            "photo": values.get("photo"),
            "name": photo.name,
            "settings": settings.to_json(),
            "has_region": has_region,
            "num_changed": int(np.sum(classes != source)),
        }

        def run(progress: Progress) -> Entry:
            made = self._engine.edit(photo.pixels, source, classes, region, settings, progress)
            contents = {
                **_variants(made),
                PHOTO: photo.content,
                MASK: self._mask_file(classes),
                SOURCE_MASK: self._mask_file(source),
                PAGE_MASK: ids_as_png(classes),
                PAGE_SOURCE: ids_as_png(source),
            }
            if region is not None:
                contents[KEEP] = as_png(np.where(region, 0, 255).astype(np.uint8))
            commands = [
                recipe.edit_command(self._run_flags, settings, number, has_region)
                for number in range(1, len(made) + 1)
            ]
            contents[RECIPE] = self._recipe(commands, settings, contents)
            return Entry("edit", about | _size(photo.pixels), contents, is_live)

        return run

    def _generate(self, values: Values, session: Session) -> Task:
        settings = Settings.read(values.get("settings"))
        height, width = self._engine.model.image_shape[:2]
        contents: dict[str, bytes] = {}
        is_live = values.get("live") is True
        about: dict[str, Any] = {"settings": settings.to_json()}
        if self._engine.model.reads_masks:
            photo = session.photo(values["photo"]) if values.get("photo") is not None else None
            mask = self._classes(values.get("mask"), photo.size if photo else (height, width))
            contents |= {MASK: self._mask_file(mask), PAGE_MASK: ids_as_png(mask)}
            condition, name = resize_mask(mask, (height, width)), MASK
        else:
            condition = self._label(values.get("label"))
            name = str(int(condition))
            about["label"] = int(condition)

        def run(progress: Progress) -> Entry:
            made = self._engine.generate(condition, settings, progress)
            contents.update(_variants(made))
            commands = [
                recipe.generate_command(self._run_flags, name, settings, number)
                for number in range(1, len(made) + 1)
            ]
            contents[RECIPE] = self._recipe(commands, settings, contents)
            return Entry("generate", about | _size(made[0]), contents, is_live)

        return run

    def _classify(self, values: Values, session: Session) -> Task:
        self._require(masks=False)
        if values.get("drawing") is not None:
            pixels = uploads.read_drawing(values["drawing"], _LONGEST_SIDE_OF_DRAWINGS)
        else:
            pixels = session.photo(values.get("photo")).pixels

        def run(progress: Progress) -> Entry:
            ranking = self._engine.classify(pixels, progress)
            about = {
                "photo": values.get("photo"),
                "shares": [round(float(share), 4) for share in ranking.shares],
                "are_votes": ranking.are_votes,
            }
            contents = {_PLACE: as_png(pixels)}
            return Entry("classify", about | _size(pixels), contents, is_live=True)

        return run

    def _require(self, *, masks: bool) -> None:
        if self._engine.model.reads_masks != masks:
            reads = "masks" if self._engine.model.reads_masks else "labels"
            raise Refusal(f"This model reads {reads}; load the page again.")

    def _classes(self, text: object, size: tuple[int, int]) -> np.ndarray:
        schema = self._engine.model.schema
        return uploads.read_ids(text, size, schema, self._engine.knows_unknown)

    def _label(self, value: object) -> np.ndarray:
        num_classes = self._engine.model.schema.num_classes
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < num_classes:
            raise Refusal(f"The label must be a whole number, 0 to {num_classes - 1}.")
        return np.asarray(value, np.int32)

    def _mask_file(self, classes: np.ndarray) -> bytes:
        """A mask in the ids of the data set's files, as commands read it."""
        ids = self._engine.model.schema.to_raw(classes)
        dtype = np.uint8 if ids.max(initial=0) < 256 else np.uint16
        return picture_content(ids.astype(dtype), Made.MASK)

    def _recipe(
        self, commands: Sequence[str], settings: Settings, contents: Mapping[str, bytes]
    ) -> bytes:
        kept = {name: data for name, data in contents.items() if not name.startswith("page_")}
        return recipe.recipe(commands, settings, self._engine.model.step, kept)


def _variants(made: Sequence[np.ndarray]) -> dict[str, bytes]:
    return {
        variant_name(number): picture_content(image, Made.IMAGE)
        for number, image in enumerate(made, start=1)
    }


def _size(pixels: np.ndarray) -> dict[str, int]:
    return {"height": pixels.shape[0], "width": pixels.shape[1]}
