from cachery.policies.node cimport Node, new_node
from cachery.policies.order cimport Order
from cachery.policies.table cimport INFINITY, MOST_EXPIRED, MOST_LOOKS, Table

cdef class EvictionPolicy(Table):
    cdef double life

    cdef Node live(self, object key)
    cdef bint is_over(self, Node node)
    cdef double deadline(self, object ttl)
