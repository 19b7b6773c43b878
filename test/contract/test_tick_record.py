import dataclasses

import numpy as np
import pytest
from robots import NU, NX

from millirobot_adapt.contract.tick_codec import VERSION, decode_tick, encode_tick
from millirobot_adapt.core.control.tick_record import TickRecord


def make_record(t1: int = 3, horizon: int = 4) -> TickRecord:
    rng = np.random.default_rng(0)
    return TickRecord(
        tick=7.0,
        stamp=1.5,
        seed=3.0,
        running=1.0,
        state_stamp=1.51,
        state=rng.normal(size=NX),
        executing=rng.normal(size=NU),
        sent=rng.normal(size=NU),
        window_states=rng.normal(size=(t1, NX)),
        window_actions=rng.normal(size=(t1, NU)),
        window_next_states=rng.normal(size=(t1, NX)),
        window_mask=np.array([0.0, 1.0, 1.0]),
        previous_plan=np.full((horizon, NU), np.nan),
        plan_actions=rng.normal(size=(horizon, NU)),
        plan_states=rng.normal(size=(horizon + 1, NX)),
        cost=2.5,
        work_ms=31.0,
        batches=2.0,
        revision=5.0,
        share=0.5,
        arc_length=1.5,
        credit=0.1,
        left_out=0.0,
    )


ADDED = {
    1: ('batches', 'revision', 'share', 'arc_length', 'credit', 'left_out'),
    2: ('revision', 'share', 'arc_length', 'credit', 'left_out'),
    3: ('share', 'arc_length', 'credit', 'left_out'),
    4: ('arc_length', 'credit', 'left_out'),
}
"""What a record of an older version lacks."""


def test_a_record_survives_the_wire():
    record = make_record()
    decoded = decode_tick(encode_tick(record))
    for field in dataclasses.fields(record):
        np.testing.assert_array_equal(getattr(decoded, field.name), getattr(record, field.name), err_msg=field.name)


@pytest.mark.parametrize(('version', 'lacks'), ADDED.items())
def test_a_record_of_an_older_version_is_read_without_what_it_lacks(version, lacks):
    data = encode_tick(make_record())
    old = data[: -len(lacks)].copy()  # what was added came last
    old[0], old[5] = version, len(old)
    decoded = decode_tick(old)
    assert all(np.isnan(getattr(decoded, name)) for name in lacks)
    assert decoded.work_ms == 31.0


def test_a_record_of_a_newer_version_is_refused():
    data = encode_tick(make_record())
    data[0] = VERSION + 1
    with pytest.raises(ValueError, match=f'version 1 to {VERSION}'):
        decode_tick(data)


@pytest.mark.parametrize('cut', [0, 3, 6, 50, -1])
def test_a_cut_record_is_refused(cut):
    with pytest.raises(ValueError, match='tick record'):
        decode_tick(encode_tick(make_record())[:cut])


def test_a_header_that_lies_is_refused():
    data = encode_tick(make_record())
    data[4] += 1  # claims a longer horizon
    with pytest.raises(ValueError, match='shorter'):
        decode_tick(data)
    data[4] -= 2
    with pytest.raises(ValueError, match='longer'):
        decode_tick(data)


@pytest.mark.parametrize('place', range(1, 5))
@pytest.mark.parametrize('value', [np.nan, np.inf, -1.0])
def test_a_header_without_sense_is_refused(place, value):
    data = encode_tick(make_record())
    data[place] = value
    with pytest.raises(ValueError):  # noqa: PT011 (whichever check finds it first)
        decode_tick(data)
