"""Tables as CSV from which text is read back unchanged (NA, None, 007, 1e5), by pandas, by R and here."""

import io
import lzma
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from priorlab.envs.base.files import decoded, read_bytes

if TYPE_CHECKING:
    import pandas as pd


def csv_of(table: "pd.DataFrame", header: bool = True) -> str:
    """The table as CSV: text in quotes, even if it is empty; numbers without; missing values as nothing."""
    lines = [",".join(map(quoted, table.columns))] if header else []
    lines += map(",".join, zip(*(cells_of(table.iloc[:, k]) for k in range(table.shape[1]))))
    lines.append("")  # after the last line break
    return "\n".join(lines)


def cells_of(column: Any) -> np.ndarray:
    """A column's cells in a CSV file, object (n,); each different value is written once."""
    import pandas as pd

    is_number = pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)
    if column.dtype == object:  # 1, 1.0 and True are equal, but written differently
        column = column.map(str, na_action="ignore")
    codes, values = pd.factorize(column)  # -1 where a value is missing
    return np.array([*map(str if is_number else quoted, values.tolist()), ""], object)[codes]


def quoted(text: object) -> str:
    return '"' + str(text).replace('"', '""') + '"'


def read_table(path: Path, columns: Mapping[str, type]) -> "pd.DataFrame":
    """The table in a .csv or .csv.xz file with these columns, in this order, each str, int or float (NaN where a value
    is missing). ValueError, one line that names the file, for any other; OSError if it can't be read."""
    try:
        data = read_bytes(path)
        text = decoded(lzma.decompress(data) if path.suffix == ".xz" else data)
    except (ValueError, EOFError, lzma.LZMAError) as error:
        raise ValueError(f"{path}: {error}; expected rows of {', '.join(columns)}") from None
    return parse_table(text, columns, path)


def parse_table(text: str, columns: Mapping[str, type], path: Path) -> "pd.DataFrame":
    """As ``read_table``, from the text of the file ``path``."""
    import pandas as pd

    try:
        table = pd.read_csv(
            io.StringIO(text), dtype={name: kind for name, kind in columns.items() if kind is not float},  # pyright: ignore[reportArgumentType]
            keep_default_na=False, na_values={name: ["", "nan"] for name, kind in columns.items() if kind is float},
        )  # fmt: skip
    except ValueError as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}; expected rows of {', '.join(columns)}") from None
    if tuple(table.columns) != tuple(columns):
        raise ValueError(f"{path}: columns {', '.join(table.columns)}; expected {', '.join(columns)}")
    try:
        return table.astype({name: float for name, kind in columns.items() if kind is float})
    except ValueError as error:
        raise ValueError(f"{path}: {error}; expected rows of {', '.join(columns)}") from None


def kinds(names: Iterable[str], **others: type) -> dict[str, type]:
    """A type for each column: str unless given."""
    return {name: others.get(name, str) for name in names}
