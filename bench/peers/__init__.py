"""Lists of warmstart beside those of other libraries, each in an environment of its own: ``make bench-peers``.

``tasks`` makes the splits, ``exchange`` writes what a system may know and reads its lists, ``environments`` installs,
``trial`` runs one process, ``tuning`` chooses settings, ``scoring`` measures, ``results`` and ``plots`` tell.
What runs in the other environments lies in ``runners`` and imports nothing from here.
"""
