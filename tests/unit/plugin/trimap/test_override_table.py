"""The table of bad override files in the docs is what the program says."""

from __future__ import annotations

from tests.override_table import FILE, table


def test_the_table_in_the_docs_is_what_is_said() -> None:
    """After a change on purpose: `python -m tests.override_table`."""
    made = table()
    assert made == FILE.read_text(encoding="utf-8")
    assert made.count("\n| ") - 3 >= 25
    assert "| nothing |" not in made
