cdef class Fence:
    cdef Py_ssize_t holders
    cdef long long changed

cdef class LoadToken:
    cdef readonly object key
    cdef long long born
    cdef bint is_open

cdef class Fences:
    cdef long long sequence
    cdef long long epoch
    cdef long long forgotten
    cdef dict versions
    cdef dict loading
    cdef set journal

    cdef bint is_outdated(self, object tags, long long born)
    cdef void touch(self, object key) noexcept
    cdef void hit_tag(self, object tag) noexcept
    cdef void hit_all(self) noexcept
    cdef void forget_tags(self) noexcept
    cdef open(self, LoadToken token, Fence spare)
    cdef void close(self, LoadToken token) noexcept
    cdef bint admits(self, LoadToken token, object tags)
    cdef void settle(self, LoadToken token) noexcept
