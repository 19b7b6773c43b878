"""The Python that has what our programs need, on computers of several kinds."""

import os
import sys
import textwrap
from pathlib import Path

import pytest

from millirobot_adapt.bringup import interpreter
from millirobot_adapt.bringup.interpreter import Interpreter, examine, find_interpreter
from millirobot_adapt.core.errors import UserError


@pytest.fixture(autouse=True)
def forgetful():
    examine.cache_clear()
    yield
    examine.cache_clear()


@pytest.fixture
def make_python(tmp_path):
    """Make interpreters that give the answer of a probe."""

    def make(folder, answer='{"missing": [], "wheels": false}', code=0):
        path = tmp_path / folder / 'bin' / 'python'
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\ncat <<'E'\n{answer}\nE\nexit {code}\n")
        path.chmod(0o755)
        return path

    return make


def lacking(*names):
    return lambda path: Interpreter(path, names) if path == Path(sys.executable) else examine(path)


def test_this_one_has_everything():
    assert find_interpreter() == Path(sys.executable)
    assert examine(Path(sys.executable)).complete


def test_the_probe_runs_on_another_interpreter_too(tmp_path):
    link = tmp_path / 'bin' / 'python'
    link.parent.mkdir()
    link.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    link.chmod(0o755)
    assert examine(link).complete


def test_what_is_missing_is_named(tmp_path):
    bare = tmp_path / 'python'
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E "$@"\n')
    bare.chmod(0o755)
    found = examine(bare)
    assert not found.complete
    assert 'rclpy' in str(found)


def test_where_the_own_one_lacks_something_the_active_environment_comes_next(monkeypatch, make_python):
    active = make_python('active')
    monkeypatch.setenv('VIRTUAL_ENV', str(active.parents[1]))
    monkeypatch.setattr(interpreter, 'candidates', lambda: iter([Path('/nowhere/python'), active]))
    assert find_interpreter() == active


def test_the_order_of_the_candidates(monkeypatch, make_python, tmp_path):
    active, checkout = make_python('active'), tmp_path / 'checkout'
    own = make_python('checkout/.venv')
    monkeypatch.setenv('VIRTUAL_ENV', str(active.parents[1]))
    monkeypatch.setattr(interpreter, 'built_from', lambda: checkout)
    assert list(interpreter.candidates()) == [Path(sys.executable), active, own]


def test_none_has_everything(monkeypatch, make_python):
    paths = [make_python('a', '{"missing": ["scipy", "rclpy"], "wheels": false}'), make_python('b', '', 1)]
    monkeypatch.setattr(interpreter, 'candidates', lambda: iter(paths))
    with pytest.raises(UserError, match=r'has no scipy, rclpy; .*does not run \(exit code 1\)\. Run `make env`'):
        find_interpreter()


def test_the_user_has_the_last_word(monkeypatch, make_python):
    good, bad = make_python('good'), make_python('bad', '{"missing": ["scipy"], "wheels": false}')
    monkeypatch.setenv(interpreter.VARIABLE, str(good))
    assert find_interpreter() == good
    monkeypatch.setenv(interpreter.VARIABLE, str(bad))
    with pytest.raises(UserError, match=r'MILLIROBOT_PYTHON names .*has no scipy; install it there, or unset'):
        find_interpreter()


def test_wheels_do_not_mix_with_a_sourced_ros(monkeypatch, make_python):
    wheels = make_python('wheels', '{"missing": [], "wheels": true}')
    monkeypatch.delenv('ROS_DISTRO', raising=False)
    assert examine(wheels).complete
    examine.cache_clear()
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    monkeypatch.setenv('AMENT_PREFIX_PATH', '/opt/ros/jazzy')
    assert 'do not mix' in str(examine(wheels))


def test_the_installed_package_knows_its_checkout(tmp_path, monkeypatch):
    package = tmp_path / 'site-packages' / 'millirobot_adapt'
    (package / 'bringup').mkdir(parents=True)
    monkeypatch.setattr(interpreter, '__file__', str(package / 'bringup' / 'interpreter.py'))
    assert interpreter.built_from() is None
    (package / interpreter.BUILT_FROM).write_text(f'{tmp_path / "src"}\n')
    assert interpreter.built_from() is None, 'it has been removed'
    (tmp_path / 'src').mkdir()
    (tmp_path / 'src' / 'package.xml').write_text('')
    assert interpreter.built_from() == tmp_path / 'src'


def test_launch_files_need_nothing_but_ros_and_the_standard_library():
    """What they import of ours imports in an interpreter without any site-packages."""
    source = textwrap.dedent("""
        import sys
        import millirobot_adapt.bringup.arguments, millirobot_adapt.bringup.interpreter
        import millirobot_adapt.bringup.interrupts, millirobot_adapt.app.entry
        heavy = {'numpy', 'scipy', 'yaml', 'onnxruntime', 'rclpy', 'pydantic'} & set(sys.modules)
        assert not heavy, heavy
    """)
    root = Path(__file__).resolve().parents[2]
    assert os.spawnve(
        os.P_WAIT, sys.executable, [sys.executable, '-S', '-c', source], {**os.environ, 'PYTHONPATH': str(root)}
    ) == 0  # fmt: skip
