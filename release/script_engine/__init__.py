"""The engine of scripts: QuickJS as WebAssembly, fetched from the npm registry when wfx is packaged.

``package-lock.json`` pins it by its hash and names no address: npm knows where its registry is. It is never a part of
the repository.
"""
