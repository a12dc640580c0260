from cachery.backends.in_memory.cells cimport OUTDATED
from cachery.backends.in_memory.extra cimport Extra
from cachery.backends.in_memory.fences cimport LoadToken
from cachery.backends.in_memory.insertions cimport Insertions
from cachery.policies.node cimport Node
from cachery.policies.order cimport Order
from cachery.policies.table cimport INFINITY, MOST_EXPIRED, MOST_LOOKS

cdef long long _MOST_WEIGHT
cdef Py_ssize_t _COSTS_IN_MEAN
cdef Py_ssize_t _FIRST_ROOM
cdef double _LEAST_WORTH

cdef class Allowances(Insertions):
    cdef readonly double idle
    cdef bint is_limited
    cdef public object weigher
    cdef bint is_measured
    cdef long long budget
    cdef long long unit
    cdef double mean_cost
    cdef Py_ssize_t costs

    cdef bint is_hit(self, Node node)
    cdef bint prolong(self, Node node)
    cdef double idle_for(self, object idle_ttl)
    cdef leave_unread(self, Node fresh, double idle)
    cdef double worth_of(self, object cost)
    cdef bint prepare(self, Node fresh, double idle, object cost)
    cdef bint weigh(self, Node fresh)
    cdef bint enter(self, Node fresh, double idle, object cost, LoadToken token, object tags)
    cdef Node admit(self, Node fresh, bint has_room)
    cdef bint told(self, object key, Node victim, object gone, bint has_room, bint is_wanted)
    cdef make_room(self, Node fresh, Py_ssize_t looks)
    cdef bint is_heavy(self, Node fresh)
    cdef Node lightening(self)
    cdef count_departures(self, object gone, object key)
