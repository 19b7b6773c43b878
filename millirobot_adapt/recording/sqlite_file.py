"""Read the messages of one sqlite3 bag file, whatever of it is readable; the file is never written to."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from millirobot_adapt.recording.ordering import DISORDER, sorted_in_window
from millirobot_adapt.recording.records import Channel, Raw

GAP = 10_000
"""Number of missing row numbers after which a damaged file is taken to hold nothing more."""


class SqlitePart:
    """One sqlite3 file of a bag; it is never written to."""

    def __init__(self, file: Path, name: str = '') -> None:
        """`name` is what messages to the user call the file."""
        self.file = file
        self.name = name or str(file)
        self._damage = ''
        self._disordered: bool | None = None

    @property
    def start(self) -> int:
        """Log time of the first message [ns]; 0 if there is none."""
        return self._time('min')

    @property
    def end(self) -> int:
        """Log time of the last message [ns]; 0 if there is none."""
        return self._time('max')

    @property
    def damage(self) -> list[str]:
        """What is damaged, a line; complete after the messages have been read."""
        return [f'{self.name}: {self._damage}'] if self._damage else []

    @property
    def lost_count(self) -> int:
        """Messages that `damage` counts: none, for a damaged page does not say what was on it."""
        return 0

    @property
    def promised(self) -> int | None:
        """Messages that the file says it holds; None: it does not say."""
        return None

    def channels(self) -> list[Channel]:
        """Return all channels; those that can be read."""
        try:
            with _whole_pages(self.file) as pages, closing(_connect(pages)) as database:
                return list(_channels(database).values())
        except _DAMAGED:
            return []

    @property
    def disordered(self) -> bool:
        """A message was received clearly earlier than one that was written before it."""
        if self._disordered is None:
            self._disordered, latest = False, 0
            try:
                with _whole_pages(self.file) as pages, closing(_connect(pages)) as database:
                    for (stamp,) in database.execute('SELECT timestamp FROM messages ORDER BY id'):
                        if stamp < latest - DISORDER:
                            self._disordered = True
                            break
                        latest = max(latest, stamp)
            except _DAMAGED:
                pass
        return self._disordered

    def messages(self) -> Iterator[Raw]:
        """Yield the messages in the order of receipt, equal ones in that of writing.

        Where the order cannot be read any more, what is left comes by row number, which is the order of writing.
        """
        yield from self._rows('timestamp, id')

    def in_file_order(self) -> Iterator[Raw]:
        """Yield the messages in the order of writing."""
        yield from self._rows('id')

    def _rows(self, order: str) -> Iterator[Raw]:
        self._damage = ''
        try:
            with _whole_pages(self.file) as pages, closing(_connect(pages)) as database:
                channels = _channels(database)
                done = _Rows()
                try:
                    for row in database.execute(f'{_ROWS} ORDER BY {order}'):
                        if row[0] not in done:  # a damaged index names a row twice
                            done.add(row[0])
                            yield from _message(row, channels)
                except _DAMAGED as error:
                    self._note(error)
                    yield from sorted_in_window(_row_by_row(database, channels, done))
        except _DAMAGED as error:
            self._note(error)

    def _time(self, which: str) -> int:
        try:
            with _whole_pages(self.file) as pages, closing(_connect(pages)) as database:
                return int(database.execute(f'SELECT {which}(timestamp) FROM messages').fetchone()[0] or 0)
        except _DAMAGED:
            return 0

    def beside(self) -> Iterator[Any]:
        """Yield nothing: a sqlite3 bag has no attachments."""
        yield from ()

    def _note(self, error: BaseException) -> None:
        self._damage = f'truncated or damaged, used as far as readable ({type(error).__name__})'


class _Rows:
    """Numbers of rows, a byte each and not the hundred that a set takes."""

    def __init__(self) -> None:
        self._low = bytearray()
        self._high: set[int] = set()

    def add(self, number: int) -> None:
        if not 0 <= number < _MANY_ROWS:
            self._high.add(number)
            return
        if number >= len(self._low):
            self._low.extend(bytes(number + 1 - len(self._low) + 4096))
        self._low[number] = 1

    def __contains__(self, number: int) -> bool:
        if not 0 <= number < _MANY_ROWS:
            return number in self._high
        return number < len(self._low) and bool(self._low[number])


_MANY_ROWS = 1 << 26
_DAMAGED = (sqlite3.Error, ValueError, OverflowError, TypeError)
"""What sqlite3 raises at damaged pages; of text that is none it says OverflowError."""
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


def _row_by_row(database: sqlite3.Connection, channels: dict[int, Channel], done: _Rows) -> Iterator[Raw]:
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
