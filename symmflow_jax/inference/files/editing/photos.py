"""Edits of photo files by mask files or labels."""

import dataclasses
import logging
import pathlib
from collections.abc import Callable, Sequence

import jax
import numpy as np

from symmflow_jax.data.geometry.canvas import View
from symmflow_jax.data.source import DataError
from symmflow_jax.data.transforms import resize_image
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference.canvas.editing import EditedPhoto, Photo, check_sizes, edit_photos
from symmflow_jax.inference.canvas.generation import generate_on_canvas
from symmflow_jax.inference.editing import Keep, Source
from symmflow_jax.inference.files.editing.partners import partners
from symmflow_jax.inference.files.image_io import batches, check_folder, output_names
from symmflow_jax.inference.files.inputs import Unreadable, image_paths
from symmflow_jax.inference.files.made import Made, write_picture
from symmflow_jax.inference.given.conditions import read_condition
from symmflow_jax.inference.given.regions import read_region
from symmflow_jax.inference.model import Model
from symmflow_jax.methods import editing as method_editing
from symmflow_jax.methods.editing import FROM_PHOTO, Editing
from symmflow_jax.runs.pictures import grids
from symmflow_jax.runtime import outputs
from symmflow_jax.runtime.errors import shown

_logger = logging.getLogger(__name__)

_SHEET = "sheet.png"
_MOST_ON_SHEET = 10


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What photos are to become, as the command line gives it.

    Attributes:
        masks: a mask file or a folder with one for each photo, for a model of masks.
        source_masks: the old masks likewise; "" if they are not given.
        label: name or number of the new class, for a model of labels.
        source_label: the old class likewise; "" if it is not given.
        keep: a rule, or the path of an image or a folder whose white pixels are kept; None for the
            rule by default.
        source: how to come by what is not given.
        editing: how to edit.
        view: how photos are shown to a model of masks; None for the view of the run.
    """

    masks: str = ""
    source_masks: str = ""
    label: str = ""
    source_label: str = ""
    keep: Keep | str | None = None
    source: Source = Source.READ
    editing: Editing = FROM_PHOTO
    view: View | None = None


def edit_files(
    model: Model,
    photos: str,
    output: pathlib.Path,
    wanted: Wanted,
    solve: Solve,
    *,
    seed: int,
    sheet: bool = False,
    overwrite: bool = False,
) -> list[pathlib.Path]:
    """Edits photos and writes `<stem>.png` in the size of each photo.

    A folder of photos goes with a folder of masks of the same names, whatever their suffixes.

    Args:
        model: a model of images with a clock for each component.
        photos: a photo file or a folder of them.
        output: folder to write to; for one photo also a file that ends in .png.
        wanted: what they are to become.
        solve: the solver.
        seed: origin of the noise.
        sheet: whether to write `sheet.png` too: the first photos with their masks, images that are
            generated from the new mask alone, and edits that keep nothing and what is unchanged.
        overwrite: whether to replace files that exist; inputs are always kept.

    Returns:
        the paths of the edited photos.

    Raises:
        DataError: if there is no photo, no mask of it or no such class; after all others are
            edited, if a file cannot be read.
        OutputError: if a file exists or cannot be written, or `output` is no place for it.
        ValueError: if the model has one clock or is of points; if masks are given to a model of
            labels, or labels to one of masks; or if the rule of what to keep does not fit.
    """
    _check(model, wanted, solve, sheet)
    paths = image_paths(photos)
    targets = _targets(paths, photos, output)
    files = {
        name: partners(paths, text, flag)
        for name, text, flag in (
            ("mask", wanted.masks, "--mask"),
            ("source", wanted.source_masks, "--source_mask"),
            ("keep", wanted.keep if isinstance(wanted.keep, str) else "", "--keep"),
        )
    }
    folder = next(iter(targets.values())).parent
    written = [*targets.values(), *([folder / _SHEET] if sheet else [])]
    read = [path for found in files.values() for path in found.values()]
    outputs.check_outputs(written, [*paths, *read], overwrite=overwrite)
    unreadable = Unreadable(len(paths))
    readable = unreadable.read(paths, lambda path: (path, _read(model, path, files, wanted)))
    done: list[EditedPhoto] = []
    for index, batch in enumerate(batches(readable)):
        edited = edit_photos(
            model,
            [photo for _, photo in batch],
            jax.random.fold_in(jax.random.key(seed), index),
            solve,
            source=wanted.source,
            keep=wanted.keep if isinstance(wanted.keep, Keep) else None,
            editing=wanted.editing,
            view=wanted.view,
        )
        for (path, _), result in zip(batch, edited, strict=True):
            write_picture(targets[path], result.image, Made.IMAGE)
        done += edited
    _tell(done, folder)
    if sheet and readable:
        shown_photos = [photo for _, photo in readable[:_MOST_ON_SHEET]]
        write_picture(
            folder / _SHEET, contact_sheet(model, shown_photos, solve, seed, wanted), Made.OVERLAY
        )
    unreadable.raise_if_any(folder)
    return [targets[path] for path, _ in readable]


def contact_sheet(
    model: Model, photos: Sequence[Photo], solve: Solve, seed: int, wanted: Wanted
) -> np.ndarray:
    """A row for each photo: photo, mask, new mask, generated, edited, and unchanged pixels kept.

    All are shown in one size; uint8 `[height, width, 3]`.

    Args:
        model: a model of masks.
        photos: the photos with their new masks.
        solve, seed: as in `edit_files`.
        wanted: how to edit.
    """
    key, view = jax.random.key(seed), model.view() if wanted.view is None else wanted.view
    bare = [photo._replace(keep=None) for photo in photos]
    edited, kept = (
        edit_photos(model, bare, key, solve, keep=keep, editing=wanted.editing, view=view)
        for keep in (Keep.NONE, Keep.UNCHANGED)
    )
    height, width = photos[0].size
    size = model.image_shape[0], max(1, round(model.image_shape[0] * width / height))
    rows: list[list[tuple[str, np.ndarray]]] = []
    for number, photo in enumerate(photos):
        old = edited[number].source
        assert old is not None  # It was given, or read.
        made = generate_on_canvas(
            model.method, model.weights, photo.classes, (key, number), view, solve
        )
        columns = (
            ("photo", photo.pixels),
            ("mask", model.schema.colourize(old)),
            ("new mask", model.schema.colourize(photo.classes)),
            ("generated", made),
            ("edited", edited[number].image),
            ("kept", kept[number].image),
        )
        rows.append(
            [(name if not rows else "", resize_image(image, size, 3)) for name, image in columns]
        )
    return grids.tiles(rows)


def _check(model: Model, wanted: Wanted, solve: Solve, sheet: bool) -> None:
    """Raises a ValueError if the model cannot do what is wanted."""
    method_editing.check(model.method, solve)
    if len(model.image_shape) != 3:
        raise ValueError(
            "This model is of points, which are no files; edit them in Python: model.edit(points, "
            "labels, key)."
        )
    if model.reads_masks:
        given = {"--to": wanted.label, "--source": wanted.source_label}
        needed, instead = ("--mask", wanted.masks), "This model knows masks, not labels"
    else:
        given = {"--mask": wanted.masks, "--source_mask": wanted.source_masks}
        needed, instead = ("--to", wanted.label), "This model knows labels, not masks"
    for flag, value in given.items():
        if value:
            raise ValueError(f"{instead}; give {needed[0]}, not {flag}={shown(value)}.")
    if not needed[1]:
        raise ValueError(f"{instead}; give the new one of each photo by {needed[0]}.")
    if sheet and not model.reads_masks:
        raise ValueError("--sheet shows masks, and this model knows labels; leave it out.")


def _targets(
    paths: Sequence[pathlib.Path], photos: str, output: pathlib.Path
) -> dict[pathlib.Path, pathlib.Path]:
    """The file that is written for each photo."""
    suffix = output.suffix.lower()
    if len(paths) == 1 and suffix == ".png" and not output.is_dir():
        return {paths[0]: output}
    if suffix in (".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".png"):
        raise outputs.OutputError(
            f"--output={shown(output)} is a file name; "
            + (
                "give a folder for several photos."
                if len(paths) > 1
                else "give one that ends in .png, which keeps every pixel, or a folder."
            )
        )
    check_folder(output, photos)
    names = output_names(paths, [".png"])
    return {path: output / f"{name}.png" for path, name in zip(paths, names, strict=True)}


def _read(
    model: Model,
    path: pathlib.Path,
    files: dict[str, dict[pathlib.Path, pathlib.Path]],
    wanted: Wanted,
) -> Photo:
    """A photo with what it is to become; raises DataError if a file cannot be read."""

    def of(name: str, read: Callable[[pathlib.Path], np.ndarray]) -> np.ndarray | None:
        return read(files[name][path]) if files[name] else None

    def classes(mask_path: pathlib.Path) -> np.ndarray:
        colours = model.experiment.mask_colours
        return read_condition(mask_path, model.schema, colours).astype(np.int32)

    new, old = of("mask", classes), of("source", classes)
    photo = Photo(
        model.experiment.photos.read(path),
        _label(model, wanted.label, "--to") if new is None else new,
        _label(model, wanted.source_label, "--source") if wanted.source_label else old,
        of("keep", read_region),
        str(path),
    )
    check_sizes(photo)
    return photo


def _label(model: Model, text: str, flag: str) -> np.ndarray:
    """The class that a text names or numbers."""
    names = model.schema.names
    is_number = text.isdecimal() and int(text) < len(names)
    if text not in names and not is_number:
        raise DataError(f"{flag}={shown(text)} is no class; those are {', '.join(names)}.")
    return np.asarray(names.index(text) if text in names else int(text), np.int32)


def _tell(done: Sequence[EditedPhoto], folder: pathlib.Path) -> None:
    """Logs what was kept, and in which sizes the rest was made."""
    resized = [photo for photo in done if photo.made_in != photo.image.shape[:2]]
    kept = [photo.keep.mean() for photo in done if photo.keep is not None]
    about_kept = f"; {np.mean(kept):.0%} of the pixels were kept" if kept else ""
    about_size = ""
    if resized:
        first = resized[0]
        height, width = first.made_in
        about_size = (
            f"; {len(resized)} were resized, made in another size (the first of "
            f"{first.image.shape[1]}x{first.image.shape[0]} in {width}x{height}, width x height) "
            "and resized back, but for the kept pixels"
        )
    _logger.info("Wrote %d edited photos to %s%s%s.", len(done), folder, about_kept, about_size)
