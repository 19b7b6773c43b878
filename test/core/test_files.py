"""Writing files whole."""

import os

import pytest

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import make_folder, write_whole


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


def test_a_folder_is_made_with_all_above_it_and_may_be_there_already(tmp_path):
    for _ in range(2):
        make_folder(tmp_path / 'a' / 'b')
    assert (tmp_path / 'a' / 'b').is_dir()


def test_what_cannot_be_a_folder_is_a_mistake_of_the_user(tmp_path, monkeypatch):
    (tmp_path / 'file').write_text('')
    for place in (tmp_path / 'file', tmp_path / 'file' / 'below'):
        with pytest.raises(UserError, match=r'cannot be made .*; choose another place'):
            make_folder(place)
    monkeypatch.setattr(os, 'access', lambda path, mode: False)
    with pytest.raises(UserError, match='may not be written to'):
        make_folder(tmp_path / 'closed')
