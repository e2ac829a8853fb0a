"""The drivers of buckets: gcsfs for `gs://` and s3fs for `s3://`, of the family of fsspec."""

import functools
import importlib.util
import logging
import os
from typing import Any

from symmflow_jax.runtime.storage import faults
from symmflow_jax.runtime.storage.faults import StorageError

_MODULES = {"gs": "gcsfs", "s3": "s3fs"}


def driver(place: str) -> Any:
    """The file system of a place such as "gs://bucket/run", one for each scheme and process.

    Raises:
        StorageError: if it is not installed, or finds no credentials.
    """
    scheme = place.split("://")[0]
    if importlib.util.find_spec(_MODULES[scheme]) is None:
        raise StorageError(faults.missing_extra(place))
    prepare()
    import fsspec

    with faults.explained(place):
        # Kept by fsspec, for each process anew.
        return fsspec.filesystem(scheme)


@functools.cache
def prepare() -> None:
    """Chooses how libraries reach buckets, before the first of them is reached.

    etils, through which Orbax and JAX use buckets, would take TensorFlow's file system if that is
    installed, and import it for seconds. The drivers' own choice of the variables is kept.
    """
    os.environ.setdefault("EPATH_USE_TF", "false")
    # It would ask a second service, which needs a further permission, of what kind a bucket is.
    os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    from etils.epath import gpath
    from fsspec.config import conf

    # etils has looked at the variable if a path was used before.
    forget = getattr(getattr(gpath, "_is_tf_installed", None), "cache_clear", None)
    if forget is not None:
        forget()
    for name in ("gs", "gcs", "s3"):
        # Other processes write too.
        conf.setdefault(name, {}).setdefault("use_listings_cache", False)
    # It logs each error, with its traceback, that it also raises.
    library = logging.getLogger("gcsfs")
    library.addHandler(logging.NullHandler())
    library.propagate = False


def check_bucket(place: str) -> None:
    """Raises StorageError if the bucket of a place cannot be listed; one request for each bucket.

    A missing driver, credentials or bucket are told before any work begins.
    """
    _check_bucket("/".join(place.split("/")[:3]), place)


@functools.cache
def _check_bucket(bucket: str, place: str) -> None:
    files, name = driver(place), bucket.split("/")[2]
    try:
        with faults.explained(place):
            _LISTED[place.split("://")[0]](files, name)
    except FileNotFoundError as error:
        raise faults.no_bucket(place) from error


def _list_gs(files: Any, bucket: str) -> None:
    files.call("GET", "b/{}/o", bucket, maxResults=1, json_out=True)


def _list_s3(files: Any, bucket: str) -> None:
    files.call_s3("list_objects_v2", Bucket=bucket, MaxKeys=1)


_LISTED = {"gs": _list_gs, "s3": _list_s3}
