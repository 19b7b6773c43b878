import sys; sys.path.insert(0, '..')
from common import *
sys.path.insert(0, str(MAIN / 'test/system'))
from harness import make_group
from millirobot_adapt.bringup.processes import PLAYER
from millirobot_adapt.ros.operator import Operator
import time
KIND = sys.argv[1] if len(sys.argv) > 1 else 'cut'                          # cut | empty_back_emf | clock_back
here = scratch(); messages = good(); begin = next(raw.received for raw in messages if raw.channel.topic == '/legs') - 10**9
messages = [raw for raw in messages if begin < raw.received < begin + 5 * 10**9]
if KIND == 'cut':
    k = [i for i, raw in enumerate(messages) if raw.channel.topic == '/mocap/pose'][60]; messages[k] = messages[k]._replace(data=messages[k].data[:10])
if KIND == 'empty_back_emf':
    def empty(message): message.data = message.data[:0]
    messages = edited(messages, '/back_emf', empty)
if KIND == 'clock_back':                                                    # the recorder's clock was set back an hour on the way
    middle = messages[0].received + 25 * 10**8
    messages = [raw if raw.received < middle else raw._replace(received=raw.received - 3600 * 10**9) for raw in messages]
write('bag', messages); domain, group = make_group(here); os.environ.update(group.environment)
try:
    group.supervisor.start('player', [*PLAYER.command(PLAYER.parameter_file), '-p', f'bag:={here}/bag'])
    operator = Operator(); operator.bring_up(['player'], 20.0); operator.close(); time.sleep(8)
    print(KIND, ':', group.supervisor.log('player').read_text().strip().splitlines()[-1], f'(of {len(messages)} in the bag)')
finally: group.supervisor.stop(); domain.release()
milli('replay', 'bag', '--model', MODEL, '--no-plan')
