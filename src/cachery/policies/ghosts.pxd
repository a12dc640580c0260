from cachery.policies.sketch cimport scrambled

cdef unsigned long long _COUNT_MASK

cdef class Ghosts:
    cdef unsigned long long limit
    cdef unsigned long long mask
    cdef unsigned long long turned_away
    cdef unsigned long long[:] slots

    cdef void note(self, Py_ssize_t hashed) noexcept
    cdef bint take(self, Py_ssize_t hashed) noexcept
