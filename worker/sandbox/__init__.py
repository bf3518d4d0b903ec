"""A stand-in for Alpaca's Trading API that keeps the ground truth and misbehaves on demand.

It knows nothing of the rest of Orderlatch. Tags such as ``[M REC]`` in the docstrings say where a fact about
Alpaca comes from: [D] official document, [S] official SDK source, [M] measured or recorded by a third party,
[I] issue or forum, [X] inferred. Start with ``app``; ``docs/sandbox.md`` is the manual.
"""
