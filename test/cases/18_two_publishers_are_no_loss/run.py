import sys; sys.path.insert(0, '..')
from common import *
from millirobot_adapt.recording.sequence_gaps import SequenceGaps
losses = SequenceGaps(); first = second = 0
for who, count in ((1, 40), (2, 15), (1, 20), (2, 20)):                     # controller, teleop, controller, teleop
    for _ in range(count):
        if who == 1: first += 1; losses.saw('/setpoint', first)
        else: second += 1; losses.saw('/setpoint', second)
print('sent 95, received 95, lost according to SequenceGaps:', dict(losses.lost))
