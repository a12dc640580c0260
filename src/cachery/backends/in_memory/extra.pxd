cdef class Extra:
    cdef public tuple tags
    cdef readonly object cost
    cdef long long born
    cdef double refresh_at
    cdef double stale_until
    cdef double idle
    cdef double ends
    cdef bint is_lapsed
    cdef object marks
    cdef long long serial
