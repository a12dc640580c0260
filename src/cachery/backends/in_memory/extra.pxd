cdef class Extra:
    cdef readonly tuple tags
    cdef readonly object cost
    cdef long long born
    cdef double refresh_at
    cdef double stale_until
    cdef bint is_lapsed
