"""The one exception that stands for a user's mistake."""


class UserError(Exception):
    """Report bad input in one line that names the thing and the mend.

    Every executable catches it at the top, prints the message without a traceback and exits with 2.
    """
