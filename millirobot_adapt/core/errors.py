"""The exceptions that every executable turns into one line and an exit code."""


class UserError(Exception):
    """Report bad input in one line that names the thing and the mend.

    Every executable catches it at the top, prints the message without a traceback and exits with 2.
    """


class DeviceError(Exception):
    """Report in one line that a device failed while in use, such as a disk that is full; nobody's input was wrong.

    Every executable catches it at the top, prints the message without a traceback and exits with 1.
    """
