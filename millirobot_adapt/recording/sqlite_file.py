"""Read the messages of one sqlite3 bag file, whatever of it is readable; the file is never written to."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from millirobot_adapt.recording.records import Channel, Raw

GAP = 10_000
"""Row numbers looked for in vain after which a damaged file is taken to hold nothing more."""


def read_sqlite(file: Path, note: Callable[[str], None]) -> Iterator[Raw]:
    """Yield the file's messages in the order of receipt; `note` gets one line if it is damaged.

    Where the order cannot be read any more, what is left comes by row number, which is the order of writing.
    """
    damage = ''
    try:
        with _whole_pages(file) as pages, closing(_connect(pages)) as database:
            channels = _channels(database)
            done: set[int] = set()
            try:
                for row in database.execute(f'{_ROWS} ORDER BY timestamp, id'):
                    if row[0] in done:
                        continue  # a damaged index names a row twice
                    done.add(row[0])
                    yield from _message(row, channels)
            except (sqlite3.Error, ValueError) as error:
                damage = type(error).__name__
                yield from _row_by_row(database, channels, done)
    except (sqlite3.Error, ValueError, OverflowError) as error:  # sqlite3 says of text that is none: OverflowError
        damage = type(error).__name__
    if damage:
        note(f'{file}: truncated or damaged, used as far as readable ({damage})')


_ROWS = 'SELECT id, topic_id, timestamp, data FROM messages'


@contextmanager
def _whole_pages(file: Path) -> Iterator[Path]:
    """Give a file without the page that it was cut off in: sqlite3 would read what is missing of that page as zeros.

    Raises:
        ValueError: it is no sqlite3 file.
    """
    with file.open('rb') as stream:
        head = stream.read(18)
        if not head.startswith(b'SQLite format 3\0') or len(head) < 18:
            raise ValueError('no sqlite3 file')
        page = max(int.from_bytes(head[16:], 'big'), 512)
        if not file.stat().st_size % page:
            yield file
            return
        with NamedTemporaryFile(suffix=file.suffix) as copy:
            stream.seek(0)
            shutil.copyfileobj(stream, copy)
            copy.truncate(copy.tell() // page * page)
            copy.flush()
            yield Path(copy.name)


def _connect(file: Path) -> sqlite3.Connection:
    """Open a file for reading alone; what a killed recorder left in the write-ahead log beside it is read too."""
    waiting = file.with_name(f'{file.name}-wal').exists()
    mode = 'mode=ro' if waiting else 'mode=ro&immutable=1'
    database = sqlite3.connect(f'{file.resolve().as_uri()}?{mode}', uri=True)
    database.execute('PRAGMA trusted_schema = OFF')
    database.execute('PRAGMA writable_schema = ON')  # else a file shorter than its header says is refused outright
    database.text_factory = lambda data: data.decode(errors='replace')
    return database


def _channels(database: sqlite3.Connection) -> dict[int, Channel]:
    """Read the topics; columns beyond name and type came with later versions of rosbag2."""
    columns = {row[1] for row in database.execute('PRAGMA table_info(topics)')}
    later = ('serialization_format', 'offered_qos_profiles', 'type_description_hash')
    chosen = ', '.join(column if column in columns else "''" for column in later)
    definitions = _definitions(database)
    found = {}
    for number, name, kind, encoding, qos, digest in database.execute(f'SELECT id, name, type, {chosen} FROM topics'):
        language, definition = definitions.get(kind, ('', ''))
        metadata = (('offered_qos_profiles', str(qos or '')), ('topic_type_hash', str(digest or '')))
        found[number] = Channel(str(name), str(kind), definition, language, str(encoding or 'cdr'), metadata)
    return found


def _definitions(database: sqlite3.Connection) -> dict[str, tuple[str, str]]:
    try:
        rows = database.execute('SELECT topic_type, encoding, encoded_message_definition FROM message_definitions')
        return {kind: (str(encoding), str(text)) for kind, encoding, text in rows}
    except sqlite3.Error:  # older than version 4
        return {}


def _message(row: tuple[object, ...], channels: dict[int, Channel]) -> Iterator[Raw]:
    _, topic, stamp, data = row
    if isinstance(topic, int) and topic in channels and isinstance(stamp, int) and isinstance(data, bytes):
        yield Raw(channels[topic], data, stamp, stamp)


def _row_by_row(database: sqlite3.Connection, channels: dict[int, Channel], done: set[int]) -> Iterator[Raw]:
    """Look for every row by its number: a damaged page takes its own rows with it and no others."""
    number = last = 0
    while number - last < GAP:
        number += 1
        if number in done:
            last = number
            continue
        try:
            row = database.execute(f'{_ROWS} WHERE id = ?', (number,)).fetchone()
        except (sqlite3.Error, ValueError):
            continue
        if row is not None:
            last = number
            yield from _message(row, channels)
