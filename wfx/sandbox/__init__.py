"""Worker processes with limits of time, memory and output, shared fairly between clients.

    pool.py          what the service calls: ``await pool.ask(request, client)``
    fair_queue.py    which request a worker gets next
    process.py       one worker process, as the service sees it
    child.py         any child process that serves over pipes: start, kill, wait (also of response filters)
    confinement.py   what a worker process gives up (also of response filters)
    frames.py        the messages between the service and a worker
    launcher.py      the program of a worker process (a script, never imported by the server)
    errors.py        why there was no answer

A worker runs a trusted module over untrusted data. It imports the module first, then gives up its privileges: no
environment, no files, bounded memory. It has a lower priority than the service, and ends with it.
"""
