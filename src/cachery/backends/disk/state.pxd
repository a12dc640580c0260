cdef int _OFFSET, _LATEST, _TOTAL, _SOONEST, _SINCE_SURVEY, _SEQUENCE, _FORGOTTEN, _NONCE, _UNSAFE, _COMMITS, _ASKED
cdef unsigned long long _NONCES, _GROUPS, _MARKS_AT

cdef class State:
    cdef readonly object path
    cdef public bint is_new
    cdef object _map
    cdef unsigned long long[::1] _numbers
    cdef double[::1] _times
    cdef readonly object marks

    cpdef double now(self)
    cpdef bint is_way_asked_for(self)
    cpdef void note_time(self, double now) noexcept
    cpdef void note_expiry(self, double moment) noexcept
    cpdef long long group_of(self, bytes digest)
    cpdef void mark(self, long long group, long long transaction) noexcept
