"""Lines and rows out of files: names, values, quotes, what is missing, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from lamina.data import CSVDataset, TextLineDataset, csv
from lamina.errors import ArgumentError, ArgumentTypeError, DataError, UnknownNameError

HOUSES = "area,rooms,sold\r\n81.5,3,true\r\n60,,false\r\n"


@pytest.fixture
def houses(tmp_path):
    path = tmp_path / "houses of mine.csv"
    path.write_bytes(HOUSES.encode())
    return path


class TestLines:
    def test_ends_of_lines_are_left_out(self, houses):
        expected = ["area,rooms,sold", "81.5,3,true", "60,,false"]
        assert TextLineDataset(houses).to_list() == expected
        assert TextLineDataset(str(houses)).to_list() == expected
        assert TextLineDataset(houses.as_uri()).to_list() == expected
        assert TextLineDataset(["a\n", "b\r\n", "", "c"]).to_list() == ["a", "b", "", "c"]

    def test_the_size_is_unknown_and_the_file_is_read_anew(self, houses):
        data = TextLineDataset(houses)
        assert data.size is None
        houses.write_text("other")
        assert data.to_list() == ["other"]

    def test_a_mark_at_the_beginning_is_left_out(self, tmp_path):
        path = tmp_path / "marked.txt"
        path.write_bytes(b"\xef\xbb\xbfh\xc3\xa9")
        assert TextLineDataset(path).to_list() == ["h\u00e9"]

    def test_other_encodings(self, tmp_path):
        path = tmp_path / "latin.txt"
        path.write_bytes(b"h\xe9")
        assert TextLineDataset(path, encoding="latin-1").to_list() == ["h\u00e9"]
        with pytest.raises(DataError, match="not text in utf-8"):
            TextLineDataset(path).to_list()
        with pytest.raises(ArgumentError, match="no encoding"):
            TextLineDataset(path, encoding="klingon").to_list()

    def test_what_is_no_file_here(self, tmp_path):
        with pytest.raises(ArgumentError, match="fetch it first"):
            TextLineDataset("https://example.org/data.txt")
        with pytest.raises(FileNotFoundError):
            TextLineDataset(tmp_path / "missing").to_list()
        for wrong in (3, None, b"abc", iter(["a"])):
            with pytest.raises(ArgumentTypeError):
                TextLineDataset(wrong)


class TestRows:
    def test_a_row_is_a_dict(self, houses):
        data = csv(houses)
        assert isinstance(data, CSVDataset)
        assert data.column_names == ["area", "rooms", "sold"]
        assert data.to_list() == [
            {"area": 81.5, "rooms": 3.0, "sold": "true"},
            {"area": 60.0, "rooms": None, "sold": "false"},
        ]
        assert csv(TextLineDataset(houses)).to_list() == data.to_list()

    def test_labels_dtypes_and_defaults(self, houses):
        data = csv(houses, column_configs={"sold": {"is_label": True, "dtype": "bool"}, "rooms": {"default": 1}})
        assert data.to_list() == [
            ({"area": 81.5, "rooms": 3.0}, {"sold": True}),
            ({"area": 60.0, "rooms": 1}, {"sold": False}),
        ]

    def test_configured_columns_only(self, houses):
        data = csv(houses, column_configs={"area": {"dtype": "int32"}}, configured_columns_only=True)
        assert data.column_names == ["area"]
        assert data.to_list() == [{"area": 81}, {"area": 60}]

    def test_names_of_ones_own(self):
        assert csv(["1,2"], has_header=False, column_names=["a", "b"]).to_list() == [{"a": 1.0, "b": 2.0}]
        assert csv(["x,y", "1,2"], column_names=["a", "b"]).to_list() == [{"a": 1.0, "b": 2.0}]

    def test_quotes(self):
        lines = ['"a, b",c\n', '"say ""hi""",2\n', '"two\n', 'lines",3\n']
        assert csv(lines).to_list() == [{"a, b": 'say "hi"', "c": 2.0}, {"a, b": "two\nlines", "c": 3.0}]

    def test_other_delimiters(self):
        assert csv(["a;b", "1;2"], delimiter=";").to_list() == [{"a": 1.0, "b": 2.0}]
        lines = ["a  b\tc", ' 1 \t "x ""y"""   3 ', ""]
        assert csv(lines, delim_whitespace=True).to_list() == [{"a": 1.0, "b": 'x "y"', "c": 3.0}]

    def test_blank_lines_are_passed_over(self):
        assert csv(["a", "", "1", ""]).to_list() == [{"a": 1.0}]

    @pytest.mark.parametrize(
        ("dtype", "text", "value"),
        [
            ("float32", "1e3", 1000.0),
            ("int32", "-2.5", -3),
            ("bool", "True", True),
            ("bool", "1", True),
            ("bool", "yes", False),
            ("string", "007", "007"),
            (None, "007", 7.0),
            (None, "-inf", float("-inf")),
            (None, "1_000", "1_000"),
        ],
    )
    def test_values(self, dtype, text, value):
        configs = {"a": {"dtype": dtype}} if dtype else None
        assert csv(["a", text], column_configs=configs).to_list() == [{"a": value}]

    def test_batches(self, houses):
        (batch,) = csv(houses, column_configs={"rooms": {"default": 0.0}}).batch(2)
        np.testing.assert_array_equal(batch["area"], np.float32([81.5, 60]))
        assert batch["rooms"].dtype == np.float32
        with pytest.raises(DataError, match=r"holds None in \['rooms'\]"):
            csv(houses).batch(2).to_list()

    def test_rows_that_are_refused_are_named(self):
        with pytest.raises(DataError, match="line 3 of the given lines has 1 fields"):
            csv(["a,b", "1,2", "3"]).to_list()
        with pytest.raises(DataError, match="'a' is empty in line 2"):
            csv(["a,b", ",2"], column_configs={"a": {"required": True}}).to_list()
        with pytest.raises(DataError, match="'a' is empty in line 2"):
            csv(["a,b", ",2"], column_configs={"a": {"is_label": True}}).to_list()
        with pytest.raises(DataError, match="'a' is 'x' in line 2"):
            csv(["a", "x"], column_configs={"a": {"dtype": "int32"}}).to_list()
        with pytest.raises(DataError, match="'a' is 'inf' in line 2"):
            csv(["a", "inf"], column_configs={"a": {"dtype": "int32"}}).to_list()
        with pytest.raises(DataError, match="line 2 of the given lines cannot be read"):
            csv(["a,b", '"1,2']).to_list()
        with pytest.raises(DataError, match="cannot be read"):
            csv(["a,b", '"1"x,2']).to_list()

    def test_tables_that_are_refused(self):
        with pytest.raises(DataError, match="is empty"):
            csv([]).to_list()
        with pytest.raises(DataError, match="two columns 'a'"):
            csv(["a,a"]).to_list()
        with pytest.raises(ArgumentError, match="has 1 names, and the first row"):
            csv(["a,b"], column_names=["a"]).to_list()
        with pytest.raises(ArgumentError, match="without names"):
            csv(["1"], has_header=False)
        with pytest.raises(UnknownNameError, match="'c', which is no column"):
            csv(["a,b", "1,2"], column_configs={"c": {}}).to_list()

    def test_settings_that_are_refused(self):
        with pytest.raises(UnknownNameError, match="'isLabel'"):
            csv(["a"], column_configs={"a": {"isLabel": True}})
        with pytest.raises(UnknownNameError, match="dtype 'int'"):
            csv(["a"], column_configs={"a": {"dtype": "int"}})
        with pytest.raises(ArgumentTypeError):
            csv(["a"], column_configs={"a": True})
        for wrong in ("", ",,", "\n", None):
            with pytest.raises(ArgumentError):
                csv(["a"], delimiter=wrong)
        with pytest.raises(ArgumentError, match="configured_columns_only"):
            csv(["a"], configured_columns_only=True)
        with pytest.raises(ArgumentError, match="fetch it first"):
            csv("http://example.org/table.csv")
