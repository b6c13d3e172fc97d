"""Errors that end a command with a message."""


class CommandError(Exception):
    """The command cannot be carried out. The message tells the user what to do."""
