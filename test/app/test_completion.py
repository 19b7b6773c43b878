"""The shell completes commands, options and names."""

import os
import subprocess
import sys

import pytest

from millirobot_adapt.app.main import main

argcomplete = pytest.importorskip('argcomplete')


def completions(line):
    """Ask as bash does: the line typed so far, its end is where the cursor stands; the answers come on descriptor 8."""
    program = 'import os, sys\nos.dup2(1, 8)\nfrom millirobot_adapt.app.main import main\nsys.exit(main())'
    environment = {
        **os.environ, '_ARGCOMPLETE': '1', '_ARGCOMPLETE_IFS': '\n', '_ARGCOMPLETE_SHELL': 'bash', 'COMP_LINE': line,
        'COMP_POINT': str(len(line)), 'COMP_TYPE': '63',
    }  # fmt: skip
    done = subprocess.run([sys.executable, '-c', program], env=environment, capture_output=True, text=True, check=True)
    return {word.strip() for word in done.stdout.split('\n')}


@pytest.mark.parametrize(
    ('line', 'among'),
    [
        ('millirobot rep', {'report', 'replay', 'repair'}),
        ('millirobot demo --se', {'--seconds', '--seed', '--seeds', '--set'}),
        ('millirobot demo --method gr', {'grbal', 'grbal_literal'}),
        ('millirobot demo --condition leg', {'leg_loss', 'leg_loss_worn'}),
        ('millirobot demo --shape zi', {'zigzag'}),
        ('millirobot bench li', {'link'}),
    ],
)
def test_what_is_typed_is_completed(line, among):
    found = completions(line)
    assert among <= found
    assert 'demo' not in found


@pytest.mark.parametrize('shell', ['bash', 'zsh'])
def test_the_command_prints_what_the_shell_evaluates(shell, capsys):
    assert main(['completion', shell]) == 0
    printed = capsys.readouterr().out
    assert 'millirobot' in printed
    assert '_ARGCOMPLETE' in printed
