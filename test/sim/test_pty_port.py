import os

import pytest
import serial

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.sim.pty_port import PtyPort


@pytest.fixture
def port(tmp_path):
    port = PtyPort(tmp_path / 'radio')
    yield port
    port.close()


def test_bytes_go_both_ways_unchanged(port):
    everything = bytes(range(256))
    with serial.Serial(str(port.path), 57600, timeout=1.0) as client:
        client.write(everything)
        assert port.read(1.0) == everything
        port.write(everything)
        assert client.read(256) == everything


def test_a_client_may_come_and_go(port):
    for _ in range(3):
        with serial.Serial(str(port.path), 57600, timeout=1.0) as client:
            client.write(b'hello')
            assert port.read(1.0) == b'hello'
        assert port.read(0.0) == b''
        port.write(b'nobody listens')


def test_what_nobody_reads_is_dropped_and_nothing_blocks(port):
    for _ in range(100):
        port.write(bytes(1000))
    assert port.dropped > 0


def test_the_link_is_removed_at_the_end_but_not_someone_elses(tmp_path):
    port = PtyPort(tmp_path / 'radio')
    port.close()
    assert not os.path.lexists(tmp_path / 'radio')
    first = PtyPort(tmp_path / 'radio')
    second = PtyPort(tmp_path / 'radio')
    first.close()
    assert (tmp_path / 'radio').is_symlink()
    second.close()


def test_a_file_in_the_way_and_a_missing_folder_are_the_users_mistakes(tmp_path):
    (tmp_path / 'file').write_text('mine')
    with pytest.raises(UserError, match='give another port'):
        PtyPort(tmp_path / 'file')
    assert (tmp_path / 'file').read_text() == 'mine'
    with pytest.raises(UserError, match='give another port'):
        PtyPort(tmp_path / 'missing' / 'radio')


def test_a_port_that_vanishes_fails_its_client_and_comes_back_under_its_name(port):
    with serial.Serial(str(port.path), 57600, timeout=1.0) as client:
        port.vanish()
        assert not port.present
        assert not port.path.is_symlink()
        with pytest.raises((OSError, serial.SerialException)):
            client.read(1)
    port.write(b'lost')
    assert (port.read(0.0), port.dropped) == (b'', 4)
    port.come_back()
    assert port.present
    with serial.Serial(str(port.path), 57600, timeout=1.0) as client:
        port.write(b'here')
        assert client.read(4) == b'here'
