from cachery.policies.node cimport Node, NodeRef, link_first, new_ring, ring_from_last, unlink
from cachery.policies.order cimport Order

cdef class LruOrder(Order):
    cdef Node ring
    cdef NodeRef head
