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
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.List):
        lists[node.targets[0].id.lower()] = ast.literal_eval(node.value)  # SIM and REPORT
    elif isinstance(node, ast.keyword) and node.arg == 'install_requires':
        lists['base'] = ast.literal_eval(node.value)
for name in ('base', *sys.argv[1:]):
    for requirement in lists[name]:
        bound = re.fullmatch(r'([\w.-]+)>=([\w.]+)', requirement)
        if bound is not None:
            print(f'{bound[1]}=={bound[2]}')
