"""Refusals: errors with the status of the answer."""

import http

from symmflow_jax.studio.refusal import Refusal


def test_a_refusal_is_a_bad_request_unless_it_says_more():
    assert Refusal("No.").status == http.HTTPStatus.BAD_REQUEST
    assert Refusal("No.", http.HTTPStatus.GONE).status == http.HTTPStatus.GONE
    assert isinstance(Refusal("No."), ValueError)
