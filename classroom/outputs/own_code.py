"""What a learner wrote beyond the stub, as statements that spacing, comments and the choice of
names do not change.

It reads Python as text, also where it is none; it must not run or import it, and it judges nothing.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from grader.course import ROOT, Part

LONGEST = 100_000  # characters of a file that are looked at
FOLDERS = "exercises", "solutions"
MADE_UP = "_"
PUNCTUATION = frozenset("()[]{},.:;=@")  # which all code has alike
IMPORTS = "from", "import"
PYTHONS_OWN = frozenset([*keyword.kwlist, *keyword.softkwlist, *dir(builtins)])
TOKEN = re.compile(
    r"""(?P<space>[^\S\n]+|\\\n|\#[^\n]*)
    |(?P<newline>\n)
    |(?P<string>[a-z]{0,2}(?:
        \"{3}(?:\\.|[^\\])*?(?:\"{3}|\Z) | '{3}(?:\\.|[^\\])*?(?:'{3}|\Z)
        | "(?:\\.|[^"\\\n])*"? | '(?:\\.|[^'\\\n])*'?))
    |(?P<number>\d[\w.]*)
    |(?P<name>\w+)
    |(?P<sign>\*\*=?|//=?|>>=?|<<=?|->|:=|[-+*/%@&|^=!<>]=|.)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
BEGINS = re.compile(r"[^\W\d]|@")
FILLED_IN = re.compile(r"\{[^{}]*\}")


class Token(NamedTuple):
    """`own` is whether a learner may have chosen it: a name that is no attribute or argument."""

    text: str
    own: bool = False


@dataclass(frozen=True)
class Statement:
    """One statement, or one argument or entry in it: `tokens` to compare, the line to show."""

    tokens: tuple[str, ...]
    line: str


@dataclass(frozen=True)
class OwnCode:
    """What is not in the stub, and the names that the learner made up."""

    statements: tuple[Statement, ...] = ()
    made_up: frozenset[str] = frozenset()

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        return tuple(token for statement in self.statements for token in statement.tokens)


class Given:
    """A part as the course ships it: its stub and its solution."""

    def __init__(self, stub: bytes, solution: bytes):
        lines = list(read(stub))
        self._names = PYTHONS_OWN | given_names(stub)
        known = self._names | imported(lines)
        self._stub = Counter(statement.tokens for statement in statements(lines, known))
        self.solution = self.own(solution)

    def own(self, source: bytes) -> OwnCode:
        """What of a file is not the stub's, in the file's order."""
        lines = list(read(source))
        known = self._names | imported(lines)
        left = self._stub.copy()
        mine: list[Statement] = []
        invented: set[str] = set()
        for (tokens, _), statement in zip(lines, statements(lines, known), strict=True):
            if left[statement.tokens] > 0:
                left[statement.tokens] -= 1
            elif statement.tokens:
                mine.append(statement)
                invented |= {token.text for token in tokens if token.own} - known
        return OwnCode(tuple(mine), frozenset(invented))


def load_given(part: Part) -> Given:
    """The part as it is installed; a copy without solutions has none."""
    return Given(*(read_or_nothing(ROOT / name / part.slug / part.dag_file) for name in FOLDERS))


def given_names(stub: bytes) -> set[str]:
    """What the stub gives a name to, for learners to use: not the variables of its own functions,
    which are anybody's `rows` and `total`.
    """
    try:
        tree = ast.parse(stub)
    except (SyntaxError, ValueError):
        return set()  # somebody is working on it
    found: set[str] = set()
    for line in tree.body:
        if isinstance(line, ast.Assign | ast.AnnAssign):
            found |= {name.id for name in ast.walk(line) if isinstance(name, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            found |= {argument.arg for argument in ast.walk(node) if isinstance(argument, ast.arg)}
    return found


def read_or_nothing(path: Path) -> bytes:
    """The bytes of a file, if there is one."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def read(source: bytes) -> Iterator[tuple[list[Token], str]]:
    """The tokens of each statement, and the line that it begins in. An argument of a call or an
    entry of a dictionary is one by itself, so that what is given around it can be told apart.
    """
    text = source.decode("utf-8", "replace").replace("\r\n", "\n")[:LONGEST]
    tokens: list[Token] = []
    begin, depth = 0, 0
    for found in TOKEN.finditer(text):
        kind, word = found.lastgroup, found[0]
        if kind == "newline" and depth and BEGINS.match(text, found.end()):
            depth = 0  # a bracket that was never closed
        argument = word == "," and 0 < depth < 3 and tokens and tokens[0].text not in IMPORTS
        if argument or (kind == "newline" and not depth):
            if tokens:
                yield tokens, line_at(text, begin)
            tokens = []
        elif kind not in ("space", "newline"):
            begin = begin if tokens else found.start()
            behind = text[found.end() : found.end() + 3].lstrip()
            tokens.append(token_of(kind or "", word, behind, tokens, depth))
            depth = max(depth + (word in "([{") - (word in ")]}"), 0)
    if tokens:
        yield tokens, line_at(text, begin)


def line_at(text: str, place: int) -> str:
    """The line that a place is in."""
    end = text.find("\n", place)
    return text[text.rfind("\n", 0, place) + 1 : end if end >= 0 else None].strip()


def token_of(kind: str, word: str, behind: str, before: list[Token], depth: int) -> Token:
    """One token in a form that how it is written does not change."""
    if kind == "string":
        text = word.lstrip("bfrtuBFRTU")
        if "f" in word[: -len(text)].lower():
            text = FILLED_IN.sub("{}", text)
        return Token('"' + " ".join(text.strip("\"'").split()))
    if kind == "name":
        attribute = bool(before) and before[-1].text == "."
        argument = depth > 0 and behind[:1] == "=" and behind[:2] != "=="
        return Token(word, own=not attribute and not argument)
    return Token(word.lower())


def imported(lines: Sequence[tuple[list[Token], str]]) -> set[str]:
    """All names in import statements."""
    return {token.text for tokens, _ in lines if tokens[0].text in IMPORTS for token in tokens}


def statements(
    lines: Sequence[tuple[list[Token], str]], known: frozenset[str] | set[str]
) -> Iterator[Statement]:
    """Each statement, with one stand-in for all names that are not known."""
    for tokens, line in lines:
        words = [t for t in tokens if t.text not in PUNCTUATION]
        yield Statement(
            tuple(MADE_UP if t.own and t.text not in known else t.text for t in words), line
        )
