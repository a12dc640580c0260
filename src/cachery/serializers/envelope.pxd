cdef class Body:
    cdef readonly bytes data
    cdef readonly int serializer
    cdef readonly int compression
    cdef readonly int flags

cdef class Envelope:
    cdef readonly bytes key
    cdef readonly Body body
    cdef readonly double fresh_until
    cdef readonly double refresh_at
    cdef readonly double stale_until
    cdef readonly object cost
    cdef readonly object epoch
    cdef readonly tuple tags
    cdef readonly bytes key_id
