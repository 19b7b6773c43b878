"""Writing files whole."""

import os

import pytest

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import make_folder, whole_file, write_whole


def test_a_file_is_written_and_replaced(tmp_path):
    for text in ('one', 'two \u2013'):
        write_whole(tmp_path / 'file', text)
        assert (tmp_path / 'file').read_text(encoding='utf-8') == text
    assert os.listdir(tmp_path) == ['file']


def test_a_disk_that_fails_keeps_the_old_file_and_leaves_nothing_else(tmp_path, monkeypatch):
    write_whole(tmp_path / 'file', 'old')

    def fail(handle):
        raise OSError(28, 'full')

    monkeypatch.setattr(os, 'fsync', fail)
    with pytest.raises(OSError, match='full') as caught:
        write_whole(tmp_path / 'file', 'new text')
    assert caught.value.filename == str(tmp_path / 'file')
    assert (tmp_path / 'file').read_text() == 'old'
    assert os.listdir(tmp_path) == ['file']


def test_the_content_is_on_the_disk_before_it_takes_the_old_ones_place(tmp_path, monkeypatch):
    (tmp_path / 'file').write_text('old')
    seen = []
    synced = os.fsync

    def note(handle):
        seen.append((tmp_path / 'file').read_text())
        synced(handle)

    monkeypatch.setattr(os, 'fsync', note)
    write_whole(tmp_path / 'file', b'new')
    assert seen == ['old', 'new'], 'first the content, then the name in its folder'


def test_a_writer_that_fails_leaves_the_old_file(tmp_path):
    (tmp_path / 'file').write_text('old')

    def write():
        with whole_file(tmp_path / 'file') as file:
            file.write(b'half')
            raise ValueError('the writer')

    with pytest.raises(ValueError, match='the writer'):
        write()
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
