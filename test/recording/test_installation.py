"""What software runs on what machine."""

import subprocess

from millirobot_adapt import __version__
from millirobot_adapt.recording.installation import git_state, installation


def test_versions_and_machine_are_told():
    found = installation({'distro': 'jazzy', 'rmw': 'rmw_fastrtps_cpp'})
    assert found['version']['package'] == __version__
    assert found['ros']['distro'] == 'jazzy'
    assert found['host']['cores'] >= 1
    assert found['host']['cpu']


def test_the_state_of_a_checkout_tells_whether_files_differ(tmp_path):
    def git(*arguments):
        subprocess.run(['git', '-C', str(tmp_path), *arguments], check=True, capture_output=True)

    assert git_state(tmp_path) == ''
    git('init')
    (tmp_path / 'file').write_text('1')
    git('add', 'file')
    git('-c', 'user.name=x', '-c', 'user.email=x@y', 'commit', '-m', 'First')
    clean = git_state(tmp_path)
    assert len(clean) == 12
    (tmp_path / 'file').write_text('2')
    assert git_state(tmp_path) == f'{clean}-dirty'
