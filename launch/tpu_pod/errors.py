"""Errors that reach the user as one line."""


class UsageError(ValueError):
    """The command line asks for what cannot be."""


class PodError(RuntimeError):
    """The cloud refused, or the run cannot go on by itself."""


class CommandError(PodError):
    """A command failed; the text is what it said."""
