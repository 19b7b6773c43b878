"""No two public classes and no two modules share a name, in whatever rooms they stand."""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = 'millirobot_adapt'

# Folders whose modules are named after something that people type or read: a module of the same name elsewhere holds
# the idea, the one in the folder gives it a command, an entry point or a training.
NAMED_AFTER_THE_IDEA = {
    f'{PACKAGE}/app/commands': 'one file a command of `millirobot`, named as people type it',
    f'{PACKAGE}/nodes': 'one file an executable, named as ROS starts it',
    f'{PACKAGE}/learning/methods': 'one file an adaptation method, named as core/dynamics names it',
}
EVERY_PACKAGE = {'__init__', '__main__'}


def sources() -> dict[str, str]:
    """Path below the repository -> text, of every module outside the tests."""
    paths = [path for package in (PACKAGE, 'firmware_bridge') for path in sorted((ROOT / package).rglob('*.py'))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding='utf-8') for path in paths}


def modules_of(path: str, text: str) -> Iterable[str]:
    folder, _, file = path.rpartition('/')
    if folder not in NAMED_AFTER_THE_IDEA and file.removesuffix('.py') not in EVERY_PACKAGE:
        yield file.removesuffix('.py')


def classes_of(path: str, text: str) -> Iterable[str]:
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith('_'):
            yield node.name


def shared(files: Mapping[str, str], names_of: Callable[[str, str], Iterable[str]]) -> dict[str, list[str]]:
    """Names that two files or more define -> those files."""
    places = defaultdict(list)
    for path, text in files.items():
        for name in names_of(path, text):
            places[name].append(path)
    return {name: found for name, found in places.items() if len(found) > 1}


@pytest.mark.parametrize('names_of', [modules_of, classes_of])
def test_no_two_share_a_name(names_of):
    assert shared(sources(), names_of) == {}


def test_a_name_used_twice_is_seen():
    one, other = f'{PACKAGE}/analysis/page.py', f'{PACKAGE}/experiments/page.py'
    assert shared({one: '', other: ''}, modules_of) == {'page': [one, other]}
    files = {one: 'class Page: ...\nclass _Row: ...', f'{PACKAGE}/sim/walk.py': 'class Page: ...\nclass _Row: ...'}
    assert shared(files, classes_of) == {'Page': list(files)}


def test_the_folders_that_may_repeat_a_name_do_so():
    """An exception that nothing needs is taken out of the list."""
    every = defaultdict(set)
    for path in sources():
        folder, _, file = path.rpartition('/')
        every[file].add(folder)
    for folder in NAMED_AFTER_THE_IDEA:
        assert any(folder in folders and len(folders) > 1 for file, folders in every.items() if file != '__init__.py')
