"""Regular expressions in JavaScript's spelling, on Python's ``re``. No arrays.

The common ground of JavaScript, RE2 and Python means the same; where JavaScript spells a thing in its own way, it is
translated. Matching backtracks, as in JavaScript.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from lamina.errors import ArgumentError

MAXIMUM_LENGTH: Final = 10_000
"""How long a pattern may be, and a text that a pattern with nested repetitions is looked for in."""

_TOKEN: Final = re.compile(
    r"""(?P<escape>\\(?:k<\w+>|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|c[A-Za-z]|[0-9]+|.))
      | (?P<set>\[\^?\]|\[\^?(?:\\.|[^\]\\])+\])
      | (?P<group>\(\?<(?=[A-Za-z_])) | (?P<open>\((?:\?(?:[:=!]|<[=!]))?) | (?P<close>\))
      | (?P<repeat>[*+]|\{\d+,\}) | (?P<any>\.) | (?P<end>\$)""",
    re.VERBOSE | re.DOTALL,
)
_CLASSES: Final = {
    "d": "0-9",
    "w": "A-Za-z0-9_",
    "s": r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff",
}
_CONTROLS: Final = dict.fromkeys("nrtfv", "")
_LINE_ENDS: Final = r"\n\r\u2028\u2029"
_REFERENCE: Final = re.compile(r"\$(?:([$&`'])|(\d{1,2})|<(\w+)>)|\\(\d|\\)")


def compiled(pattern: str) -> re.Pattern[str]:
    """JavaScript's ``new RegExp(pattern)`` as a pattern of Python.

    Raises ArgumentError for what is no regular expression.

    >>> compiled("(?<year>[0-9]+)$").sub("year", "in 1999")
    'in year'
    """
    if len(pattern) > MAXIMUM_LENGTH:
        raise ArgumentError(f"pattern has {len(pattern)} characters.", expected=f"at most {MAXIMUM_LENGTH}.")
    try:
        return re.compile(_TOKEN.sub(_translated, pattern))
    except (re.error, OverflowError, RecursionError) as error:
        raise ArgumentError(
            f"pattern is {pattern!r}: {error}.", expected="a regular expression in JavaScript's spelling."
        ) from error


def _translated(token: re.Match[str]) -> str:
    text = token.group()
    if token["escape"]:
        return _escape(text[1:])
    if token["set"]:
        return _set(text)
    return {"any": f"[^{_LINE_ENDS}]", "end": r"\Z", "group": "(?P<"}.get(token.lastgroup or "", text)


def _escape(name: str) -> str:
    """One escape outside of a set, from its name without the backslash."""
    if name in _CLASSES:
        return f"[{_CLASSES[name]}]"
    if name.lower() in _CLASSES:
        return f"[^{_CLASSES[name.lower()]}]"
    if name.startswith("k<"):
        return f"(?P={name[2:-1]})"
    if name in ("b", "B"):
        word = f"[{_CLASSES['w']}]"
        edge = rf"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))"
        return edge if name == "b" else f"(?!{edge})"
    return _character(name)


def _character(name: str) -> str:
    if name[0] == "c" and len(name) == 2:
        return re.escape(chr(ord(name[1]) % 32))
    if name in _CONTROLS or name[0].isdigit() or (name[0] in "ux" and len(name) > 1):
        return "\\" + name
    return re.escape(name)


def _set(text: str) -> str:
    """A set of characters; Python's own operators inside of one are only characters in JavaScript."""
    inverted = text.startswith("[^")
    inside = text[2 if inverted else 1 : -1]
    if not inside:
        return r"[\s\S]" if inverted else r"(?!)"
    parts = re.findall(r"\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|c[A-Za-z]|.)|.", inside, re.DOTALL)
    return f"[{'^' if inverted else ''}{''.join(_members(parts))}]"


def _members(parts: list[str]) -> Iterator[str]:
    """The characters and ranges of a set; a minus that makes no range is a character."""
    at = 0
    while at < len(parts):
        first, *rest = map(_member, parts[at : at + 3])
        is_range = len(rest) == 2 and parts[at + 1] == "-" and len(_simple(first)) == len(_simple(rest[1])) == 1
        yield f"{first}-{rest[1]}" if is_range else first
        at += 3 if is_range else 1


def _simple(member: str) -> str:
    """One character for a member that is a single one."""
    return "c" if len(member) == 1 or (member.startswith("\\") and member[1] not in "DSW") else member


def _member(part: str) -> str:
    if not part.startswith("\\"):
        return re.escape(part)
    name = part[1:]
    if name == "b":
        return r"\x08"
    if name.lower() in _CLASSES:
        return _CLASSES[name] if name in _CLASSES else "\\" + name
    return _character(name)


def repeats_repetitions(pattern: str) -> bool:
    """Whether an unbounded repetition contains another, which may take exponential time where nothing matches.

    >>> repeats_repetitions("(a+)+b"), repeats_repetitions("(a+)b+")
    (True, False)
    """
    inside = [False]
    closed = False
    for token in _TOKEN.finditer(pattern):
        if token["open"] or token["group"]:
            inside.append(False)
        elif token["close"] and len(inside) > 1:
            closed = inside.pop()
            inside[-1] |= closed
            if closed and re.match(r"[*+]|\{\d+,\}", pattern[token.end() :]):
                return True
        elif token["repeat"]:
            inside[-1] = True
    return False


def replacement(rewrite: str, pattern: re.Pattern[str]) -> Callable[[re.Match[str]], str]:
    r"""What a match is replaced by: ``$1``, ``$&``, ``$<name>`` and ``$$`` as in JavaScript, ``\1`` as in RE2.

    >>> replacement("$2-\\1", compiled("(a)(b)"))(compiled("(a)(b)").search("ab"))
    'b-a'
    """

    def replaced(match: re.Match[str]) -> str:
        return _REFERENCE.sub(lambda reference: _referred(reference, match, pattern), rewrite)

    return replaced


def _referred(reference: re.Match[str], match: re.Match[str], pattern: re.Pattern[str]) -> str:
    sign, number, name, slashed = reference.groups()
    if sign:
        before, after = match.string[: match.start()], match.string[match.end() :]
        return {"$": "$", "&": match.group(), "`": before, "'": after}[sign]
    if name:
        known = name in pattern.groupindex
        return (match[name] or "") if known else "" if pattern.groupindex else reference.group()
    if slashed:
        return "\\" if slashed == "\\" else _group(match, slashed, reference.group())
    if int(number) and int(number) <= pattern.groups:
        return match[int(number)] or ""
    if number[0] != "0" and int(number[0]) <= pattern.groups:
        return (match[int(number[0])] or "") + number[1:]
    return reference.group()


def _group(match: re.Match[str], number: str, otherwise: str) -> str:
    return (match[int(number)] or "") if int(number) <= match.re.groups else otherwise
