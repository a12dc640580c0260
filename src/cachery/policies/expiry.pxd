from cachery.policies.node cimport Node
from cachery.policies.order cimport Order

cdef bint leaves_before(Node one, Node other)

cdef class ExpiryOrder(Order):
    cdef list heap
    cdef long long writes
    cdef long long recalls

    cdef void rise(self, Node node, int place) noexcept
    cdef void sink(self, Node node, int place) noexcept
    cdef void settle(self, Node node, int place) noexcept
