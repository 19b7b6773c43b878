"""What a live run tells the terminal."""

import io

from millirobot_adapt.bringup.console import Console


def test_what_nodes_write_is_shown_once_after_their_names(tmp_path):
    log, stream = tmp_path / 'bridge.log', io.StringIO()
    console = Console(stream)
    console.follow('bridge', log)
    console.update()
    log.write_text('[INFO] [1795.123] [bridge]: link up\nhalf')
    console.update()
    console.update()
    with log.open('a') as more:
        more.write(' a line\n\n[WARN] [1795.2] [robot1.bridge]: weak\n[INFO] [1] [rcl]: theirs\n')
    console.update()
    assert stream.getvalue().splitlines() == [
        '[bridge] link up', '[bridge] half a line', '[bridge] warn: weak', '[bridge] [INFO] [1] [rcl]: theirs',
    ]  # fmt: skip


def test_why_a_node_is_not_yet_active_is_left_to_the_manager(tmp_path):
    log, stream = tmp_path / 'log', io.StringIO()
    console = Console(stream)
    console.follow('estimator', log)
    log.write_text('[INFO] [1.0] [estimator]: not yet active: no poses\n')
    console.update()
    assert stream.getvalue() == ''


def test_a_state_is_told_when_it_is_news():
    stream = io.StringIO()
    console = Console(stream)
    for text in ('idle', 'running', 'running', 'idle', 'running'):
        console.tell_state('controller', text, silently=text == 'idle')
    assert stream.getvalue() == '[controller] running\n[controller] running\n'


class Closed(io.StringIO):
    def write(self, text):
        raise BrokenPipeError


def test_a_terminal_that_has_gone_away_is_no_error():
    console = Console(Closed())
    console.tell('one')
    console.tell('two')
