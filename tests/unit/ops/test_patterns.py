"""Regular expressions mean what they mean in JavaScript."""

from __future__ import annotations

import pytest

from lamina.errors import ArgumentError
from lamina.ops.patterns import compiled, repeats_repetitions, replacement


@pytest.mark.parametrize(
    ("pattern", "rewrite", "text", "expected"),
    [
        ("a$", "b", "a\n", "a\n"),  # Python's own $ matches before a last line end
        (".", "x", "a\r\u2028b", "x\r\u2028x"),
        (r"\d", "x", "1٣", "x٣"),
        (r"\w+", "x", "aé_1", "xéx"),
        (r"\bé", "x", "é aé", "é ax"),
        (r"\B", "-", "ab c", "a-b c"),
        (r"\s", "", "a\u00a0\ufeff b", "ab"),
        (r"[\s\d]+", "", "a \t1b", "ab"),
        (r"[\W]", "", "a-b", "ab"),
        (r"[^\D]", "x", "a1", "ax"),
        ("[]", "x", "ab", "ab"),
        ("[^]", "x", "a\n", "xx"),
        ("[[&&~~||-]", "", "a[&b~|-", "ab"),
        ("[+--]", "", "a+,-b", "ab"),
        ("[--/b-]", "", "a-./b", "a"),
        (r"[\w-.]", "", "a-.+", "+"),
        (r"[\x41-\u0043]", "", "ABCD", "D"),
        (r"[\b]", "x", "a\x08", "ax"),
        (r"[\]\\]", "x", "]\\", "xx"),
        (r"\/\-\e", "x", "/-e", "x"),
        (r"\u0041\x42\cJ", "x", "AB\n", "x"),
        (r"(?<one>a)(?<two>b)\k<two>", "$<two>$<one>", "abb", "ba"),
        (r"(?<one>a)", "[$<none>]", "a", "[]"),
        ("(a)", "$<one>", "a", "$<one>"),
        ("(?<=a)b(?!c)", "x", "ab abc b", "ax abc b"),
        ("(?:a|b)+?", "x", "ab", "xx"),
        ("b", "[$`|$&|$']", "abc", "a[a|b|c]c"),
        ("(a)", "$$1$1$2$0$10$01", "a", "$1a$2$0a0a"),
        ("(a)(b)?", "<$2>", "a", "<>"),
        ("(a)", r"\1\0\\1\2", "a", r"aa\1\2"),
        ("x", "\n$", "x", "\n$"),
    ],
)
def test_replacing(pattern, rewrite, text, expected):
    expression = compiled(pattern)
    assert expression.sub(replacement(rewrite, expression), text) == expected


@pytest.mark.parametrize("pattern", ["(", "a**", "[a", "(?<1>a)", r"\k<none>", "a" * 10_001, "a{3,1}"])
def test_what_is_no_pattern(pattern):
    with pytest.raises(ArgumentError, match="pattern"):
        compiled(pattern)


def test_nested_repetitions_are_seen():
    assert all(map(repeats_repetitions, ["(a+)+", "(?:a|b*){2,}", "((a)+b)*", "(?<n>a+)*"]))
    assert not any(map(repeats_repetitions, ["a+b+", "(a+)", "(a+){2}", r"(\+)+", "([+*])+", "(a+|b)?"]))
