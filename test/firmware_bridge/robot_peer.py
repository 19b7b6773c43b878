"""A robot made of a few lines, for tests of the link: it answers as the protocol says and can be made to misbehave."""

from firmware_bridge.packet_codec import decode_command, encode
from firmware_bridge.packets import PidGains, SetVelocity, StartMotors, StopMotors, TelemetryReply, ZeroPosition
from firmware_bridge.xbee import RxPacket, StreamParser, TxRequest, TxStatus, encode_frame


class RobotPeer:
    """Answer after `delay` [s]; encoders advance by `step` counts a reply."""

    def __init__(self, clock):
        self.clock = clock
        self.parser = StreamParser()
        self.heard = []
        self.velocity = (0, 0)
        self.motors = False
        self.index = 0
        self.position = (0, 0)
        self.battery = 880
        self.step = (1000, 1000)
        self.delay = 0.01
        self.silent = False
        self.gains_ignored = 0
        self.tx_status = 0
        self.source = 1
        self.change = lambda reply: reply

    def receive(self, data):
        answers = []
        for frame in self.parser.feed(data):
            assert isinstance(frame, TxRequest)
            if self.silent:
                continue
            if frame.frame_id:
                answers.append((0.002, encode_frame(TxStatus(frame.frame_id, self.tx_status))))
            reply = self.obey(decode_command(frame.payload))
            if reply is not None:
                answers.append((self.delay, encode_frame(RxPacket(self.source, 40, 0, encode(reply)))))
        return answers

    def obey(self, packet):
        self.heard.append(packet)
        if isinstance(packet, StartMotors | StopMotors):
            self.motors = isinstance(packet, StartMotors)
        elif isinstance(packet, ZeroPosition):
            self.position = (0, 0)
        elif isinstance(packet, PidGains):
            self.gains_ignored -= 1
            return packet if self.gains_ignored < 0 else None
        elif isinstance(packet, SetVelocity):
            self.velocity = packet.velocity
            return self.change(self.telemetry(packet.velocity))
        return None

    def telemetry(self, command):
        self.index += 1
        self.position = (self.position[0] + self.step[0], self.position[1] + self.step[1])
        microseconds = round(self.clock.steady() * 1e6) % 2**32
        return TelemetryReply(
            index=self.index, timestamp=microseconds, position=self.position, command=command, duty=(0, 0),
            gyro=(1, 2, 3), accel=(0, 0, 4096), back_emf=(10, -12), battery=self.battery,
        )  # fmt: skip

    def restart(self):
        """Lose everything, as a robot that browns out does."""
        self.index, self.position, self.velocity, self.motors = 0, (0, 0), (0, 0), False

    @property
    def turning(self):
        """Tell whether the motors are driven."""
        return self.motors and self.velocity != (0, 0)
