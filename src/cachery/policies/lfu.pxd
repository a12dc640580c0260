from cachery.policies.node cimport Node, NodeRef, link_first, new_ring, ring_from_last, unlink
from cachery.policies.order cimport Order

cdef class Frequency:
    cdef long long count
    cdef Node ring
    cdef NodeRef head
    cdef Frequency lower
    cdef Frequency higher

cdef Frequency new_frequency(long long count)
cdef void insert_above(Frequency below, Frequency group) noexcept
cdef Frequency group_of(Node node)

cdef class LfuOrder(Order):
    cdef Frequency bottom
    cdef Frequency newcomers

    cdef void move(self, Node node, Frequency to) noexcept
    cdef void drop_if_empty(self, Frequency group) noexcept
