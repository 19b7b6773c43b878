"""Write the tables of a bag as Parquet, for pandas, polars, DuckDB, Spark or MATLAB (extra `parquet`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow
from pyarrow import parquet

from millirobot_adapt.core.files import whole_file
from millirobot_adapt.recording.export import Tables, cannot_write

PLANS = 'plans'
"""Table of the states that the plans predict."""


def write_parquet(tables: Tables, folder: Path) -> None:
    """Write every table as `<table>.parquet` into a new folder.

    Values, types and column names are those of the npz. The predicted states of the plans become the table `plans`, a
    row a predicted state: `tick_row` is the row of the table `ticks`, `ahead` counts control periods from the state of
    the tick on, and the rest are the columns of a state.

    Raises:
        UserError: the folder exists already or cannot be written.
    """
    written = dict(tables.tables)
    if len(tables.plans):
        written[PLANS] = plan_table(tables.plans, tables.state_columns)
    try:
        folder.mkdir()
        for name, columns in written.items():
            with whole_file(folder / f'{name}.parquet') as stream:
                parquet.write_table(pyarrow.table(dict(columns)), stream, compression='zstd')
    except OSError as error:
        raise cannot_write(folder, error) from None


def plan_table(plans: np.ndarray, state_columns: Sequence[str]) -> Mapping[str, np.ndarray]:
    """Lay plans, shape (ticks, H + 1, nx), out as a row a predicted state, without the NaN that fill short plans up."""
    there = ~np.isnan(plans).all(axis=2)
    row, ahead = np.nonzero(there)
    return {'tick_row': row, 'ahead': ahead} | dict(zip(state_columns, plans[there].T, strict=True))
