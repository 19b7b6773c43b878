"""Print pip constraints that pin every requirement of this package with a lower bound to that bound.

The extras are the arguments: python .ci/lowest.py sim report test > constraints.txt
"""

import ast
import re
import sys
from pathlib import Path

tree = ast.parse(Path(__file__).resolve().parents[1].joinpath('setup.py').read_text(encoding='utf-8'))
lists: dict[str, list[str]] = {}
for node in ast.walk(tree):
    name = node.targets[0].id.lower() if isinstance(node, ast.Assign) else getattr(node, 'arg', '')
    if isinstance(getattr(node, 'value', None), ast.List):
        lists[name] = [item.value for item in node.value.elts if isinstance(item, ast.Constant)]
for name in ('install_requires', *sys.argv[1:]):
    for requirement in lists[name]:
        bound = re.fullmatch(r'([\w.-]+)>=([\w.]+)', requirement)
        if bound is not None:
            print(f'{bound[1]}=={bound[2]}')
