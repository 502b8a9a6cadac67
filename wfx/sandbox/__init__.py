"""Worker processes: confined, with limits of time, memory and output, shared fairly between clients.

    pool.py          what the service calls: ``await pool.ask(request, client)``
    fair_queue.py    whose turn it is
    process.py       one worker process, as the service sees it
    frames.py        what the two say to each other
    launcher.py      the process itself (a script, never imported by the server)
    errors.py        why there was no answer

A worker runs a module of ours over data of others. It imports that module first, then gives up all it could reach: no
environment, no files, bounded memory; it yields to the service and ends with it.
"""
