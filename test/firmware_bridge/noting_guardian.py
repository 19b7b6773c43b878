"""A guardian that does nothing but remember, for tests of the link."""


class NotingGuardian:
    """Note every heartbeat; `said` is what it will tell when it is asked."""

    def __init__(self, words=b''):
        self.words = words
        self.beats = []
        self.said = None
        self.closed = False

    def beat(self, motors_on):
        self.beats.append(motors_on)

    def trouble(self):
        said, self.said = self.said, None
        return said

    def close(self):
        self.closed = True
