from cachery.backends.in_memory.allowances cimport Allowances
from cachery.backends.in_memory.extra cimport Extra
from cachery.backends.in_memory.fences cimport Fence, Fences, LoadToken
from cachery.policies.node cimport Node, new_node

from cachery.policies.table cimport INFINITY

cdef Extra stamped_extra(object entry, long long born)

cdef class Loads(Allowances):
    cdef bint is_peekable(self, Node node)
    cdef Extra side_of(self, object key, object tags, object cost, object depends_on)
    cdef object deliver(self, object key, object value)
