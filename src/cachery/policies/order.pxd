from cachery.policies.node cimport Node

cdef class Order:
    cdef sized(self, Py_ssize_t capacity)
    cdef resized(self, Py_ssize_t capacity)
    cdef void added(self, Node node) noexcept
    cdef void accessed(self, Node node) noexcept
    cdef void updated(self, Node node) noexcept
    cdef void postponed(self, Node node) noexcept
    cdef void removed(self, Node node) noexcept
    cdef Node victim(self)
    cdef long long frequency_of(self, Node node) noexcept
    cdef int segment_of(self, Node node) noexcept
    cdef recalled(self, Node node, long long frequency, int segment)
    cdef object in_turn(self)
