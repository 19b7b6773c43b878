"""The contract on the wire: every topic, its type, who publishes it, and what its numbers mean.

Names are relative, so a namespace holds several robots side by side. The recorder subscribes to exactly this list, the
log importer writes it, replay reads it, and the table in docs/topics.md is generated from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """One topic of the contract."""

    name: str
    type: str
    publisher: str
    meaning: str
    latched: bool = False
    """Transient local and reliable: late subscribers get the last messages."""
    reliable: bool = True
    """False: best effort (sensor data)."""
    history: int = 1
    """Messages that a latched topic keeps for late subscribers."""


def why_no_topic(name: str) -> str:
    """Say why ROS takes a text for no name of a topic; '' where it does."""
    wrong = re.search(r'[^A-Za-z0-9_/~{}]|//|/[0-9]|^[0-9]|/$|^$', name)
    if wrong is None:
        return ''
    place = f'{wrong[0]!r} at place {wrong.start() + 1}' if wrong[0] else 'it is empty'
    return f'{place}; letters, digits and _ make a name, / goes between names, none begins with a digit'


MOCAP_POSE = Topic(
    'mocap/pose', 'geometry_msgs/msg/PoseStamped', 'motion capture',
    'pose of the marker body in `world`; stamp = time of exposure', reliable=False,
)  # fmt: skip
SETPOINT = Topic(
    'setpoint', 'sensor_msgs/msg/JointState', 'controller',
    'wanted action: name = actions of the robot, velocity = each in SI units, such as leg rates left, right [rad/s]; '
    'stamp = start of the tick; frame_id = who sends it: controller/..., teleop/... or collector/...; the bridge obeys '
    'one sender at a time, and none that is not named',
)  # fmt: skip
JOY = Topic(
    'joy', 'sensor_msgs/msg/Joy', 'joystick',
    'sticks and buttons, which teleop reads as params/teleop.yaml says', reliable=False,
)  # fmt: skip
SENT = Topic(
    'sent', 'sensor_msgs/msg/JointState', 'bridge',
    'action really sent, after gate and rounding of the driver; laid out as `setpoint`; stamp = time of sending',
)  # fmt: skip
DECISION = Topic(
    'bridge/decision', 'sensor_msgs/msg/JointState', 'bridge',
    'only in a dry run: action that would have been sent, laid out and stamped as `sent`',
)  # fmt: skip
LEGS = Topic(
    'legs', 'sensor_msgs/msg/JointState', 'bridge',
    'telemetry of a robot with joints: unwrapped angle [rad] and mean velocity since the previous reply [rad/s]; stamp '
    '= time of sampling',
)  # fmt: skip
IMU = Topic(
    'imu/data_raw', 'sensor_msgs/msg/Imu', 'bridge',
    'telemetry of a robot with a gyro: gyro [rad/s] and accelerometer [m/s^2] in the body frame; no orientation; same '
    'stamp as legs',
)  # fmt: skip
BATTERY = Topic(
    'battery', 'sensor_msgs/msg/BatteryState', 'bridge',
    'telemetry where it is reported: battery voltage [V]; same stamp as legs',
)  # fmt: skip
BACK_EMF = Topic(
    'back_emf', 'std_msgs/msg/Float64MultiArray', 'bridge',
    'telemetry where it is reported: data = [stamp of legs [s], effort of each joint]; VelociRoACH: back-EMF [V]',
)  # fmt: skip
REPLY = Topic(
    'reply', 'std_msgs/msg/Float64MultiArray', 'bridge',
    'one whole reply: index, stamp, and what legs, imu, battery, back_emf say (layout: contract/reply_codec.py)',
)  # fmt: skip
STATE = Topic(
    'state', 'std_msgs/msg/Float64MultiArray', 'estimator',
    'the state at each reply and how far its pose can be trusted (layout: contract/state_codec.py)',
)  # fmt: skip
ODOMETRY = Topic(
    'odometry', 'nav_msgs/msg/Odometry', 'estimator',
    'estimate at the stamp of the telemetry: pose in `world`; mean twist over the control period in `base_link`',
)  # fmt: skip
ARRIVALS = Topic(
    'estimator/record', 'std_msgs/msg/Float64MultiArray', 'estimator',
    'poses and telemetry in the order in which they arrived (layout: contract/arrival_record.py)',
    latched=True, history=100,
)  # fmt: skip
TICK = Topic(
    'tick', 'std_msgs/msg/Float64MultiArray', 'controller',
    'everything a tick used and decided (layout: contract/tick_codec.py)',
)  # fmt: skip
ADAPTATION = Topic(
    'adaptation', 'std_msgs/msg/Float64MultiArray', 'controller',
    'for plots: prediction error before and after adapting, and the times of each tick; the label names the numbers '
    '(layout: contract/adaptation_codec.py)',
)  # fmt: skip
PLAN = Topic('plan', 'nav_msgs/msg/Path', 'controller', 'states that the chosen plan predicts, in `world`')
REFERENCE = Topic('reference', 'nav_msgs/msg/Path', 'controller', 'waypoints to follow, in `world`', latched=True)
PATH = Topic(
    'controller/path', 'nav_msgs/msg/Path', 'anyone',
    'waypoints in `world` for the next start, where the parameter `path` of the controller is topic',
)  # fmt: skip
PARAMETERS = Topic(
    'controller/parameters', 'std_msgs/msg/String', 'controller',
    'live parameters and model of the controller at its start and at each change, as YAML: revision (as in tick), '
    'parameters, model (path, digest, why it is in use)', latched=True, history=100,
)  # fmt: skip
LOAD_MODEL = Topic(
    'controller/load_model', 'std_msgs/msg/String', 'anyone',
    'model bundle to swap in while the robot walks: its folder, or YAML with model and id; the answer is in '
    'controller/state',
)  # fmt: skip
PARAMETER_EVENTS = Topic(
    '/parameter_events', 'rcl_interfaces/msg/ParameterEvent', 'every node',
    'parameters that were declared or have changed',
)  # fmt: skip
BRIDGE_STATE = Topic(
    'bridge/state', 'diagnostic_msgs/msg/DiagnosticStatus', 'bridge',
    'values: armed, link, owner of the action, hold, cause of the last stop, counters; message: the reason, for people',
    latched=True,
)  # fmt: skip
CONTROLLER_STATE = Topic(
    'controller/state', 'diagnostic_msgs/msg/DiagnosticStatus', 'controller',
    'values: sender, phase (waiting, idle, running, paused, finished, stopped), reason, cause; the collector tells its '
    'state here, too',
    latched=True,
)  # fmt: skip
MANAGER_STATE = Topic(
    'manager/state', 'diagnostic_msgs/msg/DiagnosticStatus', 'manager',
    'what the bring-up waits for, active, or why it failed; values hold what each node says', latched=True,
)  # fmt: skip
DIAGNOSTICS = Topic('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray', 'every node', 'health, once a second')
TRUE_POSE = Topic('mock/pose', 'geometry_msgs/msg/PoseStamped', 'mock_robot', 'true pose of the body in `world`')
TRUE_LEGS = Topic(
    'mock/legs', 'sensor_msgs/msg/JointState', 'mock_robot',
    'true leg angle [rad], velocity [rad/s] and motor duty in effort [-1..1]',
)  # fmt: skip
MOTORS = Topic(
    'mock/motors', 'sensor_msgs/msg/JointState', 'mock_robot',
    'leg velocity commanded to the motors [rad/s], 0 while they are off; at every change; stamp = time of the change',
    latched=True,
)  # fmt: skip
FAULT = Topic(
    'mock/fault', 'diagnostic_msgs/msg/DiagnosticStatus', 'mock_robot',
    'a condition that has just begun: its name; values hold the start time [s] and details', latched=True,
)  # fmt: skip
RUN = Topic(
    'run', 'std_msgs/msg/String', 'recorder',
    'what runs, as YAML: parameters of every node, model hashes, seed, versions, machine', latched=True,
)  # fmt: skip
ROLLOUT = Topic(
    'rollout', 'diagnostic_msgs/msg/DiagnosticStatus', 'millirobot import-log',
    'a rollout of an imported log begins; values: rollout (index in the log), mode, session', latched=True,
)  # fmt: skip

TOPICS: tuple[Topic, ...] = (
    MOCAP_POSE, JOY, SETPOINT, SENT, DECISION, LEGS, IMU, BATTERY, BACK_EMF, REPLY, STATE, ODOMETRY, ARRIVALS, TICK,
    ADAPTATION, PLAN, REFERENCE, PATH, PARAMETERS, LOAD_MODEL, PARAMETER_EVENTS, BRIDGE_STATE, CONTROLLER_STATE,
    MANAGER_STATE, DIAGNOSTICS, TRUE_POSE, TRUE_LEGS, MOTORS, FAULT, RUN, ROLLOUT,
)  # fmt: skip

CANDIDATES = Topic(
    'view/candidates', 'visualization_msgs/msg/MarkerArray', 'controller',
    'some candidates of the newest plan, coloured by cost from blue to orange; only while somebody looks',
)  # fmt: skip
FENCE = Topic(
    'view/fence', 'visualization_msgs/msg/MarkerArray', 'bridge', 'where the gate stops the robot', latched=True,
)  # fmt: skip

VIEW_TOPICS: tuple[Topic, ...] = (CANDIDATES, FENCE)
"""To look at while the robot walks; recorded only on request, as candidates are published only for a subscriber."""

REPLY_PARTS = (LEGS, IMU, BATTERY, BACK_EMF)
"""The parts of a telemetry reply, in the order in which `MessageBuilder.telemetry` builds their messages."""

WORLD_FRAME = 'world'
BODY_FRAME = 'base_link'
