"""Messages of the program: one sentence that is short enough to be read in a log."""

import ast
import re
from typing import NamedTuple

import pytest

from tests.conftest import ROOT
from tests.unit.test_documentation_prose import words

RAISED = {"InputError", "ValueError", "SystemExit", "WorkflowError"}
LOGGED = {"info", "warning", "error"}


class Message(NamedTuple):
    """Where a message is, and its words; whatever is filled in is the word `X`."""

    where: str
    text: str


def template(node):
    """Text of an expression that makes a message."""
    match node:
        case ast.Constant(value=str(text)):
            return re.sub(r"%[.,\d]*[sdfgr]", "X", text)
        case ast.JoinedStr(values=parts):
            return "".join(template(part) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return template(left) + template(right)
        case ast.IfExp(body=body):
            return template(body)
    return "X"


def messages_of(source, where):
    """Messages of errors and logs in a Python source."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[text, *_]) if name in RAISED:
                found.append(Message(f"{where}:{node.lineno}", template(text)))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=name), args=[text, *_]) if name in LOGGED:
                found.append(Message(f"{where}:{node.lineno}", template(text)))
    return found


FILES = sorted(file for folder in ("medsynth", "scripts") for file in (ROOT / folder).rglob("*.py"))
MESSAGES = [
    message
    for file in FILES
    for message in messages_of(file.read_text(encoding="utf-8"), file.relative_to(ROOT).as_posix())
]


def length(message):
    return words.length(message.text)


def test_what_is_filled_in_is_a_word_and_what_is_logged_is_a_message():
    source = 'raise InputError(f"{a} has {b + 1} rows; " + ("use" if c else "no") + " more.")\nlog.info("%d rows", n)'
    assert [message.text for message in messages_of(source, "x")] == ["X has X rows; use more.", "X rows"]


def test_messages_are_found():
    assert len(MESSAGES) > 200


def test_messages_are_short():
    long = [message for message in MESSAGES if length(message) > 30]
    assert long == []
    assert sum(map(length, MESSAGES)) / len(MESSAGES) < 16


@pytest.mark.parametrize("folder", ["medsynth", "scripts"])
def test_a_message_is_one_sentence(folder):
    several = [m for m in MESSAGES if m.where.startswith(folder) and len(words.END.split(m.text.strip())) > 1]
    assert several == []


def test_a_message_begins_with_what_it_is_about():
    """No "No scores of ...", "None of ..." or "What ... is": the subject is the thing."""
    inverted = re.compile(r"(No|None|What|With|Without|Beside|Outside|Of|Under|Here) ")
    assert [message for message in MESSAGES if inverted.match(message.text)] == []
