"""Write small ONNX graphs byte by byte, for tests on a Python without the library onnx (numbers from onnx.proto)."""

import numpy as np

TYPES = {'float': 1, 'int64': 7, 'double': 11}


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def value(name, kind, shape):
    """Describe an input or output; a size may be a name."""
    sizes = b''.join(block(1, number(1, size) if isinstance(size, int) else block(2, size)) for size in shape)
    return block(1, name) + block(2, block(1, number(1, TYPES[kind]) + block(2, sizes)))


def node(kind, inputs, outputs, **attributes):
    content = b''.join(block(1, name) for name in inputs) + b''.join(block(2, name) for name in outputs)
    whole = [block(1, name) + number(3, size) + number(20, 2) for name, size in attributes.items()]
    return content + block(4, kind) + b''.join(block(5, attribute) for attribute in whole)


def constant(name, array):
    kind = {'float32': 'float', 'int64': 'int64', 'float64': 'double'}[array.dtype.name]
    sizes = b''.join(number(1, size) for size in array.shape)
    return sizes + number(2, TYPES[kind]) + block(8, name) + block(9, array.tobytes())


def model(inputs, outputs, nodes, constants):
    parts = [(1, nodes), (5, constants), (11, inputs), (12, outputs)]
    graph = block(2, 'graph') + b''.join(block(field, each) for field, several in parts for each in several)
    return number(1, 8) + block(7, graph) + block(8, number(2, 17))


def standing_rollout(theta, kind='float', actions=('H', 'K', 2), time_axis=True, factor=None, places=(0, 1)):
    """Return a rollout graph that predicts that the robot stays where it is; `factor` multiplies the states.

    `places` is where the sizes H and K stand in the shape of the actions.
    """
    whole = {'places': places, 'one': [1], 'nx': [24]}
    constants = [constant(name, np.array(numbers, np.int64)) for name, numbers in whole.items()]
    nodes = [
        node('Shape', ['actions'], ['shape']), node('Gather', ['shape', 'places'], ['hk']),
        node('Split', ['hk'], ['h', 'k'], axis=0), node('Add', ['h', 'one'], ['h1']),
        node('Concat', ['h1', 'k', 'nx'] if time_axis else ['k', 'nx'], ['size'], axis=0),
    ]  # fmt: skip
    predicted = 'state'
    if factor is not None:
        constants.append(constant('factor', np.array([factor], np.float32)))
        nodes.append(node('Mul', ['state', 'factor'], ['scaled']))
        nodes.append(node('Add', ['scaled', 'factor'], ['predicted']))
        predicted = 'predicted'
    nodes.append(node('Expand', [predicted, 'size'], ['states']))
    inputs = [value(name, kind, array.shape) for name, array in theta.items()]
    inputs += [value('state', kind, ['S', 24]), value('actions', kind, actions)]
    return model(inputs, [value('states', kind, ['H1', 'K', 24] if time_axis else ['K', 24])], nodes, constants)
