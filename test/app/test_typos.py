"""The help lists the commands in groups; a mistyped command line is answered with the nearest right word."""

import json

import pytest

from millirobot_adapt.app.main import GROUPS, main, make_parser
from millirobot_adapt.app.parser import CommandGroups, CommandParser
from millirobot_adapt.core.errors import closest

TYPOS = [
    ('demp', "demp: no such command; did you mean 'demo'?"),
    ('Replay runs/latest', "Replay: no such command; did you mean 'replay'?"),
    ('export_bag runs/latest', "did you mean 'export-bag'?"),
    ('train --data data.npz --method grbl --out run', "--method: 'grbl' is not one of"),
    ('train --data data.npz --method grbl --out run', "did you mean 'grbal'?"),
    ('bench lnk', "lnk: no such command; did you mean 'link'?"),
    ('params nw a.yaml', "nw: no such command; did you mean 'new'?"),
    ('demo --secnds 3', "--secnds: no such option; did you mean '--seconds'?"),
    ('demo --modle velociroach_mb', "did you mean '--model'?"),
    ('evaluate --shpaes left', "did you mean '--shapes'?"),
    ('evaluate --metods=mb', "--metods: no such option; did you mean '--methods'?"),
    ('--seed 3 demo', 'options of a command come after the command'),
    ('report a b', 'b: too many arguments'),
    ('export-bag runs/latest --to npx', "did you mean 'npz'?"),
    ('demo --shape figur8', "did you mean 'figure8'?"),
    ('path show zigzig', "did you mean 'zigzag'?"),
    ('demo --method GrBAL', "did you mean 'grbal'?"),
    ('evaluate --methods mb,grbl', "did you mean 'grbal'?"),
    ('demo --condition legloss', "no condition of that name is shipped; did you mean 'leg_loss'?"),
    ('evaluate --conditions missing_midle_leg', "did you mean 'missing_middle_leg'?"),
    ('demo --model velociroach_grbl', "no model of that name is shipped; did you mean 'velociroach_grbal'?"),
    ('demo --firmware hst', "did you mean 'host'?"),
    ('demo --set controler.method=mb', "unknown node 'controler'; did you mean 'controller'?"),
    ('demo --set controller.planner.sample=9', "did you mean 'planner.samples'?"),
    ('calibrate --terrain carpt', "did you mean 'carpet'?"),
    ('bench paths --kinds spirls', "did you mean 'spiral'?"),
    ('inject mocap.freze', "did you mean 'mocap.freeze'?"),
    ('params new a.yaml --nodes brige', "did you mean 'bridge'?"),
]


@pytest.mark.parametrize(('line', 'answer'), TYPOS, ids=[line for line, _ in TYPOS])
def test_a_typo_is_answered_with_the_nearest_right_word(line, answer, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(line.split())
    except SystemExit as left:
        code = left.code
    assert code == 2
    printed = capsys.readouterr()
    assert answer in printed.err
    assert printed.out == ''
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_option_shows_the_usage_of_its_own_command(capsys):
    with pytest.raises(SystemExit):
        main(['bench', 'link', '--sneed', '3'])
    usage, *_, last = capsys.readouterr().err.splitlines()
    assert usage.startswith('usage: millirobot bench link ')
    assert last.startswith('millirobot bench link: error: --sneed: no such option')


@pytest.mark.parametrize('line', [[], ['bench'], ['params']])
def test_without_a_command_the_help_is_printed(line, capsys):
    with pytest.raises(SystemExit) as left:
        main(line)
    assert left.value.code == 0
    bare = capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*line, '--help'])
    assert capsys.readouterr().out == bare


def test_the_help_lists_every_command_once_below_its_group(capsys):
    grouped = [name for _, names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(make_parser().commands)
    text = make_parser().format_help()
    places = [text.index(f'\n{title}: ') for title in GROUPS]
    assert places == sorted(places)
    for (_, names), begin, end in zip(GROUPS.values(), places, [*places[1:], len(text)], strict=True):
        for name in names:
            assert f'\n  {name} ' in text[begin:end]
    assert max(map(len, text.splitlines())) <= 120


def test_a_command_that_no_group_names_is_refused():
    parser = CommandParser(CommandGroups({'run': ('walk', ('demo',))}))
    commands = parser.add_subparsers()
    commands.add_parser('demo', help='walk')
    with pytest.raises(ValueError, match='dance: no group'):
        commands.add_parser('dance', help='dance')


@pytest.mark.parametrize(
    ('word', 'near'), [('GRBAL', 'grbal'), ('grbl', 'grbal'), ('mb', 'mb'), ('xyz', None), ('', None)]
)
def test_the_closest_name(word, near):
    assert closest(word, ['mb', 'mb_de', 'grbal']) == near


def test_faults_are_listed_as_json_too(capsys):
    assert main(['inject', '--list', '--json']) == 0
    faults = {row['fault']: row for row in json.loads(capsys.readouterr().out)}
    assert faults['mocap.freeze']['what']
    assert main(['inject', '--list']) == 0
    table = capsys.readouterr().out
    assert all(name in table for name in faults)
