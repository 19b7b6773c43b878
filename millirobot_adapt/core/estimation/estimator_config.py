"""The parameters of the estimators."""

from __future__ import annotations

from millirobot_adapt.core.config import Config, param
from millirobot_adapt.core.niceness import NICENESS


class EstimatorConfig(Config):
    """Parameters of the estimator; those after `lost_after` are the filter's alone."""

    method: str = param('filter', 'How pose and twist are estimated.', choices=('filter', 'finite_difference'))
    lost_after: float = param(
        1.0, 'Age of the newest pose from which there is no estimate.', unit='s', low=0.02, high=10.0
    )
    twist_period: float = param(
        0.0, 'The twist is the mean over this time before the stamp; 0: a control period of the robot.',
        unit='s', low=0.0, high=0.5,
    )  # fmt: skip
    clock_offset: float = param(
        0.0, 'Stamps of motion capture are ahead of the host clock by this; taken off.', unit='s', low=-10.0, high=10.0
    )
    correct_clock: bool = param(True, 'Take off what else the gyro shows the stamps to be late, too, once it is clear.')
    check_gravity: bool = param(
        True,
        'Refuse poses whose z axis is not up by the accelerometer; off where that sensor is wrong.',
    )
    position_noise: float = param(0.0001, 'Noise of a measured position, each axis.', unit='m', low=1e-6, high=0.1)
    rotation_noise: float = param(0.002, 'Noise of a measured orientation, each axis.', unit='rad', low=1e-5, high=1.0)
    gyro_noise: float = param(
        0.2, 'Noise of the gyro, with what the uncertainty of its time makes of the swing.',
        unit='rad/s', low=1e-3, high=1e6,
    )  # fmt: skip
    swing_time: float = param(0.02, 'How long the body swings one way.', unit='s', low=0.001, high=1.0)
    horizontal_swing: float = param(
        0.6, 'White acceleration noise of the swing, x and y.', unit='m/s^2/sqrt(Hz)', low=1e-3, high=100.0
    )
    vertical_swing: float = param(1.6, 'The same for z.', unit='m/s^2/sqrt(Hz)', low=1e-3, high=100.0)
    tilt_swing: float = param(
        40.0, 'White angular acceleration noise of the swing in roll and pitch.',
        unit='rad/s^2/sqrt(Hz)', low=1e-2, high=1000.0,
    )  # fmt: skip
    yaw_swing: float = param(16.0, 'The same in yaw.', unit='rad/s^2/sqrt(Hz)', low=1e-2, high=1000.0)
    speed_drift: float = param(
        0.2, 'How fast the mean velocity changes: white acceleration noise.',
        unit='m/s^2/sqrt(Hz)', low=1e-3, high=100.0,
    )  # fmt: skip
    turn_drift: float = param(
        2.0, 'How fast the mean angular velocity changes: white angular acceleration noise.',
        unit='rad/s^2/sqrt(Hz)', low=1e-2, high=1000.0,
    )  # fmt: skip
    start_speed: float = param(
        0.5, 'Standard deviation of the unknown velocity at the start.', unit='m/s', low=0.01, high=10.0
    )
    start_angular_speed: float = param(
        3.0, 'Standard deviation of the unknown angular velocity at the start.', unit='rad/s', low=0.1, high=100.0
    )
    gate: float = param(
        12.0, 'A pose further than this from the prediction is a jump (Mahalanobis distance).',
        unit='sd', low=3.0, high=100.0,
    )  # fmt: skip
    largest_turn: float = param(
        1.6,
        'A pose turned further than this against the prediction is a jump, too; half of it where poses are dense.',
        unit='rad',
        low=0.1,
        high=4.0,
    )
    largest_speed: float = param(
        1.5, 'A pose that the body could only have come to faster is a jump, too.', unit='m/s', low=0.1, high=20.0
    )
    largest_error: float = param(
        0.1, 'A pose whose position is further than this from the prediction is a jump, however long it was not seen.',
        unit='m', low=0.01, high=10.0,
    )  # fmt: skip
    restart_after: int = param(
        5, 'This many jumps in a row that agree with each other restart the filter...', low=2, high=100
    )
    restart_time: float = param(0.25, '... when they span this time.', unit='s', low=0.0, high=10.0)
    coast_after: float = param(
        0.05, 'With a pose older than this the motion comes from the legs.', unit='s', low=0.02, high=10.0
    )
    tilt_spread: float = param(
        0.2, 'How far from upright the body is that is not seen, standard deviation.', unit='rad', low=0.01, high=3.0
    )
    leg_speed: float = param(
        0.006, 'Forward speed per mean leg rate, until it is learned.', unit='m/s per rad/s', low=-1.0, high=1.0
    )
    leg_turn: float = param(
        0.033, 'Yaw rate per difference of the leg rates (right - left), until it is learned.',
        unit='rad/s per rad/s', low=-10.0, high=10.0,
    )  # fmt: skip
    leg_memory: float = param(
        5.0, 'Time over which the motion per leg rate is learned.', unit='s', low=0.5, high=1000.0
    )


class EstimatorNodeConfig(EstimatorConfig):
    """Parameters of the node `estimator`."""

    robot: str = param('velociroach', 'The robot: a name under params/robots/, or the path of a YAML file.')
    mocap_reliability: str = param(
        'best_effort', 'Quality of service asked of motion capture; best effort hears every driver.',
        choices=('best_effort', 'reliable'),
    )  # fmt: skip
    pose_source: str = param(
        'mocap', 'Where poses come from: motion capture (PoseStamped), or nav_msgs/Odometry of a localisation.',
        choices=('mocap', 'odometry'),
    )  # fmt: skip
    odometry_topic: str = param('odom', 'Topic of that odometry; used with pose_source odometry alone.')
    odometry_frame: str = param(
        'odom', 'Frame of that odometry, which is taken for `world`; poses of another frame are not used.'
    )
    lowest_pose_rate: float = param(
        20.0, 'The node does not become active while motion capture comes more rarely.', unit='Hz', low=1.0, high=1000.0
    )
    niceness: int = NICENESS
