"""Writing files whole."""

import os

import pytest

from millirobot_adapt.core.errors import UserError
from millirobot_adapt.core.files import make_folder, put_in_place, whole_file, whole_text, write_whole


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


def test_a_text_keeps_its_line_ends_and_replaces_the_old_one_when_it_is_whole(tmp_path):
    (tmp_path / 'file').write_text('old')
    with whole_text(tmp_path / 'file') as text:
        text.write('one\ntwo\r\n\u2013')
        text.flush()
        assert (tmp_path / 'file').read_text() == 'old'
    assert (tmp_path / 'file').read_bytes() == 'one\ntwo\r\n\u2013'.encode()
    assert os.listdir(tmp_path) == ['file']


def test_a_text_whose_writer_fails_leaves_the_old_one(tmp_path):
    (tmp_path / 'file').write_text('old')

    def write():
        with whole_text(tmp_path / 'file') as text:
            text.write('half')
            raise ValueError('the writer')

    with pytest.raises(ValueError, match='the writer'):
        write()
    assert (tmp_path / 'file').read_text() == 'old'
    assert os.listdir(tmp_path) == ['file']


def test_a_file_that_another_program_wrote_is_on_the_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    (tmp_path / 'file').write_text('old')
    (tmp_path / 'scratch').write_text('new')
    seen = []
    monkeypatch.setattr(os, 'fsync', lambda handle: seen.append((tmp_path / 'file').read_text()))
    put_in_place(tmp_path / 'scratch', tmp_path / 'file')
    assert seen == ['old', 'new'], 'first the content, then the name in its folder'
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
