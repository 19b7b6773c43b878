"""The firmware's core through ctypes, for tests."""

import ctypes
import math

from build import made

from millirobot_adapt.sim.microcontroller import ENCODER_STEPS
from millirobot_adapt.sim.pid import FULL_DUTY


class Sensors(ctypes.Structure):
    """struct sensors of firmware/core/robot.h."""

    _fields_ = [
        ('encoder', ctypes.c_uint16 * 2), ('gyro', ctypes.c_int16 * 3), ('accel', ctypes.c_int16 * 3),
        ('back_emf', ctypes.c_int16 * 2), ('battery', ctypes.c_int16),
    ]  # fmt: skip

    def see(self, leg_angle):
        """Let the encoders read these leg angles [rad]."""
        self.encoder[:] = [math.floor(angle * (ENCODER_STEPS / math.tau)) % ENCODER_STEPS for angle in leg_angle]


def load(folder):
    """Compile the library into a folder and load it."""
    found = ctypes.CDLL(str(made('lib', folder) / 'libfirmware.so'))
    found.library_robot.restype = ctypes.c_void_p
    found.robot_receive.restype = ctypes.c_size_t
    found.library_parser.restype = ctypes.c_void_p
    found.library_feed.restype = ctypes.c_size_t
    return found


class CoreRobot:
    """One robot of the core; `cutoff` is its battery cut-off [counts], 0 for none."""

    def __init__(self, library, sensors, cutoff=0):
        self._library = library
        self._robot = ctypes.c_void_p(library.library_robot(ctypes.byref(sensors), ctypes.c_int16(cutoff)))

    def power_up(self, sensors):
        self._library.library_power_up(self._robot, ctypes.byref(sensors))

    def tick(self, sensors):
        """Run a millisecond; return the duty of the motors, -1..1."""
        self._library.robot_tick(self._robot, ctypes.byref(sensors))
        duty = (ctypes.c_int16 * 2)()
        self._library.library_duty(self._robot, duty)
        return duty[0] / FULL_DUTY, duty[1] / FULL_DUTY

    def receive(self, sensors, payload):
        """Take a payload; return the answer, None where there is none."""
        answer = ctypes.create_string_buffer(64)
        length = self._library.robot_receive(
            self._robot, ctypes.byref(sensors), payload, ctypes.c_size_t(len(payload)), answer
        )
        return answer.raw[:length] or None
