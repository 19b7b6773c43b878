"""What the documentation says is what the code does."""

from __future__ import annotations

import contextlib
import re
import shlex
from pathlib import Path

import pytest
import yaml
from pages import EXAMPLES, GENERATED, PAGES, ROOT, command_lines, commands_of

from millirobot_adapt.app.command_reference import reference
from millirobot_adapt.app.main import GROUPS, make_parser
from millirobot_adapt.app.parser import CommandParser
from millirobot_adapt.contract.topics import TOPICS, VIEW_TOPICS, Topic


def row(topic: Topic) -> str:
    kind = topic.type.replace('/msg/', '/')
    latched = ' (latched)' if topic.latched else ''
    return f'| `{topic.name}` | {kind} | {topic.publisher} | {topic.meaning}{latched} |'


def test_the_table_of_topics_is_the_contract():
    """To fix it, paste the expected table between the markers."""
    expected = '\n'.join(['| topic | type | from | what |', '|---|---|---|---|', *map(row, (*TOPICS, *VIEW_TOPICS))])
    page = (ROOT / 'docs' / 'topics.md').read_text(encoding='utf-8')
    found = re.search(r'<!-- topics:.*?-->\n(.*?)\n?<!-- /topics -->', page, re.DOTALL)
    assert found is not None
    assert found[1] == expected


def commands() -> dict[str, CommandParser]:
    """Every command by its name, those of a group as `group command`."""
    return dict(make_parser().leaves())


def test_the_page_of_commands_is_the_parser():
    page = (ROOT / 'docs' / 'commands.md').read_text(encoding='utf-8')
    assert page == reference(), 'run python -m millirobot_adapt.app.command_reference > docs/commands.md'
    for name, parser in commands().items():
        assert f'\n## millirobot {name}\n' in page
        for option in parser.options:
            assert option in ('-h', '--help') or f'`{option}' in page
    for title in GROUPS:
        assert f'**{title}**' in page


def test_every_page_stands_in_the_navigation_and_on_the_first_page():
    # The tags of the file are mkdocs' own; the navigation is plain.
    navigation = yaml.safe_load((ROOT / 'mkdocs.yml').read_text())['nav']
    listed = set(re.findall(r"'([\w/-]+\.md)'", str(navigation)))
    there = {path.relative_to(ROOT / 'docs').as_posix() for path in (ROOT / 'docs').rglob('*.md')}
    assert listed == there
    first = (ROOT / 'docs' / 'index.md').read_text()
    assert there - set(re.findall(r'\]\(([^)#]+)', first)) == {'index.md'}


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and mkdocs make them."""
    headings = re.findall(r'^#+ (.*)$', path.read_text(encoding='utf-8'), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', heading).strip().lower().replace(' ', '-') for heading in headings}


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target, anchor in re.findall(r'\]\((?!https?://)([^)#\s]*)#?([^)]*)\)', page.read_text(encoding='utf-8')):
        linked = page.parent / target if target else page
        assert linked.exists(), f'{page.name} links to {target}'
        assert not anchor or anchor in anchors(linked), f'{page.name} links to {target}#{anchor}'


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_files_that_pages_name_exist(page):
    text = page.read_text(encoding='utf-8')
    for name in re.findall(
        r'`((?:params|launch|models|test|examples|millirobot_adapt|firmware_bridge)/[\w./-]+)`', text
    ):
        assert (ROOT / name).exists(), f'{page.name} names {name}'


def test_options_shown_in_pages_exist():
    parsers = commands()
    for page in PAGES:
        for call in re.findall(r'millirobot ([a-z-][^`\n&|;]*)', page.read_text(encoding='utf-8')):
            name = next((name for name in parsers if f'{call} '.startswith(f'{name} ')), None)
            if name is None:
                continue
            for option in re.findall(r'(?<!\S)--[a-z-]+', call):
                assert option in parsers[name].options, f'{page.name}: millirobot {name} has no {option}'


LINES = [(page, line) for page in PAGES if page.name not in GENERATED for line in commands_of(page)]


@pytest.mark.parametrize(('page', 'line'), LINES, ids=[f'{page.stem}: {line}' for page, line in LINES])
def test_every_command_line_of_a_page_can_be_parsed(page, line, capsys):
    """What the shell puts in the place of $names, and of RUN and such words, is a word here."""
    with contextlib.suppress(SystemExit):
        make_parser().parse_args(shlex.split(line)[1:])
    assert ' error: ' not in capsys.readouterr().err, f'{page.name}: {line}'


def test_every_command_of_a_page_is_called_in_some_test_or_says_what_it_needs():
    """Tutorials are typed word for word (test_tutorials.py); of other pages each command has a test that calls it."""
    tests = '\n'.join(path.read_text(encoding='utf-8') for path in (ROOT / 'test').rglob('test_*.py'))
    names, seen = sorted(commands(), key=len, reverse=True), set()
    for page in PAGES:
        if page.name in GENERATED or page.parent.name == 'tutorials':
            continue
        free = [line for line, needs in command_lines(page) if not needs]
        for call in commands_of(page):
            name = next((name for name in names if f'{call} '.startswith(f'millirobot {name} ')), None)
            if name is not None and any(call.split(' --')[0] in line for line in free):
                seen.add(name)
    assert len(seen) > 10
    for name in seen:
        words = ', '.join(f"'{word}'" for word in name.split())
        assert words in tests or f"'{name} " in tests, f'millirobot {name} stands on a page, and no test calls it'


def test_command_lines_are_found_in_code_and_comments_are_left_out(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text(
        '# A\n\n    millirobot demo   # walk\n    for s in 1 2; do\n      millirobot demo --seed $s; done\n\n'
        'text millirobot no\n\n<!-- needs: a robot -->\n\n```\n'
        '.venv/bin/millirobot report runs/latest \\\n    --open\n```\n'
    )
    assert commands_of(page) == [
        'millirobot demo', 'millirobot demo --seed 1', 'millirobot report runs/latest --open',
    ]  # fmt: skip
    assert [needs for _, needs in command_lines(page)] == ['', '', '', 'a robot']


def test_targets_and_scripts_that_pages_call_exist():
    targets = set(re.findall(r'^([a-z-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
    scripts, seen = {path.name for path in EXAMPLES.glob('*.py')}, set()
    for page in PAGES:
        for line, _ in command_lines(page):
            words = line.split()
            if words[:1] == ['make'] and words[1][0].isalpha():
                assert words[1] in targets, f'{page.name}: {line}'
            if len(words) > 1 and words[1].startswith('examples/'):
                assert words[1].removeprefix('examples/') in scripts, f'{page.name}: {line}'
                seen.add(words[1])
    assert len(seen) >= 3
