from cachery.policies.node cimport Node, NodeRef, new_ring, ring_from_last
from cachery.policies.order cimport Order

cdef class LruOrder(Order):
    cdef Node ring
    cdef NodeRef head
