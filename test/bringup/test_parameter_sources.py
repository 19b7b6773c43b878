"""Which files the parameters of a run came from, and which edited ones were not read."""

import shutil

from millirobot_adapt.bringup.parameter_sources import describe_sources, parameter_sources, stale_files
from millirobot_adapt.core.share import share_dir


def test_the_files_are_listed_with_the_own_one_last(tmp_path):
    own = tmp_path / 'lab.yaml'
    found = parameter_sources({'bridge': {}, 'controller': {}}, [own])
    params = share_dir() / 'params'
    assert found == [str(params / 'bridge.yaml'), str(params / 'controller.yaml'), str(own)]
    (line,) = describe_sources({'bridge': {}, 'controller': {}}, [own])
    assert line == f'parameters: {params}/{{bridge.yaml,controller.yaml}}, then {own}, then the command line'


def test_an_edited_file_whose_installed_copy_is_read_is_named(tmp_path):
    for place in ('installed', 'checkout/params'):
        shutil.copytree(share_dir() / 'params', tmp_path / place)
    installed, checkout = tmp_path / 'installed', tmp_path / 'checkout'
    assert stale_files(installed, checkout) == []
    edited = checkout / 'params' / 'bridge.yaml'
    edited.write_text(edited.read_text().replace('fence', 'fence '))
    (checkout / 'params' / 'conditions' / 'flat.yaml').unlink()
    first, second = stale_files(installed, checkout)
    assert first.startswith(f'{edited} differs from its installed copy {installed / "bridge.yaml"}')
    assert 'params:=' in first
    assert second.startswith(f'{checkout / "params" / "conditions" / "flat.yaml"} is gone')


def test_the_checkout_itself_has_no_copies():
    assert stale_files() == []
