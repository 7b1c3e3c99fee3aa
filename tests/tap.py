# SPDX-License-Identifier: GPL-2.0-only
"""Tests as sentences, their results as TAP: what tests/run reads."""

import traceback

_tests = []


class Skip(Exception):
    """Raised by a test that cannot run here; says why."""


def test(sentence):
    """Makes a function a test, called sentence; it fails or is skipped by an exception."""

    def add(function):
        _tests.append((sentence, function))
        return function

    return add


def equal(actual, wanted, what="is"):
    """Fails, showing both, unless they are equal."""
    assert actual == wanted, f"{what} {actual!r}, should be {wanted!r}"


def run(*fixtures):
    """Runs every test, in their order, with the fixtures as its arguments; the exit status."""
    failed = 0
    print(f"1..{len(_tests)}")
    for number, (sentence, function) in enumerate(_tests, 1):
        try:
            function(*fixtures)
            print(f"ok {number} - {sentence}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {sentence} # SKIP {reason}", flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            frame = traceback.extract_tb(error.__traceback__)[-1]
            print(f"not ok {number} - {sentence}")
            print(f"# {frame.filename}:{frame.lineno}: {frame.line}")
            for line in f"{type(error).__name__}: {error}".splitlines():
                print(f"# {line}", flush=True)
    return 1 if failed else 0


def bail(reason):
    """Every test fails for one reason: what they look at is not there."""
    print(f"1..{len(_tests)}")
    print(f"Bail out! {reason}")
    return 1
