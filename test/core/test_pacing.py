from millirobot_adapt.core.control.pacing import every


class Sleeper:
    """An event and a clock in one: waiting takes exactly as long as it should."""

    def __init__(self):
        self.now = 0.0

    def wait(self, timeout):
        self.now += timeout
        return self.now > 10.0

    def steady(self):
        return self.now


def test_small_delays_do_not_add_up():
    sleeper, starts = Sleeper(), []
    for _ in every(0.1, sleeper, sleeper.steady):
        starts.append(sleeper.now)
        sleeper.now += 0.03
        if len(starts) == 5:
            break
    assert [round(start, 6) for start in starts] == [0.0, 0.1, 0.2, 0.3, 0.4]


def test_after_a_long_pause_it_goes_on_from_now():
    sleeper, starts = Sleeper(), []
    for _ in every(0.1, sleeper, sleeper.steady):
        starts.append(round(sleeper.now, 6))
        sleeper.now += 1.0 if len(starts) == 2 else 0.0
        if len(starts) == 4:
            break
    assert starts == [0.0, 0.1, 1.1, 1.2]


def test_it_ends_when_closed():
    sleeper = Sleeper()
    assert 90 <= sum(1 for _ in every(0.1, sleeper, sleeper.steady)) <= 102
