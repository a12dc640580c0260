from cachery.backends.in_memory.extra cimport Extra
from cachery.backends.in_memory.fences cimport Fence, Fences, LoadToken
from cachery.policies.node cimport Node
from cachery.policies.order cimport Order
from cachery.policies.table cimport INFINITY, Table
from cachery.statistics.counters cimport Counters

cdef enum:
    KEPT
    EXPIRED
    OUTDATED

cdef class Cells(Table):
    cdef readonly Counters counters
    cdef readonly object name
    cdef Fences fences
    cdef readonly tuple listeners
    cdef object copier
    cdef readonly double life
    cdef Py_ssize_t lapsed
    cdef bint is_watched
    cdef bint is_closed

    cpdef check_open(self)
    cdef double life_for(self, object ttl)
    cdef await_end(self, object entry)
    cdef double deadline(self, double life)
    cdef bint is_valid(self, Node node)
    cdef bint stand(self, Node node)
    cdef Node live(self, object key)
    cdef void replace(self, Node node, object value, double expires, Extra extra) noexcept
    cdef int bury(self, Node node)
    cdef void lapse(self, Node node) noexcept
    cdef drop(self, Node node)
    cdef void note_write(self, Node node) noexcept
    cdef void forget_lapse(self, Node node) noexcept
    cdef count_departure(self, Node victim)
    cdef report(self, object event)
    cdef report_write(self, object key, Node victim, object gone)
    cdef report_gone(self, object gone)
