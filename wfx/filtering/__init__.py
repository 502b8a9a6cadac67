"""Response filters: a jq program over the JSON bytes of an answer, bounded in time, memory and size.

    filters.py   what the API calls: ``prepare`` before the operation, ``apply`` after it
    grammar.py   recognises programs that are provably finite …
    finite.py    … and runs them in this process
    pool.py      runs everything else in worker processes, and ends those that trip a limit
    worker.py    the sandboxed process itself (never imported by the server)
    rewrite.py   lets jq go on after an error, as the contract wants it
    encoding.py  how a result is written

libjq is never loaded into the server's own process: it cannot be interrupted and it reads the environment.
"""
