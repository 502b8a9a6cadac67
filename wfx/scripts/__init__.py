"""Scripts of operators: JavaScript without files, network, clock or randomness of its own, run in confined processes.

    limits.py        what a script may use (ScriptLimits)
    runs.py          a run (RunRequest, RunResult, Outcome) and the verdict on a source (Verdict)
    figures.py       counts of runs, and the state of the pool
    errors.py        why an installation cannot run scripts
    faults.py        what authors are told of a worker's answer
    engine.py        what the service calls: ``await engine.check(source)``, ``await engine.run(request)``
    engine_file.py   where the engine lies, and whether this installation has it
    preparation.py   compiles the engine for this machine, once a start, in a child process
    module.py        the main program of that child
    wasm_engine.py   configuration of wasmtime (never imported by the server)
    wasm_sections.py removes what is not used from the engine (never imported by the server)
    protocol.py      kinds of frames between engine.py and its workers
    worker.py        what the worker processes run (never imported by the server)
    calls.py         calls of functions of the engine (never imported by the server)
    instance.py      one instance of the engine, whose memory is put back (never imported by the server)
    analysis.py      findings in sources, by findings.scm (never imported by the server)
    source_positions.py  positions in sources
    guest.py         QuickJS: compiles and runs, by harness.js (never imported by the server)

The engine is QuickJS, compiled to WebAssembly and run by wasmtime, in the worker processes of ``wfx/sandbox``: two
walls. The context that scripts run in has no compiler. A run is a pure function of its request: equal requests give
equal bytes, in any worker, so each run can be repeated.
"""
