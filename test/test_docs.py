"""What the documentation says is what the code does."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from millirobot_adapt.app.main import make_parser
from millirobot_adapt.contract.topics import TOPICS, VIEW_TOPICS, Topic

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / 'README.md').read_text(encoding='utf-8')
PAGES = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'docs').glob('*.md'))]


def row(topic: Topic) -> str:
    kind = topic.type.replace('/msg/', '/')
    latched = ' (latched)' if topic.latched else ''
    return f'| `{topic.name}` | {kind} | {topic.publisher} | {topic.meaning}{latched} |'


def test_the_table_of_topics_is_the_contract():
    """To fix it, paste the expected table between the markers."""
    expected = '\n'.join(['| topic | type | from | what |', '|---|---|---|---|', *map(row, (*TOPICS, *VIEW_TOPICS))])
    found = re.search(r'<!-- topics:.*?-->\n(.*?)\n?<!-- /topics -->', README, re.DOTALL)
    assert found is not None
    assert found[1] == expected


def commands(parser: argparse.ArgumentParser | None = None, prefix: str = '') -> dict[str, argparse.ArgumentParser]:
    """Every command by its name, those of a group as `group command`."""
    found = {}
    for action in (parser or make_parser())._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                found |= commands(below, f'{prefix}{name} ') or {f'{prefix}{name}': below}
    return found


def test_every_command_stands_in_the_readme_and_no_other():
    described = set(re.findall(r'^\| `millirobot ([a-z-]+(?: [a-z][a-z-]*)*)', README, re.MULTILINE))
    assert described == set(commands())


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r'\]\((?!https?://)([^)#]+)', page.read_text(encoding='utf-8')):
        assert (page.parent / target).exists(), f'{page.name} links to {target}'


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_files_that_pages_name_exist(page):
    text = page.read_text(encoding='utf-8')
    for name in re.findall(r'`((?:params|launch|models|test|millirobot_adapt|firmware_bridge)/[\w./-]+)`', text):
        assert (ROOT / name).exists(), f'{page.name} names {name}'


def test_options_shown_in_pages_exist():
    parsers = commands()
    for page in PAGES:
        for call in re.findall(r'millirobot ([a-z-][^`\n&|;]*)', page.read_text(encoding='utf-8')):
            name = next((name for name in parsers if f'{call} '.startswith(f'{name} ')), None)
            if name is None:
                continue
            known = {option for action in parsers[name]._actions for option in action.option_strings}
            for option in re.findall(r'(?<!\S)--[a-z-]+', call):
                assert option in known, f'{page.name}: millirobot {name} has no {option}'
