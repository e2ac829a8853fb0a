"""Runs an export of symmflow_jax without it: needs jax, flatbuffers, numpy and pillow.

    python run_stablehlo.py FUNCTION INPUT [OUTPUT [SEED]]

INPUT is a picture, a PNG of ids, an id, or a point such as 0.5,-0.2. OUTPUT is a .png file, or a
.npz file of all outputs. `export.json` tells the functions, ids and shapes.
"""

import json
import pathlib
import sys

import jax.export
import numpy as np
from PIL import Image, ImageOps

here = pathlib.Path(__file__).parent
about = json.loads((here / "export.json").read_text(encoding="utf-8"))
name, given, output, seed = sys.argv[1:] + ["", "0"][len(sys.argv) - 3 :]
function = about["functions"][name]
form, shape = function["input"], function["input"]["shape"][1:]
if form["kind"] in ("image", "mask"):
    picture: Image.Image = Image.open(given)
    if form["kind"] == "image":
        picture = ImageOps.exif_transpose(picture).convert(form["mode"])
    if not 0.98 < picture.width / shape[1] / (picture.height / shape[0]) < 1.02:
        text = f"{given} ({picture.width}x{picture.height}) is stretched to {shape[1]}x{shape[0]}."
        print(f"Note: {text} Cut it to this aspect ratio for the best answer.", file=sys.stderr)
    value = np.asarray(picture.resize(shape[1::-1], Image.Resampling[form["filter"]]))
else:
    value = np.array(given.split(","), float)
value = value.astype(form["dtype"]).reshape(1, *shape)
if "ids" in form and not np.isin(value, form["ids"]).all():
    sys.exit(f"Error: {given} has ids that no class has; the ids are {form['ids']}.")

program = jax.export.deserialize(bytearray((here / function["file"]).read_bytes()))
weights = dict(np.load(here / about["weights"]))
outputs = jax.jit(program.call)(weights, value, np.uint32(seed))

outputs = {key: np.asarray(array[0]) for key, array in outputs.items()}
for key, array in outputs.items():
    print(key, array if array.size < 100 else f"{array.dtype} {array.shape}")
if output.endswith(".npz"):
    np.savez(output, **outputs)
elif output and name == "segment":
    ids = outputs["ids"].astype(np.uint16 if outputs["ids"].max() > 255 else np.uint8)
    Image.fromarray(ids).resize(picture.size, Image.Resampling.NEAREST).save(output)
elif output:
    Image.fromarray(np.squeeze(outputs["images"])).save(output)
