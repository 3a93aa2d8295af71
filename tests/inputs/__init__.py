"""Files that say what files in the field say: one maker a row of `docs/input.md`."""
