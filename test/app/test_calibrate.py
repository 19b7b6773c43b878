"""The command `calibrate`."""

import json

import pytest

from millirobot_adapt.app.main import main
from millirobot_adapt.sim import calibration


def test_it_prints_the_mock_beside_the_real_robot_and_counts_what_is_missed(monkeypatch, capsys):
    walk, walked = calibration.calibrate, []

    def once(*arguments):
        walked.extend([] if walked else walk(*arguments))
        return walked

    monkeypatch.setattr(calibration, 'calibrate', once)
    arguments = ['calibrate', '--terrain', 'turf', '--seconds', '10', '--jobs', '1']
    assert main([*arguments, '--json']) == 0
    report = json.loads(capsys.readouterr().out)
    figures = {figure['name']: figure for figure in report['figures']}
    assert {figure['terrain'] for figure in report['figures']} == {'turf'}
    assert report['missed'] == sum(not figure['within'] for figure in report['figures'])
    speed = figures['forward_4_5']
    assert speed['low'] == speed['high'] == 0.2
    assert speed['deviation'] == pytest.approx(speed['mock'] / 0.2 - 1.0)
    assert 0.1 < speed['mock'] < 0.3

    assert main(arguments) == 0
    table = capsys.readouterr().out
    (line,) = [line for line in table.splitlines() if line.startswith('forward_4_5')]
    assert line.split()[1:3] == ['0.2', f'{speed["mock"]:.3g}']
    assert f'{len(figures) - report["missed"]} of {len(figures)} within' in table


@pytest.mark.parametrize(
    ('option', 'value', 'complaint'),
    [
        ('--terrain', 'lava', "--terrain: 'lava' is not one of carpet, styrofoam, turf"),
        ('--seconds', '1', '--seconds 1: must be within 10..3600'),
        ('--jobs', '0', '--jobs 0: must be at least 1'),
        ('--seed', '-1', '--seed -1: must be at least 0'),
        ('--targets', 'nowhere', 'nowhere'),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(capsys, option, value, complaint):
    assert main(['calibrate', option, value]) == 2
    assert complaint in capsys.readouterr().err
