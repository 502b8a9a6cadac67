"""Scripts of operators: JavaScript without files, network, clock or randomness of its own, run in confined processes.

    limits.py        what a script may use (ScriptLimits)
    runs.py          a run (RunRequest, RunResult, Outcome) and the verdict on a source (Verdict)
    errors.py        why there was no verdict
    engine.py        what the service calls: ``await engine.check(source)``, ``await engine.run(request)``
    engine_file.py   where the engine lies, and whether this installation has it
    module.py        the main program of the child that compiles the engine for this machine, once a start
    protocol.py      kinds of frames between engine.py and its workers
    worker.py        what the worker processes run (never imported by the server)
    calls.py         calls of functions of the engine (never imported by the server)
    instance.py      one instance of the engine, whose memory is put back (never imported by the server)
    analysis.py      findings in sources, by findings.scm (never imported by the server)
    places.py        places in sources
    guest.py         QuickJS as WebAssembly: memory image, calls, limits (never imported by the server)

The engine is QuickJS, compiled to WebAssembly and run by wasmtime, in the worker processes of ``wfx/sandbox``: two
walls. The context that scripts run in has no compiler. A run is a pure function of its request: equal requests give
equal bytes, in any worker, so each run can be repeated.
"""
