from cachery.policies.node cimport Node
from cachery.policies.order cimport Order

cdef class ExpiryOrder(Order):
    cdef list heap

    cdef void rise(self, Node node, int place) noexcept
    cdef void sink(self, Node node, int place) noexcept
    cdef void settle(self, Node node, int place) noexcept
