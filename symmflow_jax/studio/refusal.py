"""What the server answers to a request that it does not serve."""

import http


class Refusal(ValueError):
    """A request is refused; the page shows the message.

    Attributes:
        status: the status of the answer.
    """

    def __init__(self, message: str, status: http.HTTPStatus = http.HTTPStatus.BAD_REQUEST):
        super().__init__(message)
        self.status = status
