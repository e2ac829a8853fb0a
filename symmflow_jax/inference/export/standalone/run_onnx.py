"""Runs an export of symmflow_jax without it: needs onnxruntime, numpy and pillow.

    python run_onnx.py FUNCTION INPUT [OUTPUT]

INPUT is a picture, or a point such as 0.5,-0.2. OUTPUT is a .png file, or a .npz file of all
outputs. `export.json` tells the function, ids and shapes.
"""

import json
import pathlib
import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

here = pathlib.Path(__file__).parent
about = json.loads((here / "export.json").read_text(encoding="utf-8"))
name, given, output = sys.argv[1:] + [""][len(sys.argv) - 3 :]
function = about["functions"][name]
form, shape = function["input"], function["input"]["shape"][1:]
if form["kind"] == "image":
    picture = ImageOps.exif_transpose(Image.open(given)).convert(form["mode"])
    if not 0.98 < picture.width / shape[1] / (picture.height / shape[0]) < 1.02:
        text = f"{given} ({picture.width}x{picture.height}) is stretched to {shape[1]}x{shape[0]}."
        print(f"Note: {text} Cut it to this aspect ratio for the best answer.", file=sys.stderr)
    value = np.asarray(picture.resize(shape[1::-1], Image.Resampling[form["filter"]]))
else:
    value = np.array(given.split(","), float)
value = value.astype(form["dtype"]).reshape(1, *shape)

session = onnxruntime.InferenceSession(here / function["file"])
names = [port.name for port in session.get_outputs()]
results = session.run(names, {form["kind"]: value})

outputs = {key: array[0] for key, array in zip(names, results, strict=True)}
for key, array in outputs.items():
    print(key, array if array.size < 100 else f"{array.dtype} {array.shape}")
if output.endswith(".npz"):
    np.savez(output, **outputs)
elif output:
    ids = outputs["ids"].astype(np.uint16 if outputs["ids"].max() > 255 else np.uint8)
    Image.fromarray(ids).resize(picture.size, Image.Resampling.NEAREST).save(output)
