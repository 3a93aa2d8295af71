"""The desk: a page in the browser where a shot is corrected while it is looked at.

browser ◄─► server ─► corrections (the override file) ─► frames ─► mattes (a thread)
               └────► job: the ordinary run of what changed, a process of its own
"""
