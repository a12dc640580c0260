from cachery.policies.node cimport Node
from cachery.policies.order cimport Order
from cachery.ports.clock cimport coarse_seconds

cdef double INFINITY

cdef class Table:
    cdef dict nodes
    cdef Order order
    cdef readonly object clock
    cdef object guard
    cdef Py_ssize_t capacity
    cdef double soonest
    cdef bint is_made

    cdef double now(self)
    cdef bint is_stored(self, Node node)
    cdef Node evict_for_one(self)
    cdef Node keep(self, Node node)
    cdef void rewrite(self, Node node, object value, double expires) noexcept
    cdef discard(self, Node node)
    cdef expel(self, Node node, Node instead)
