from cachery.ports.clock cimport coarse_seconds

cdef class Counters:
    cdef public long long hits
    cdef public long long misses
    cdef public long long writes
    cdef public long long deletes
    cdef public long long evictions
    cdef public long long expirations
    cdef public long long load_success
    cdef public long long load_failure
    cdef public long long stale_hits
    cdef public long long coalesced
    cdef readonly object window
    cdef readonly object clock
    cdef object guard
    cdef long long hits_due
    cdef long long misses_due
    cdef long long step
    cdef double ticked
    cdef double noted
    cdef long long ticked_hits
    cdef long long ticked_misses

    cdef void tick(self)
    cpdef hit(self)
    cpdef miss(self)
    cpdef load(self, bint is_success)
