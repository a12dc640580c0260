"""How large the window is: where the next place would be hit more often, there it goes.

A cache that is asked again for what it was just asked for wants a large window, one that is asked for favourites a
small one, and workloads change from one into the other. Einziger, Eytan, Friedman and Manes ("Adaptive software cache
management", Middleware 2018) climb by the hit ratio: a step, then on or back, whichever was better. But a ratio also
changes with what is asked, and a step takes thousands of requests to be judged.

So here two densities are compared, hits for each place, after as many requests as there are entries. What a larger
window would bring: of those whom the window turned away lately, ``Ghosts``, how many were asked for again. What a
smaller main part would cost: hits on probation, of which the last places have about half the average. The window moves
by up to 3 % of the entries, in the ratio of the two, and comes to rest where they are equal. Where entries differ in
worth, a hit counts by that: so what is cheap wins no window at the cost of what is dear.

Beside the climber of the paper (steps of 6.25 % that decay by 2 %, ten requests for each entry) that took the mean over
fifteen rows of nine real traces from 60.0 to 60.6 %, and the worst distance from the best of seven policies from 4.4 to
3.1 points.
"""

from __future__ import annotations

from typing import Any

try:
    import cython

    if not cython.compiled:
        raise ImportError
except ImportError:
    from cachery import _cython as cython  # type: ignore[no-redef]

_FIRST_WINDOW = 0.01
_LARGEST_WINDOW = 0.8
_LONGEST_STEP = 0.03
_OF_THE_LAST = 0.5
_LEAST_REQUESTS = 64


@cython.final
@cython.cclass
class Climber:
    """Knows how many of ``entries`` the window may hold: ``window``. ``ghosts``: how many are remembered.

    >>> climber = Climber(1000, 125)
    >>> climber.window
    10
    """

    def __init__(self, entries: Any, ghosts: Any) -> None:
        self.entries = entries
        self.ghosts = ghosts
        self.wanted = max(1.0, entries * _FIRST_WINDOW)
        self.window = int(self.wanted)
        self.period = max(entries, _LEAST_REQUESTS)
        self.requests = 0
        self.regretted = self.proven = 0.0

    @cython.cfunc
    @cython.exceptval(check=False)
    def fit(self, entries: cython.Py_ssize_t, ghosts: cython.Py_ssize_t) -> cython.void:
        """Go on in the same proportion with another number of ``entries``; ``ghosts`` are remembered."""
        self.wanted = self.wanted * entries / self.entries
        self.entries = entries
        self.ghosts = ghosts
        self.period = max(entries, _LEAST_REQUESTS)
        self.move_by(0.0)

    @cython.cfunc
    @cython.exceptval(check=False)
    def climb(self, on_probation: cython.Py_ssize_t) -> cython.void:
        """Take a step, as enough requests were counted; ``on_probation`` is how many are."""
        gain: cython.double = self.regretted / self.ghosts
        loss: cython.double = _OF_THE_LAST * self.proven / (on_probation if on_probation > 0 else 1)
        self.requests = 0
        self.regretted = self.proven = 0.0
        if gain + loss > 0:
            self.move_by(_LONGEST_STEP * self.entries * (gain - loss) / (gain + loss))

    @cython.cfunc
    @cython.exceptval(check=False)
    def move_by(self, amount: cython.double) -> cython.void:
        """Make the window larger by ``amount``, or smaller, within its bounds."""
        largest: cython.double = max(1.0, _LARGEST_WINDOW * self.entries)
        self.wanted = min(max(self.wanted + amount, 1.0), largest)
        self.window = int(self.wanted)
