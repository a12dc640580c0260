from cachery.policies.node cimport Node, NodeRef

cdef class Order:
    cdef void added(self, NodeRef node) noexcept
    cdef void accessed(self, NodeRef node) noexcept
    cdef void updated(self, NodeRef node) noexcept
    cdef void removed(self, NodeRef node) noexcept
    cdef NodeRef victim(self) noexcept
