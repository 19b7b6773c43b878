"""The pages of the documentation, and the command lines that they tell the reader to type."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / 'examples'
GENERATED = ('commands.md', 'api.md', 'parameters.md')
PAGES = [
    ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', EXAMPLES / 'README.md', *sorted((ROOT / 'docs').rglob('*.md')),
]  # fmt: skip

NEEDS = re.compile(r'<!-- needs: (.*) -->')


def command_lines(page):
    """Return every line of the shell on a page, and what a comment above its block says that it needs ('': nothing).

    Shell is what is indented by four spaces outside of lists, or stands between fences without a language.
    """
    lines, needs, fenced, in_list, blank = [], '', '', False, True
    for line in page.read_text(encoding='utf-8').splitlines():
        text = line.strip()
        if text.startswith('```'):
            fenced = '' if fenced else (text or '```')
        elif match := NEEDS.fullmatch(text):
            needs = match[1]
        elif (fenced == '```') or (not fenced and line.startswith('    ') and not in_list and text):
            if lines and lines[-1][0].endswith('\\'):
                lines[-1] = (lines[-1][0][:-1].rstrip() + ' ' + text, needs)
            elif fenced or blank or lines:
                lines.append((text, needs))
        elif text and not fenced:
            in_list = bool(re.match(r'([-*]|\d+\.) ', text)) or (in_list and line.startswith('   '))
            needs = '' if not text.startswith('|') else needs
        blank = not text
    return lines


def commands_of(page):
    """Return the calls of `millirobot` on a page, each as one line without comment, pipe or redirection."""
    found = []
    for line, _ in command_lines(page):
        line = re.sub(r'(?<!\S)#.*', '', line)
        for part in re.split(r'&&|\|\||[;|&>]|\bdo\b', line):
            words = part.split()
            while words and re.fullmatch(r'\w+=\S*', words[0]):
                words = words[1:]
            if words and words[0].rpartition('/')[2] == 'millirobot' and len(words) > 1 and '...' not in words:
                rest = re.sub(r'\$\{?\w+\}?', '1', ' '.join(words[1:]))
                found.append(f'millirobot {rest}')
    return found
