"""Files that are whole or not there, locks, and who works on which frames."""
