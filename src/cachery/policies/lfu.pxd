from cachery.policies.node cimport Node, NodeRef, link_first, new_node, unlink
from cachery.policies.order cimport Order

cdef class Frequency:
    cdef long long count
    cdef Node ring
    cdef NodeRef head
    cdef Frequency lower
    cdef Frequency higher

cdef Frequency new_frequency(long long count)
cdef void insert_above(Frequency below, Frequency group) noexcept
cdef Frequency frequency_of(NodeRef node)

cdef class LfuOrder(Order):
    cdef Frequency bottom
    cdef Frequency newcomers

    cdef void move(self, NodeRef node, Frequency to) noexcept
