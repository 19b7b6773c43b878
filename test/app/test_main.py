"""The command line: exit codes, one-line errors, nothing heavy imported."""

import argparse
import errno
import subprocess
import sys

import pytest

from millirobot_adapt import __version__
from millirobot_adapt.app import main as cli
from millirobot_adapt.app.commands.shared import add_command
from millirobot_adapt.app.parser import CommandParser
from millirobot_adapt.core.errors import DeviceError, UserError


@pytest.fixture
def run_command(monkeypatch):
    """Run `millirobot act` with `act` doing what the test wants."""

    def run(action):
        def make_parser():
            parser = argparse.ArgumentParser(prog='millirobot')
            parser.add_subparsers(required=True).add_parser('act').set_defaults(run=action)
            return parser

        monkeypatch.setattr(cli, 'make_parser', make_parser)
        return cli.main(['act'])

    return run


def fail_with(error):
    def action(_):
        raise error

    return action


def test_the_exit_code_is_the_commands(run_command):
    assert run_command(lambda _: 1) == 1


def test_a_users_mistake_is_one_line_and_exit_code_2(run_command, capsys):
    assert run_command(fail_with(UserError('x.yaml: no such file'))) == 2
    assert capsys.readouterr().err == 'millirobot: error: x.yaml: no such file\n'


def test_a_device_that_fails_is_one_line_and_exit_code_1(run_command, capsys):
    assert run_command(fail_with(DeviceError('disk: full'))) == 1
    assert capsys.readouterr().err == 'millirobot: error: disk: full\n'


def test_a_full_disk_is_one_line_and_exit_code_1_whatever_is_written(run_command, capsys):
    full = OSError(errno.ENOSPC, 'No space left on device', 'runs/summary.json')
    assert run_command(fail_with(full)) == 1
    assert capsys.readouterr().err == 'millirobot: error: runs/summary.json: No space left on device\n'
    with pytest.raises(OSError, match='odd'):
        run_command(fail_with(OSError(errno.EINVAL, 'odd')))


def test_ctrl_c_is_exit_code_130(run_command):
    assert run_command(fail_with(KeyboardInterrupt())) == 130


@pytest.mark.parametrize('arguments', [['dance'], ['demo', '--seconds', '0.1'], ['demo', '--seconds', 'long']])
def test_a_command_line_that_makes_no_sense_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert left.value.code == 2
    assert 'millirobot' in capsys.readouterr().err


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(['--version'])
    assert left.value.code == 0
    assert capsys.readouterr().out == f'millirobot {__version__}\n'


def test_every_command_explains_itself(capsys):
    commands = cli.make_parser().commands
    assert {'demo', 'collect', 'train', 'export-model', 'evaluate', 'import-log', 'replay', 'report'} <= set(commands)
    for name, parser in commands.items():
        assert parser.commands or parser.get_default('run') is not None, name
        with pytest.raises(SystemExit) as left:
            cli.main([name, '--help'])
        assert left.value.code == 0
        assert len(capsys.readouterr().out) > 100


def test_help_needs_nothing_heavy():
    program = (
        'import sys\n'
        'from millirobot_adapt.app.main import make_parser\n'
        'make_parser()\n'
        'print([name for name in ("torch", "onnx", "mujoco", "rclpy", "matplotlib", "onnxruntime", "scipy")'
        ' if name in sys.modules])\n'
    )
    answer = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == '[]'


@pytest.mark.parametrize('number', [errno.EACCES, errno.ENOTDIR, errno.ENAMETOOLONG])
def test_a_path_that_nobody_lets_the_user_look_at_is_one_line_and_bad_input(run_command, capsys, number):
    assert run_command(fail_with(OSError(number, 'no way in', '/root/run'))) == 2
    assert capsys.readouterr().err == 'millirobot: error: /root/run: no way in\n'


def test_an_argument_that_is_no_path_is_one_line(capsys):
    assert cli.main(['report', '~nobody_here/run']) == 2
    assert capsys.readouterr().err == (
        'millirobot: error: ~nobody_here/run: there is no such home folder; write the path in full\n'
    )


def test_report_opens_the_page_in_the_browser_where_there_is_one(tmp_path, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr('millirobot_adapt.analysis.report.write_report', lambda *_: {})
    monkeypatch.setattr('webbrowser.open', lambda page: opened.append(page) or True)
    assert cli.main(['report', str(tmp_path)]) == 0
    assert opened == []
    assert cli.main(['report', str(tmp_path), '--open']) == 0
    assert opened == [(tmp_path / 'report.html').as_uri()]
    monkeypatch.setattr('webbrowser.open', lambda _: False)
    assert cli.main(['report', str(tmp_path), '--open']) == 1
    assert 'no browser could be started' in capsys.readouterr().err


def dance(_):
    """Turn on the spot.

    Turn both legs at
    the same rate.

    Exit codes: 0 danced.
    """
    return 7


def jump(_):
    """Jump."""


def test_the_docstring_of_what_a_command_runs_is_its_help():
    parser = CommandParser()
    commands = parser.add_subparsers()
    dancing = add_command(commands, 'dance', dance)
    jumping = add_command(commands, 'jump', jump, epilog='Look first.')
    assert parser.summaries == {'dance': 'turn on the spot', 'jump': 'jump'}
    assert dancing.description == 'Turn both legs at the same rate.'
    assert dancing.epilog == 'Exit codes: 0 danced.'
    assert (jumping.description, jumping.epilog) == ('Jump.', 'Look first.')
    parsed = parser.parse_args(['dance'])
    assert parsed.run(parsed) == 7


def test_every_command_says_in_a_line_and_in_a_sentence_what_it_does():
    parser = cli.make_parser()
    for name, command in parser.leaves():
        assert command.description.endswith('.'), name
    assert all(len(line.split()) > 2 for line in parser.summaries.values())
