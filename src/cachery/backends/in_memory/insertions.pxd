from cachery.backends.in_memory.cells cimport KEPT, Cells
from cachery.policies.node cimport Node, is_held_by_map_alone, renew_node
from cachery.policies.table cimport INFINITY

cdef class Insertions(Cells):
    cdef Node put(self, Node fresh)
    cdef Node insert(self, Node fresh)
    cdef bint supplant(self, object key, object value, double expires)
    cdef bint take_in(self, Node fresh)
    cdef void swap(self, Node stored, Node fresh) noexcept
