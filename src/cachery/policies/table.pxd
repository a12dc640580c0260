from cachery.policies.node cimport Node
from cachery.policies.order cimport Order
from cachery.policies.wheel cimport Wheel
from cachery.ports.clock cimport coarse_seconds

cdef double INFINITY
cdef Py_ssize_t MOST_EXPIRED
cdef Py_ssize_t MOST_LOOKS

cdef class Table:
    cdef dict nodes
    cdef Order order
    cdef readonly object clock
    cdef object guard
    cdef Py_ssize_t capacity
    cdef Wheel wheel
    cdef double soonest
    cdef long long used
    cdef bint is_made

    cdef double now(self)
    cdef double until(self, double life)
    cdef reach(self, double when, double now)
    cdef bint has_no_end(self, Node node)
    cdef bint is_stored(self, Node node)
    cdef Node evict_for_one(self)
    cdef Node evict(self)
    cdef bint has_expired(self)
    cdef expire(self, Py_ssize_t most, Py_ssize_t looks)
    cdef settle(self, double now, Py_ssize_t most)
    cdef ripen(self, Node node, double now)
    cdef void time(self, Node node, double when) noexcept
    cdef void retime(self, Node node, double before) noexcept
    cdef void let_go(self, Node node) noexcept
    cdef Node keep(self, Node node)
    cdef void rewrite(self, Node node, object value, double expires) noexcept
    cdef bint discard(self, Node node)
    cdef expel(self, Node node)
