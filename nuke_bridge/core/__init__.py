"""What every host needs of AdaMatte and no host knows of: neither Nuke nor Blender.

    request = Request(plate="…/sh010.%04d.exr", out="…/mattes/sh010", shot="sh010", frames=[1001])
    job = LocalJob(request, program()).start()      or FarmJob(new_job_id("sh010"), …).start()
    for status in job.poll(): …                     from the interface, which never waits
    frame_states(request)                           done, missing, failed, stale; in a thread

A second host is a module that makes a `Request` of its own node, polls, and shows.
"""
