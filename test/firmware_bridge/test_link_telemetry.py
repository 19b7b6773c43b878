import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.packets import TelemetryReply
from firmware_bridge.telemetry import TelemetryDecoder, counts_to_setpoint, setpoint_to_counts
from millirobot_adapt.core.robot.description import RobotConfig

ROBOT = RobotConfig()
REVOLUTION = 2 * math.pi


def reply(index, microseconds, position):
    return TelemetryReply(
        index=index, timestamp=microseconds % 2**32, position=position, command=(0, 0), duty=(0, 0),
        gyro=(100, -200, 300), accel=(0, 0, 4096), back_emf=(50, -70), battery=880,
    )  # fmt: skip


def test_scales_and_signs():
    sample = TelemetryDecoder(ROBOT).decode(reply(1, 0, (65536, -32768)), 12.5)
    assert sample.stamp == 12.5
    assert sample.joint_angle == pytest.approx([REVOLUTION, -REVOLUTION / 2])
    assert sample.joint_velocity == pytest.approx([0, 0])
    assert sample.angular_velocity == pytest.approx([0.10658, -0.21316, 0.31974])
    assert sample.acceleration == pytest.approx([0, 0, 9.80665], abs=1e-3)
    assert sample.joint_effort == pytest.approx([0.32, 0.448])  # both positive: the right one's sign is turned
    assert sample.battery == pytest.approx(3.96)


def test_velocity_is_the_step_over_the_robots_clock():
    decoder = TelemetryDecoder(ROBOT)
    decoder.decode(reply(1, 0, (0, 0)), 0.0)
    sample = decoder.decode(reply(2, 200_000, (65536, 32768)), 77.0)
    assert sample.joint_velocity == pytest.approx([5 * REVOLUTION, 2.5 * REVOLUTION])


def test_a_clock_that_stands_still_keeps_the_velocity():
    decoder = TelemetryDecoder(ROBOT)
    decoder.decode(reply(1, 0, (0, 0)), 0.0)
    decoder.decode(reply(2, 100_000, (6554, 6554)), 0.1)
    assert decoder.decode(reply(3, 100_000, (6554, 6554)), 0.2).joint_velocity == pytest.approx(
        [REVOLUTION] * 2, rel=1e-3
    )


@given(
    st.integers(2**31 - 100_000, 2**31 - 1) | st.integers(-(2**31), -(2**31) + 100_000), st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.integers(-200_000, 200_000), st.integers(1_000, 500_000)), min_size=1, max_size=30),
)  # fmt: skip
def test_wrapping_counters_do_not_show(start, clock, steps):
    decoder = TelemetryDecoder(ROBOT)
    first = decoder.decode(reply(0, clock, (start, 0)), 0.0).joint_angle[0]
    total = 0
    for index, (step, elapsed) in enumerate(steps, 1):
        total += step
        clock += elapsed
        wrapped = (start + total + 2**31) % 2**32 - 2**31
        sample = decoder.decode(reply(index, clock, (wrapped, 0)), 0.0)
        assert sample.joint_angle[0] - first == pytest.approx(total / 65536 * REVOLUTION, rel=1e-6, abs=1e-4)
        assert sample.joint_velocity[0] == pytest.approx(
            step / 65536 * REVOLUTION / (elapsed * 1e-6), rel=1e-6, abs=1e-6
        )


def test_leg_angles_go_on_when_the_encoders_are_zeroed():
    decoder = TelemetryDecoder(ROBOT)
    decoder.decode(reply(1, 0, (0, 0)), 0.0)
    before = decoder.decode(reply(2, 100_000, (50_000, 60_000)), 0.1).joint_angle
    decoder.restart()
    sample = decoder.decode(reply(1, 50, (3, -2)), 5.0)
    assert sample.joint_angle == pytest.approx(before)
    assert sample.joint_velocity == pytest.approx([0, 0])


def test_a_sample_does_not_change_afterwards():
    decoder = TelemetryDecoder(ROBOT)
    first = decoder.decode(reply(1, 0, (0, 0)), 0.0)
    decoder.decode(reply(2, 100_000, (50_000, 60_000)), 0.1)
    assert first.joint_angle == pytest.approx([0, 0])


@pytest.mark.parametrize(('rate', 'counts'), [(0.0, 0), (2.0, 131), (4.0, 262), (9.0, 590)])
def test_setpoints_in_firmware_units(rate, counts):
    # velociroach: 65.536 counts/ms are one revolution per second.
    assert setpoint_to_counts(ROBOT, np.array([rate, 0.0]) * REVOLUTION) == (counts, 0)


@given(st.tuples(st.integers(-32768, 32767), st.integers(-32768, 32767)))
def test_firmware_units_come_back(counts):
    assert setpoint_to_counts(ROBOT, counts_to_setpoint(ROBOT, counts)) == counts
