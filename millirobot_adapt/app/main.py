"""Read the command line, run the command, turn errors into one line and an exit code."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Sequence

from millirobot_adapt import __version__
from millirobot_adapt.app.commands import (
    bag,
    bench,
    calibrate,
    calibrate_pose,
    collect,
    completion,
    doctor,
    evaluate,
    evaluate_log,
    film,
    import_log,
    inject,
    learn,
    learn_online,
    link,
    live,
    make_models,
    operate,
    params,
    path,
    replay,
    report,
    robot,
    study,
    view,
)
from millirobot_adapt.app.parser import CommandGroups, CommandParser
from millirobot_adapt.core.errors import DeviceError, UserError, missing_extra
from millirobot_adapt.core.files import NO_WAY_IN

MODULES = (
    live, operate, inject, collect, learn_online, learn, make_models, evaluate, evaluate_log, study, replay, report,
    film, view, import_log, bag, calibrate, calibrate_pose, doctor, robot, params, path, link, bench, completion,
)  # fmt: skip
"""The files that add commands."""

GROUPS = {
    'run': (
        'walk, with the mock or with a robot',
        ('demo', 'arm', 'start', 'pause', 'resume', 'finish', 'stop', 'set', 'load', 'status', 'inject'),
    ),
    'look': (
        'see what a run did',
        ('report', 'compare', 'replay', 'film', 'view', 'export-bag', 'repair', 'import-log'),
    ),
    'learn': (
        'collect data, train models, compare methods',
        ('collect', 'learn', 'train', 'export-model', 'make-models', 'evaluate', 'evaluate-log', 'study'),
    ),
    'check': (
        'find out whether all is ready for a run',
        ('doctor', 'robot', 'path', 'params', 'link-test', 'calibrate', 'calibrate-pose', 'completion'),
    ),
    'bench': ('measure', ('bench',)),
}
"""How `millirobot --help` lists the commands: title of a group -> what it is for, its commands in order."""

DISK_FAILURES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
"""What any command that writes may meet, and nobody's mistake."""

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def make_parser() -> CommandParser:
    """Build the parser of all commands; each sets `run`, a function from the parsed arguments to the exit code."""
    parser = CommandParser(
        CommandGroups(GROUPS),
        prog='millirobot',
        description='Drive, simulate, train and evaluate a small legged robot that adapts its dynamics model.',
        epilog='millirobot COMMAND --help describes a command. Exit codes: 0 done, 1 a check failed, 2 bad input, '
        '130 interrupted.',
    )
    parser.add_argument('--version', action='version', version=f'millirobot {__version__}')
    commands = parser.add_subparsers(metavar='COMMAND', required=True)
    for module in MODULES:
        module.add(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C becomes a line and an exit code from here on
    try:
        parser = make_parser()
        if '_ARGCOMPLETE' in os.environ:
            completion.complete(parser)
        parsed = parser.parse_args(arguments)
        return int(parsed.run(parsed))
    except UserError as error:
        print(f'millirobot: error: {error}', file=sys.stderr)
        return BAD_INPUT
    except DeviceError as error:
        print(f'millirobot: error: {error}', file=sys.stderr)
        return FAILED
    except ModuleNotFoundError as error:
        print(f'millirobot: error: {missing_extra(error)}', file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print('millirobot: interrupted', file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left (`millirobot ... | head`); let the flush at exit find an open file.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        if error.errno in NO_WAY_IN and error.filename:
            print(f'millirobot: error: {error.filename}: {error.strerror}', file=sys.stderr)
            return BAD_INPUT
        if error.errno not in DISK_FAILURES:
            raise
        print(f'millirobot: error: {error.filename or "disk"}: {error.strerror}', file=sys.stderr)
        return FAILED


if __name__ == '__main__':
    sys.exit(main())
