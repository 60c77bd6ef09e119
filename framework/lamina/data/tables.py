"""Files of comma-separated values as datasets of rows."""

from __future__ import annotations

import csv as csv_format
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from lamina.data.dataset import Dataset
from lamina.data.opening import closing
from lamina.data.text import line_source
from lamina.errors import ArgumentError, ArgumentTypeError, DataError, UnknownNameError

_SETTINGS: Final = ("required", "dtype", "default", "is_label")
_WORD: Final = re.compile(r'"((?:[^"]|"")*)"(?=\s|$)|(\S+)')

ColumnConfig = Mapping[str, Any]
"""What is known of a column: ``required``, ``dtype``, ``default`` and ``is_label``, all optional."""


class CSVDataset(Dataset):
    """The rows of a file of comma-separated values, each a dict from the names of the columns to their values.

    ``source`` is a path, a ``file://`` address, a TextLineDataset, or the lines themselves in a list. Names come from
    the first row, or from ``column_names`` (which go before those in the first row; without ``has_header`` that is data
    already). ``column_configs`` maps names to dicts with

    - ``dtype``: ``"float32"``, ``"int32"`` (rounded down), ``"bool"`` ("1" and "true" are True) or ``"string"``;
    - ``default``: the value where the field is empty;
    - ``required``: refuse rows where it is empty;
    - ``is_label``: this column is to be predicted, and required: elements are then pairs of dicts, (features, labels).

    With ``configured_columns_only`` the others are left out. A field without a dtype is a float if it reads as a
    number, else a string, and None if it is empty. Fields may be quoted, with line breaks in them and quotes doubled;
    blank lines are passed over. ``delim_whitespace`` splits at any white space and ignores ``delimiter``. ``encoding``
    is that of the file.

    Raises ArgumentError or UnknownNameError for settings that do not fit each other, and DataError, with the number of
    the line, for a row of the wrong length or an empty required field.

    >>> lines = ["area,rooms,price", "81.5,3,250", '60,"2",190']
    >>> data = CSVDataset(lines, column_configs={"price": {"is_label": True}})
    >>> data.column_names
    ['area', 'rooms', 'price']
    >>> for row in data:
    ...     print(row)
    ({'area': 81.5, 'rooms': 3.0}, {'price': 250.0})
    ({'area': 60.0, 'rooms': 2.0}, {'price': 190.0})
    """

    def __init__(
        self,
        source: Any,
        has_header: bool = True,
        column_names: Sequence[str] | None = None,
        column_configs: Mapping[str, ColumnConfig] | None = None,
        configured_columns_only: bool = False,
        delimiter: str = ",",
        delim_whitespace: bool = False,
        encoding: str = "utf-8",
    ) -> None:
        if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '\r\n"':
            raise ArgumentError(f"delimiter is {delimiter!r}.", expected="a single character.")
        if column_names is None and not has_header:
            raise ArgumentError(
                "a table without names for its columns.", fix="give column_names, or has_header=True if they are there."
            )
        if configured_columns_only and not column_configs:
            raise ArgumentError("configured_columns_only is True, and there are no column_configs.")
        self._lines = line_source(source, encoding)
        self._has_header = bool(has_header)
        self._given_names = None if column_names is None else [str(name) for name in column_names]
        self._configs = {str(name): _checked(name, config) for name, config in (column_configs or {}).items()}
        self._configured_only = bool(configured_columns_only)
        self._split = None if delim_whitespace else delimiter
        self._names: list[str] | None = None
        super().__init__(lambda _: self._elements())

    @property
    def column_names(self) -> list[str]:
        """The names of the columns that elements have, in order; read from the file when they are first needed."""
        names = self._all_names()
        return [name for name in names if name in self._configs] if self._configured_only else list(names)

    def _all_names(self) -> list[str]:
        if self._names is None:
            header: list[str] | None = None
            if self._has_header:
                with closing(self._rows()) as rows:
                    header = next(rows, (0, None))[1]
                if header is None:
                    raise DataError(f"{self._lines.name} is empty.", expected="a row with the names of the columns.")
            self._names = self._checked_names(header)
        return self._names

    def _checked_names(self, header: list[str] | None) -> list[str]:
        names = self._given_names if self._given_names is not None else [name.strip() for name in header or []]
        if header is not None and len(header) != len(names):
            raise ArgumentError(
                f"column_names has {len(names)} names, and the first row of {self._lines.name} has {len(header)}."
            )
        repeated = [name for name in names if names.count(name) > 1]
        if repeated:
            raise DataError(f"{self._lines.name} has two columns {repeated[0]!r}.", fix="give column_names.")
        unknown = [name for name in self._configs if name not in names]
        if unknown:
            raise UnknownNameError(
                f"column_configs has {unknown[0]!r}, which is no column.", expected=f"some of {', '.join(names)}."
            )
        return names

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """The fields of each row that is not blank, with the number of its last line."""
        with closing(self._lines.open()) as lines:
            if self._split is None:
                for number, line in enumerate(lines, 1):
                    words = [word.group(2) or (word.group(1) or "").replace('""', '"') for word in _WORD.finditer(line)]
                    if words:
                        yield number, words
                return
            reader = csv_format.reader(lines, delimiter=self._split, strict=True)
            try:
                for row in reader:
                    if row:
                        yield reader.line_num, row
            except csv_format.Error as error:
                raise DataError(f"line {reader.line_num} of {self._lines.name} cannot be read: {error}.") from error

    def _elements(self) -> Iterator[Any]:
        names = self._all_names()
        with closing(self._rows()) as rows:
            if self._has_header:
                next(rows, None)
            for number, row in rows:
                if len(row) != len(names):
                    raise DataError(
                        f"line {number} of {self._lines.name} has {len(row)} fields.", expected=f"{len(names)} fields."
                    )
                yield self._element(dict(zip(names, row, strict=True)), number)

    def _element(self, row: dict[str, str], number: int) -> Any:
        features: dict[str, Any] = {}
        labels: dict[str, Any] = {}
        for name, text in row.items():
            config = self._configs.get(name)
            if config is None and self._configured_only:
                continue
            value = self._value(name, text, config or {}, number)
            (labels if config and config.get("is_label") else features)[name] = value
        return (features, labels) if labels else features

    def _value(self, name: str, text: str, config: ColumnConfig, number: int) -> Any:
        if text == "":
            if config.get("default") is None and (config.get("required") or config.get("is_label")):
                raise DataError(
                    f"the column {name!r} is empty in line {number} of {self._lines.name}.",
                    expected="a value, for it is required or a label.",
                    fix="give it a default in column_configs.",
                )
            return config.get("default")
        try:
            return _PARSERS[config.get("dtype")](text)
        except ValueError as error:
            raise DataError(
                f"the column {name!r} is {text!r} in line {number} of {self._lines.name}.",
                expected=f"a value of the dtype {config.get('dtype')}.",
            ) from error


def csv(
    source: Any,
    has_header: bool = True,
    column_names: Sequence[str] | None = None,
    column_configs: Mapping[str, ColumnConfig] | None = None,
    configured_columns_only: bool = False,
    delimiter: str = ",",
    delim_whitespace: bool = False,
    encoding: str = "utf-8",
) -> CSVDataset:
    """A dataset of the rows of a file of comma-separated values: a ``CSVDataset``, where the settings are told.

    >>> csv(["a b", "1 x"], delim_whitespace=True).to_list()
    [{'a': 1.0, 'b': 'x'}]
    """
    return CSVDataset(
        source, has_header, column_names, column_configs, configured_columns_only, delimiter, delim_whitespace, encoding
    )


def _checked(name: Any, config: Any) -> ColumnConfig:
    if not isinstance(config, Mapping):
        raise ArgumentTypeError(f"column_configs[{name!r}] is {config!r}.", expected="a dict.")
    unknown = [key for key in config if key not in _SETTINGS]
    if unknown:
        raise UnknownNameError(
            f"column_configs[{name!r}] has {unknown[0]!r}.", expected=f"some of {', '.join(_SETTINGS)}."
        )
    if config.get("dtype") not in _PARSERS:
        known = ", ".join(repr(dtype) for dtype in _PARSERS if dtype)
        raise UnknownNameError(f"column_configs[{name!r}] has the dtype {config['dtype']!r}.", expected=f"{known}.")
    return dict(config)


def _number(text: str) -> float:
    if "_" in text:  # Python's own grouping of digits, which no table means
        raise ValueError(text)
    return float(text)


def _number_or_text(text: str) -> float | str:
    try:
        return _number(text)
    except ValueError:
        return text


def _integer(text: str) -> int:
    number = _number(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return math.floor(number)


_PARSERS: Final[dict[Any, Callable[[str], Any]]] = {
    None: _number_or_text,
    "float32": _number,
    "int32": _integer,
    "bool": lambda text: text.strip().lower() in ("1", "true"),
    "string": str,
}
