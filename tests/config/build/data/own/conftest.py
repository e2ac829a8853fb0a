"""Opened forms."""

import pytest

from symmflow_jax.config.build.data import opening
from tests.config.build.data.own.forms import FORMS


@pytest.fixture
def opened(tiny_experiment):
    """A function that opens a split of a form of `tests/fixtures/own_data`."""

    def open_form(name, folder, *, train=True, **values):
        keys = {f"data.{key}": value for key, value in values.items()}
        given = {"data.source": name, "data.dir": str(FORMS / folder)} | keys
        return opening.open_source(tiny_experiment(**given).config, train=train)

    return open_form
