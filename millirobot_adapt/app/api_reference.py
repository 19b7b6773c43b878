"""Write the reference of the Python API from its docstrings: python -m millirobot_adapt.app.api_reference.

It prints docs/api.md, which a test compares with what it prints.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

import millirobot_adapt

HEAD = """# Python API

Generated from the docstrings: `python -m millirobot_adapt.app.api_reference > docs/api.md`.

    from millirobot_adapt import load_model, load_run, rollout

    run, model = load_run('runs/latest'), load_model()
    adapted = model.adapt(run.window(15.0))
    walked, actions = run.ahead(15.0, steps=10)
    before, after = rollout(model, walked[0], actions), rollout(adapted, walked[0], actions)
    print(before.errors(walked)[-1], after.errors(walked)[-1])
    ax = run.plot()
    before.plot(ax, 'before adapting')
    after.plot(ax, 'after adapting')

`import millirobot_adapt` imports nothing else; each name is imported when it is first asked for, and needs no ROS.
`plot` needs the extra `report`, `Sim` and `evaluate` need the extra `sim`; `make env` installs both. A mistake of the
caller, such as the name of a model that is not there, is a `millirobot_adapt.core.errors.UserError` with one line that
says what to do. `examples/` in the repository holds whole scripts. Arrays have SI units; [glossary.md](glossary.md)
explains the letters.
"""
SECTIONS = ('Args:', 'Returns:', 'Raises:')


def reference() -> str:
    """Return the page, in Markdown: functions first, then the classes that they return."""
    things = [(name, getattr(millirobot_adapt, name)) for name in millirobot_adapt.__all__]
    functions = [(name, thing) for name, thing in things if not inspect.isclass(thing)]
    classes = [(name, thing) for name, thing in things if inspect.isclass(thing)]
    parts = [
        HEAD,
        *(_function(name, each) for name, each in functions),
        *(_class(name, each) for name, each in classes),
    ]
    return '\n'.join(parts)


def _function(name: str, function: Any) -> str:
    return f'## {name}\n\n    {name}{_signature(function)}\n\n{_prose(function)}'


def _class(name: str, cls: Any) -> str:
    """Describe a class: what it is, how it is made where a caller makes it, and its public members."""
    parts = [f'## {name}\n\n{_prose(cls)}']
    if '__init__' in vars(cls) and not hasattr(cls, '__dataclass_fields__'):
        parts.append(f'    {name}{_signature(cls.__init__)}\n\n{_prose(cls.__init__)}')
    fields = list(_fields(cls))
    if fields:
        parts.append('\n'.join(f'- `{field}`: {text}' for field, text in fields) + '\n')
    for member, value in vars(cls).items():
        if inspect.isfunction(value) and not member.startswith('_'):
            parts.append(f'### {name}.{member}\n\n    {member}{_signature(value)}\n\n{_prose(value)}')
    return '\n'.join(parts)


def _fields(cls: Any) -> Iterator[tuple[str, str]]:
    """Yield the documented fields and the properties of a class, with their text."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(node, ast.ClassDef)
    for statement, following in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                yield statement.target.id, ' '.join(str(following.value.value).split())
        elif isinstance(statement, ast.FunctionDef) and any(
            'property' in ast.dump(d) for d in statement.decorator_list
        ):
            yield statement.name, ' '.join((ast.get_docstring(statement) or '').split())


def _signature(function: Any) -> str:
    """Return the signature as it is written, without `self`; one argument a line where it is long."""
    signature = inspect.signature(function)
    words: list[str] = []
    keyword_only = False
    for name, each in signature.parameters.items():
        if each.kind is each.KEYWORD_ONLY and not keyword_only:
            words, keyword_only = [*words, '*'], True
        if name != 'self':
            default = '' if each.default is each.empty else f' = {each.default!r}'
            words.append(f'{name}: {each.annotation}{default}')
    returns = '' if signature.return_annotation in ('None', signature.empty) else f' -> {signature.return_annotation}'
    line = f'({", ".join(words)}){returns}'
    return line if len(line) < 80 else '(\n        ' + ',\n        '.join(words) + f',\n    ){returns}'


def _prose(thing: Any) -> str:
    """Return a docstring as Markdown: its sections become lists."""
    lines: list[str] = []
    listing = False
    for line in inspect.getdoc(thing).splitlines():  # type: ignore[union-attr]
        if line in SECTIONS:
            listing = True
            lines += [f'*{line.rstrip(":")}*', '']
        elif listing and line.startswith('    ') and not line.startswith('        '):
            name, colon, text = line.strip().partition(': ')
            is_item = colon and name.isidentifier()
            lines.append(f'- `{name}`: {text}' if is_item else line.strip())
        elif listing and line.startswith('        '):
            lines.append(f'  {line.strip()}')
        else:
            listing = listing and not line.strip()
            lines.append(line)
    return '\n'.join(lines) + '\n'


if __name__ == '__main__':
    print(reference(), end='')
