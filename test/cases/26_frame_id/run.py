import sys; sys.path.insert(0, '..')
from common import *
from millirobot_adapt.contract.messages import pose_sample
from millirobot_adapt.recording import stored_messages
message = stored_messages.pose_stamped(1.0, [1.0, 0.0, 0.03], [0, 0, 0, 1.0]); message.header.frame_id = 'camera_optical_frame'
print('taken as a pose in world:', pose_sample(message))
