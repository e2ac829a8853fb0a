"""Images of any size, on canvases of many small scenes whose masks are known."""
