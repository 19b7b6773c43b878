"""Writing files whole."""

import os

import pytest

from millirobot_adapt.core.files import write_whole


def test_a_file_is_written_and_replaced(tmp_path):
    for text in ('one', 'two \u2013'):
        write_whole(tmp_path / 'file', text)
        assert (tmp_path / 'file').read_text(encoding='utf-8') == text
    assert os.listdir(tmp_path) == ['file']


def test_a_disk_that_fails_keeps_the_old_file_and_leaves_nothing_else(tmp_path, monkeypatch):
    write_whole(tmp_path / 'file', 'old')

    def write_half(self, text, encoding):
        self.write_bytes(text.encode(encoding)[:2])
        raise OSError(28, 'full')

    monkeypatch.setattr(type(tmp_path), 'write_text', write_half)
    with pytest.raises(OSError, match='full') as caught:
        write_whole(tmp_path / 'file', 'new text')
    assert caught.value.filename == str(tmp_path / 'file')
    assert (tmp_path / 'file').read_text() == 'old'
    assert os.listdir(tmp_path) == ['file']
