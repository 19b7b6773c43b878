"""The messages that docs/faq.md quotes are messages of the code."""

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FAQ = (ROOT / 'docs' / 'faq.md').read_text(encoding='utf-8')
FIRST_CELLS = re.findall(r'^\| (.+?) \|', FAQ, re.MULTILINE)
MESSAGES = [message for cell in FIRST_CELLS for message in re.findall('`(.+?)`', cell)]


def texts():
    for package in ('millirobot_adapt', 'firmware_bridge'):
        for path in (ROOT / package).rglob('*.py'):
            for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
                if isinstance(node, ast.JoinedStr):
                    yield ''.join(part.value if isinstance(part, ast.Constant) else '...' for part in node.values)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


@functools.cache
def templates():
    """Every text in the code, with `...` for what is put in; read when a test asks, as every worker imports this."""
    return frozenset(texts())


def said(message):
    """Whether some text of the code can come out as the message; `...` at its ends may hide other texts."""
    core = message.removeprefix('...').removesuffix('...').strip()
    return any(core in template for template in templates())


def test_there_are_messages():
    assert len(MESSAGES) >= 25


@pytest.mark.parametrize('message', MESSAGES)
def test_a_message_of_the_page_is_one_of_the_code(message):
    assert said(message)


def test_a_message_that_nobody_says_is_seen():
    assert not said('port ...: is made of cheese')
