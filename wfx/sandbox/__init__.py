"""Worker processes with limits of time, memory and output, shared fairly between clients.

    workers.py       worker processes of one program: started when needed, reused, ended
    pool.py          workers that clients share by the cost of their requests: ``await pool.ask(request, client)``
    fair_queue.py    which request a worker gets next
    process.py       one worker process, as the service sees it
    child.py         any child process that serves over pipes: start, kill, wait
    confinement.py   what a worker process gives up
    system_calls.py  the calls of the system that a worker may make, where its program wants that
    frames.py        the messages between the service and a worker
    launcher.py      the main program of a worker process (a script, never imported by the server)
    errors.py        why there was no answer

It is used for large request bodies (``wfx/api/large_bodies.py``) and response filters (``wfx/filtering/pool.py``), and
scripts (``wfx/scripts/engine.py``).
A worker runs a trusted module over untrusted data. It imports the module first, then gives up its privileges: no
environment, no files, bounded memory. It has a lower priority than the service, and ends with it.
"""
