"""Names of the six legs of a hexapod, in the order of every array that holds a number for each."""

SIDES = ('left', 'right')
ROWS = ('front', 'middle', 'rear')
LEGS = tuple(f'{row}_{side}' for side in SIDES for row in ROWS)
